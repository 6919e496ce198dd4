"""The first axis in a spec file: it is called accuracy with classes, and quality with numbers to predict.

Inside, its key is ``accuracy`` with both, so that a store and all that reads it know one axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunefront.objectives.measures import Axis, Task, default_measures
from tunefront.spaces.settings import SpaceError

_INNER: Axis = "accuracy"


def task_of(data: Any) -> Task:
    """Return the task that the tables of a spec have, whatever else is wrong in them."""
    table = data.get("data") if isinstance(data, Mapping) else None
    return "regression" if isinstance(table, Mapping) and table.get("task") == "regression" else "classification"


def with_inner_key(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of a file with the first axis under its key inside.

    Raises:
        SpaceError: If the file calls it by the other task's name.
    """
    written = written_axis(_INNER, task_of(data))
    other = "quality" if written == "accuracy" else "accuracy"
    objectives = data.get("objectives")
    if not isinstance(objectives, Mapping):
        return dict(data)
    if other in objectives:
        measure = default_measures(task_of(data))[_INNER]
        what = "classes are told apart" if written == "accuracy" else "numbers are predicted"
        remedy = '; for numbers to predict write task = "regression" in [data]' if written == "accuracy" else ""
        raise SpaceError(
            f"objectives.{other}",
            f'where {what}, this axis is called {written}: write {written} = "{measure}"{remedy}',
        )
    inner = {_INNER if key == written else key: value for key, value in objectives.items()}
    return {**data, "objectives": inner}


def written_axis(axis: str, task: Task) -> str:
    """Return the name of an axis in a file."""
    return "quality" if axis == _INNER and task == "regression" else axis


def written_key(key: str, task: Task) -> str:
    """Return a key such as ``objectives.accuracy.at_least`` as a file has it."""
    table, _, rest = key.partition(".")
    axis, dot, setting = rest.partition(".")
    return f"{table}.{written_axis(axis, task)}{dot}{setting}" if table == "objectives" and axis else key
