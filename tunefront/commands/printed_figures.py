"""The command `figure`: a study's figures as papers print them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tunefront.commands.options import StorageOption
from tunefront.commands.terminal import UserError, say, writable_folder
from tunefront.study import DEFAULT_STORAGE, find_study


class Kind(StrEnum):
    """What a figure shows."""

    FRONT = "front"
    MEMORY_ACCURACY = "memory-accuracy"
    TIME_ACCURACY = "time-accuracy"
    MEMORY_TIME = "memory-time"
    LEARNING_CURVES = "learning-curves"
    CONFIRMED = "confirmed"


class Columns(StrEnum):
    """How wide a figure is, in columns of a page."""

    SINGLE = "single"
    DOUBLE = "double"


def figure(
    study: Annotated[str, typer.Argument(help="Name of the study; 'tunefront status' lists them.")],
    kind: Annotated[
        Kind, typer.Option(help="What it shows; front is accuracy over memory, and over time.")
    ] = Kind.FRONT,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write: .pdf, .svg or .png.  [default: STUDY-KIND.pdf]", show_default=False),
    ] = None,
    width: Annotated[Columns, typer.Option(help="One column of a page, 3.5 inches, or both, 7.16.")] = Columns.SINGLE,
    storage: StorageOption = DEFAULT_STORAGE,
) -> None:
    """Draw a figure of a study as papers print it: fonts embedded, readable in grey, the same file each time.

    The numbers beside points are those of the trials. It needs `pip install 'tunefront[figures]'`.
    """
    from tunefront.reports.printed_figures.figure_kinds import draw_figure
    from tunefront.reports.printed_figures.printed_figure import check_format

    path = out or Path(f"{study}-{kind.value}.pdf")
    check_format(path)
    if path.is_dir():
        raise UserError(f"--out {path} is a folder: name a file")
    drawn = draw_figure(find_study(storage, study), kind.value, width.value)
    writable_folder(path.parent).mkdir(parents=True, exist_ok=True)
    drawn.save(path)
    if drawn.left_out:
        say(drawn.describe_left_out())
    say(f"wrote {path}")
