"""A comparison of two studies as a table for a terminal, and in sentences."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from tunefront.objectives.measures import axis_name
from tunefront.objectives.quantities import format_quantity
from tunefront.reports.comparison.comparison import Comparison


def comparison_table(comparison: Comparison) -> Table:
    """Return a table of both fronts, the most accurate first; models on the common front are bold."""
    first, second = comparison.studies
    title = Text(f"{first.study.name} and {second.study.name}")
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("study")
    measures = [first.measure(axis) for axis in comparison.axes]
    names = [axis_name(axis, measure) for axis, measure in zip(comparison.axes, measures, strict=True)]
    for name in ("trial", *names):
        table.add_column(name, justify="right")
    table.add_column("beaten by")
    for member in comparison.members:
        other = second if member.results is first else first
        beaten = "" if member.beaten_by is None else f"{other.study.name} {member.beaten_by}"
        values = [
            format_quantity(member.results.value(member.trial, axis), measure.unit)
            for axis, measure in zip(comparison.axes, measures, strict=True)
        ]
        style = "bold" if member.is_on_common_front else "dim"
        cells = (member.results.study.name, str(member.trial.number), *values, beaten)
        table.add_row(*(Text(cell, style=style) for cell in cells))
    return table


def describe_comparison(comparison: Comparison) -> list[str]:
    """Say how many models of each study are on the common front, and what a reader must know."""
    lines = []
    for results in comparison.studies:
        members = comparison.of(results)
        n_common = sum(member.is_on_common_front for member in members)
        lines.append(f"{results.study.name}: {n_common} of {len(members)} models of its front are on the common front.")
    return [*lines, *([comparison.note] if comparison.note else [])]
