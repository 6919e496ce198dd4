"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tunefront.study import STORAGE_VARIABLE

StorageOption = Annotated[
    str,
    typer.Option(
        envvar=STORAGE_VARIABLE,
        help="Database of the studies, as an SQLAlchemy URL. A URL with a password belongs into the "
        "environment variable, not on the command line.",
    ),
]
OutOption = Annotated[Path | None, typer.Option(help="Folder for the results.  [default: results/STUDY]")]
SlotsOption = Annotated[
    int | None,
    typer.Option(
        "--slots",
        "--workers",
        min=1,
        max=4096,
        help="Trials at a time on this machine.  [default: one a GPU, or one a CPU core]",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
