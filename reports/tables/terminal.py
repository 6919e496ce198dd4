"""The front as a table for a terminal."""

from __future__ import annotations

from rich.text import Text

from tunefront.objectives.measures import AXES
from tunefront.reports.parameters import Parameters
from tunefront.reports.sentences.notes import describe_marks, show_marked
from tunefront.reports.sentences.summary import describe_empty_front, describe_front
from tunefront.reports.study_results import StudyResults
from tunefront.reports.tables.fitting_table import FittingTable, TableColumn


def front_table(results: StudyResults) -> FittingTable:
    """Return a table of the front, best accuracy first, with the best of each objective in bold.

    The parameters that differ stand beside each trial where the terminal is wide enough, else below it. If the front
    is empty, the caption says why; else it explains marks.
    """
    front, parameters = results.front, Parameters.of(results.front)
    best = {axis: results.best(axis) for axis in results.objectives}
    values = [
        TableColumn(
            results.axis_name(axis),
            [
                Text(show_marked(results, trial, axis), style="bold" if best.get(axis) is trial else "")
                for trial in front
            ],
        )
        for axis in AXES
    ]
    return FittingTable(
        title=f"{results.study.name}: {describe_front(results)}",
        columns=[
            TableColumn("trial", [Text(str(trial.number)) for trial in front]),
            *values,
            TableColumn("epochs", [Text(str(len(trial.epochs))) for trial in front]),
        ],
        items=[parameters.chips(trial, parameters.differing) for trial in front] if parameters.differing else (),
        items_head="what differs",
        caption=describe_marks(results) if results.front_numbers else describe_empty_front(results),
    )
