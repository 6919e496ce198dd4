"""The front as a table for a terminal."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from tunefront.objectives.measures import AXES
from tunefront.reports.parameters import Parameters
from tunefront.reports.sentences.notes import describe_marks, show_marked
from tunefront.reports.sentences.summary import describe_empty_front, describe_front
from tunefront.reports.study_results import StudyResults


def front_table(results: StudyResults) -> Table:
    """Return a table of the front, best accuracy first, with the best of each objective in bold.

    The parameters that differ take one line for each trial, cut off at the terminal's width; front.md
    has them whole. If the front is empty, the caption says why; else it explains marks.
    """
    # The title is a Text, because rich would read a "[red]" of a name in a str as markup.
    title = Text(f"{results.study.name}: {describe_front(results)}")
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    rows = _rows(results)
    for name, *cells in zip(("trial", *map(results.axis_name, AXES), "epochs"), *rows, strict=True):
        # Without fixed widths, rich would narrow these columns too, and not only the last one.
        table.add_column(name, justify="right", width=max([len(name), *(len(cell) for cell in cells)]))
    table.add_column("what differs")
    parameters = Parameters.of(results.front)
    for trial, row in zip(results.front, rows, strict=True):
        differing = parameters.summary(trial, parameters.differing)
        table.add_row(*row, Text(differing, no_wrap=True, overflow="ellipsis"))
    caption = describe_marks(results) if results.front_numbers else describe_empty_front(results)
    if caption:
        table.caption = Text(caption)
        table.caption_justify = "left"
    return table


def _rows(results: StudyResults) -> list[list[Text]]:
    best = {axis: results.best(axis) for axis in results.objectives}
    return [
        [
            Text(str(trial.number)),
            *(
                Text(show_marked(results, trial, axis), style="bold" if best.get(axis) is trial else "")
                for axis in AXES
            ),
            Text(str(len(trial.epochs))),
        ]
        for trial in results.front
    ]
