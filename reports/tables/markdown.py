"""The front as Markdown, which GitHub, wikis and terminals show alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tunefront.objectives.measures import AXES
from tunefront.reports.kept_models import describe_without_model
from tunefront.reports.parameters import Parameters
from tunefront.reports.sentences.notes import describe_marks, notes, show_marked
from tunefront.reports.sentences.stopping_cost import describe_stopping_cost
from tunefront.reports.sentences.summary import (
    axis_title,
    describe_empty_front,
    describe_front,
    describe_progress,
    describe_search,
    describe_shared,
    describe_wanted,
)
from tunefront.reports.study_results import StudyResults
from tunefront.reports.words import show_value

_TRAINABLE = "n_trainable_parameters"


def front_markdown(results: StudyResults) -> str:
    """Return the front as Markdown: a summary, notes, progress, the table, and the parameters that all models share."""
    parameters = Parameters.of(results.front)
    parts = [
        f"# {escape(results.study.name)}: {describe_front(results)}",
        escape(f"{describe_search(results)} {describe_wanted(results)}"),
        *map(escape, notes(results)),
        escape(describe_progress(results)),
        _table(results, parameters) if results.front_numbers else escape(describe_empty_front(results)),
        escape(describe_marks(results)),
        escape(describe_without_model(results)),
        escape(describe_shared(parameters)),
        escape(describe_stopping_cost(results)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    """Return text that Markdown shows literally, on one line, also in a cell of a table."""
    return re.sub(r"([\\`*\[\]<>|~&])", r"\\\1", " ".join(text.split()))


def _table(results: StudyResults, parameters: Parameters) -> str:
    titles, rows = front_rows(results, parameters)
    return markdown_table(titles, rows, n_numbers=len(titles) - len(parameters.differing))


def front_rows(results: StudyResults, parameters: Parameters) -> tuple[list[str], list[list[str]]]:
    """Return titles, and a row of texts for each trial on the front; the last columns are what differs."""
    has_trainable = any(_TRAINABLE in trial.measurements for trial in results.front)
    trainable = ["trainable parameters"] if has_trainable else []
    titles = ["trial", *(axis_title(results, axis) for axis in AXES), *trainable, "epochs", *parameters.differing]
    rows = [
        [
            str(trial.number),
            *(show_marked(results, trial, axis) for axis in AXES),
            *([_show_whole(trial.measurements.get(_TRAINABLE))] if has_trainable else []),
            str(len(trial.epochs)),
            *(show_value(parameters.value(trial, name)) for name in parameters.differing),
        ]
        for trial in results.front
    ]
    return titles, rows


def _show_whole(value: float | None) -> str:
    return "" if value is None else f"{round(value):,}"


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]], n_numbers: int) -> str:
    """Return a table of any texts; the first `n_numbers` columns are aligned to the right."""
    rule = ["---:"] * n_numbers + ["---"] * (len(titles) - n_numbers)
    return "\n".join([_row(map(escape, titles)), _row(rule), *(_row(map(escape, row)) for row in rows)])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
