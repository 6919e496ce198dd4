"""Options that several commands have."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tunefront.commands.terminal import say
from tunefront.study import ARTIFACTS_VARIABLE, STORAGE_VARIABLE


def _warn_of_password(url: str) -> str:
    if "://" in url and not url.startswith("sqlite"):  # the default, for which nothing need be imported
        from tunefront.storage.database.passwords import password_warning

        warning = password_warning(url)
        if warning:
            say(f"tunefront: warning: {warning}", sys.stderr)
    return url


StorageOption = Annotated[
    str,
    typer.Option(
        envvar=STORAGE_VARIABLE,
        help="Database of the studies, as an SQLAlchemy URL. 'tunefront store start' prints one for several machines, "
        "whose password is in a file: ?passfile=/path.",
        callback=_warn_of_password,
    ),
]
OutOption = Annotated[Path | None, typer.Option(help="Folder for the results.  [default: results/STUDY]")]
ArtifactsOption = Annotated[
    str,
    typer.Option(
        envvar=ARTIFACTS_VARIABLE,
        metavar="FOLDER|s3://BUCKET/PREFIX",
        help="Where the models and logs of all machines lie together. It is stored with the study, so that later "
        "commands find them.  [default: where they are already]",
    ),
]
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
SlotsPerGpuOption = Annotated[
    str,
    typer.Option(
        metavar="N|auto",
        help="Trials at a time on each GPU, which divide its memory; auto plans by that memory.  [default: one]",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
DataRootOption = Annotated[
    list[Path] | None,
    typer.Option(
        help="Folder below which specs from the storage may read; may be given several times.  [default: only what "
        "was run or submitted on this machine]",
        show_default=False,
    ),
]
OwnCodeOption = Annotated[
    bool,
    typer.Option(
        "--allow-own-code",
        help="Run any code that a spec in the storage names. Without it, only files that you have run or submitted "
        "on this machine.",
    ),
]
