"""The user's own code that a spec names, and what a person is told before it runs."""

from __future__ import annotations

from collections.abc import Sequence

from tunefront.search.data.sources import DataTable
from tunefront.search.data.sources.own import OwnSource
from tunefront.search.spec.study_spec import StudySpec


def code_of(spec: StudySpec) -> list[str]:
    """Return all of the user's own code that a study runs; empty if there is none."""
    return [*code_of_space(spec), *code_of_data(spec.data)]


def code_of_space(spec: StudySpec) -> list[str]:
    """Return the object that is the study's space; empty if that is a table."""
    return [spec.space] if isinstance(spec.space, str) else []


def code_of_data(table: DataTable) -> list[str]:
    """Return the function that returns the data; empty for other sources."""
    return [table.object] if isinstance(table, OwnSource) else []


def describe_code(references: Sequence[str]) -> str:
    """Return a line that says whose code is going to run."""
    return f"this study runs the code of {' and '.join(references)}"
