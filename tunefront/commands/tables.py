"""The commands `table`, `figure` and `compare`: results for a paper, and two studies side by side."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunefront.commands.options import JsonOption, StorageOption
from tunefront.commands.screen.spinner import at_work
from tunefront.commands.terminal import UserError, say, show, show_json, writable_folder
from tunefront.study import DEFAULT_STORAGE, find_study

if TYPE_CHECKING:
    from tunefront.reports.comparison.comparison import Comparison


class Format(StrEnum):
    """How a table is written."""

    MARKDOWN = "markdown"
    LATEX = "latex"
    CSV = "csv"


class FigureKind(StrEnum):
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


def table(
    study: Annotated[str, typer.Argument(help="Name of the study; 'tunefront status' lists them.")],
    rows: Annotated[str, typer.Option(help="Parameter down, such as architecture or optimizer.")] = "architecture",
    columns: Annotated[str, typer.Option(help="Parameter across, such as freeze_fraction; none if left out.")] = "",
    show_measures: Annotated[
        str,
        typer.Option("--show", help="Measures or axes of each cell, with commas between.  [default: the three axes]"),
    ] = "",
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.MARKDOWN,
    out: Annotated[Path | None, typer.Option(help="File to write; the terminal if left out.")] = None,
    storage: StorageOption = DEFAULT_STORAGE,
) -> None:
    """Arrange a study's complete trials by one or two parameters, as papers print it.

    In each cell stands the most accurate trial. LaTeX needs the package booktabs.
    """
    with at_work("reading the storage"):
        from tunefront.reports.study_results import load_results
        from tunefront.reports.tables.csv_text import csv_text
        from tunefront.reports.tables.pivot import make_pivot, pivot_latex, pivot_markdown

        results = load_results(find_study(storage, study))
    names = [name.strip() for name in show_measures.split(",") if name.strip()]
    pivot = make_pivot(results, rows, columns, names)
    text = {
        Format.MARKDOWN: lambda: pivot_markdown(pivot),
        Format.LATEX: lambda: pivot_latex(pivot),
        Format.CSV: lambda: csv_text(pivot.frame().reset_index()),
    }[form]()
    if out is None:
        say(text.rstrip(), is_prose=False)
        return
    if out.is_dir():
        raise UserError(f"--out {out} is a folder: name a file")
    writable_folder(out.parent).mkdir(parents=True, exist_ok=True)
    out.write_text(text)
    say(f"wrote {out}")


def figure(
    study: Annotated[str, typer.Argument(help="Name of the study; 'tunefront status' lists them.")],
    kind: Annotated[
        FigureKind, typer.Option(help="What it shows; front is accuracy over memory, and over time.")
    ] = FigureKind.FRONT,
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
    with at_work("drawing the figure"):
        drawn = draw_figure(find_study(storage, study), kind.value, width.value)
    writable_folder(path.parent).mkdir(parents=True, exist_ok=True)
    drawn.save(path)
    if drawn.left_out:
        say(drawn.describe_left_out())
    say(f"wrote {path}")


def compare(
    first: Annotated[str, typer.Argument(help="Name of a study.")],
    second: Annotated[str, typer.Argument(help="Name of another study, on the same images.")],
    out: Annotated[Path | None, typer.Option(help="CSV file to write beside.")] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    as_json: JsonOption = False,
) -> None:
    """Put the fronts of two studies side by side: which models of each the other study beats.

    They must have the same measures and images; where only the seed that divided the images differs, it is said.
    """
    with at_work("reading the storage"):
        from tunefront.reports.comparison.comparison import compare_studies
        from tunefront.reports.comparison.table import comparison_table, describe_comparison
        from tunefront.reports.study_results import load_results
        from tunefront.reports.tables.csv_text import csv_text

        comparison = compare_studies(*(load_results(find_study(storage, name)) for name in (first, second)))
    if out is not None:
        writable_folder(out.parent).mkdir(parents=True, exist_ok=True)
        out.write_text(csv_text(comparison.frame()))
    if as_json:
        show_json(_as_json(comparison))
        return
    show(comparison_table(comparison))
    for line in describe_comparison(comparison):
        say(line)
    if out is not None:
        say(f"wrote {out}")


def _as_json(comparison: Comparison) -> dict[str, Any]:
    rows = comparison.frame().astype(object)
    return {
        "studies": [results.study.name for results in comparison.studies],
        "note": comparison.note,
        "models": rows.where(rows.notna(), None).to_dict("records"),
    }
