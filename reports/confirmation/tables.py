"""The tables of a confirmation: a data frame, a table for a terminal, and one in Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from tunefront.objectives.measures import AXES, Axis
from tunefront.objectives.skill import skill_scale
from tunefront.reports.confirmation.confirmation import Confirmation, Confirmed
from tunefront.reports.confirmation.sentences import (
    describe_confirmation,
    describe_method,
    gap_title,
    show_estimate,
    show_points,
    show_probability,
)
from tunefront.reports.confirmation.statistics import Estimate
from tunefront.reports.sentences.notes import show_marked
from tunefront.reports.tables.fitting_table import FittingTable, TableColumn
from tunefront.reports.tables.frames import GUESSING, guesses
from tunefront.reports.tables.markdown import escape, markdown_table

_COLUMNS: Mapping[Axis, str] = {"memory": "memory_bytes", "time": "time_seconds"}


def confirmed_frame(confirmation: Confirmation) -> pd.DataFrame:
    """Return a data frame with a row for each finalist, the most accurate first.

    Fractions are from 0 to 1; ``_low`` and ``_high`` are the ends of 95 % intervals, empty with one
    training. ``score`` says which images ``accuracy`` was measured on. Where numbers are predicted, it is called
    ``quality``, in the unit of its measure.
    """
    frame = pd.DataFrame([_row(confirmation, finalist) for finalist in confirmation.finalists])
    # With pandas' nullable types a missing value does not turn the number 3 into 3.0.
    return frame.astype({"beaten_by": "Int64", f"search_{GUESSING}": "boolean"})


def _row(confirmation: Confirmation, finalist: Confirmed) -> dict[str, Any]:
    row: dict[str, Any] = {
        "trial": finalist.number,
        "verdict": finalist.verdict,
        "was_on_front": finalist.was_on_front,
        "on_cautious_front": finalist.is_on_cautious_front,
        "on_front_for_sure": finalist.is_on_front_for_sure,
        "front_probability": finalist.front_probability,
        "score": "test" if confirmation.has_test else "validation",
    }
    name, scale = confirmation.search.axis_name("accuracy"), skill_scale(finalist.measure)
    ends = (min(scale.best, scale.worst), max(scale.best, scale.worst))
    row |= _columns(name, finalist.estimates["accuracy"], *ends)
    for axis, column in _COLUMNS.items():
        row |= _columns(column, finalist.estimates[axis], 0.0)
    row |= _columns(f"validation_{name}", finalist.validation, *ends)
    row |= {f"search_{name}": finalist.search_accuracy, "is_above_interval": finalist.is_above_interval}
    row |= {f"search_{GUESSING}": guesses(confirmation.search, finalist.searched)}
    row |= _columns("gap", finalist.gap)
    return row | {
        "beaten_probability": finalist.beaten_probability,
        "beaten_by": finalist.beaten_by,
        "n_trainings": len(finalist.trainings),
        "n_failed": finalist.n_failed,
        "times_are_shared": confirmation.is_shared,
        "compared_by_image": confirmation.is_paired,
    }


def _columns(name: str, found: Estimate, least: float = -math.inf, most: float = math.inf) -> dict[str, float]:
    """Return the mean and the ends of its interval, cut off at the least and most possible value."""
    low, high = max(found.low, least), min(found.high, most)  # max and min keep a NaN that is their first argument
    return {name: found.mean, f"{name}_low": low, f"{name}_high": high}


def confirmation_table(confirmation: Confirmation) -> RenderableType:
    """Return a table of the finalists for a terminal, the cautious front in bold, and the findings in sentences."""
    finalists = confirmation.finalists
    heads, rows = titles(confirmation), [list(map(Text, cells(confirmation, finalist))) for finalist in finalists]
    trial, *values, probability = [
        TableColumn(head, [row[number] for row in rows]) for number, head in enumerate(heads)
    ]
    verdict = TableColumn("verdict", [Text(finalist.verdict) for finalist in finalists], is_text=True)
    table = FittingTable(
        title=f"{confirmation.search.study.name}: confirmed",
        columns=[trial, verdict, probability, *values],
        styles=["bold" if finalist.is_on_cautious_front else "dim" for finalist in finalists],
    )
    sentences = (Text(sentence) for sentence in describe_confirmation(confirmation) if sentence)
    return Group(table, *sentences, Text(""))


def titles(confirmation: Confirmation) -> list[str]:
    """Return the titles of the columns of :func:`cells`."""
    split, name = "test" if confirmation.has_test else "validation", confirmation.search.axis_name("accuracy")
    return ["trial", f"{split} {name}", "in search", "memory", "time", "on front"]


def cells(confirmation: Confirmation, finalist: Confirmed) -> list[str]:
    """Return a finalist's row of the tables for people."""
    search = confirmation.search
    accuracy, memory, time = (show_estimate(finalist.estimates[axis], search.measure(axis).unit) for axis in AXES)
    searched = show_marked(search, finalist.searched, "accuracy")
    return [str(finalist.number), accuracy, searched, memory, time, show_probability(finalist)]


def confirmation_markdown(confirmation: Confirmation) -> str:
    """Return the confirmation's section of front.md."""
    names = [*titles(confirmation), gap_title(confirmation, "-"), "trainings", "verdict", "cautious front"]
    rows = [
        [
            *cells(confirmation, finalist),
            show_points(finalist.gap, finalist.measure.unit),
            str(len(finalist.trainings)),
            finalist.verdict,
            "yes" if finalist.is_on_cautious_front else "no",
        ]
        for finalist in confirmation.finalists
    ]
    table = markdown_table(names, rows, n_numbers=len(names) - 2)
    sentences = (*describe_confirmation(confirmation), *describe_method(confirmation))
    return "\n\n".join(["## Confirmed", table, *(escape(text) for text in sentences if text)]) + "\n"
