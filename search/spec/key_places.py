"""The right places of keys that a spec has elsewhere."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel

from tunefront.objectives.measures import AXES, MEASURES, axis_name
from tunefront.search.data.sources import DataTable
from tunefront.search.spec.deploy import DeployTable
from tunefront.search.spec.tables import EarlyStoppingTable, PrunerTable, SamplerTable, StopTable, TrainingTable
from tunefront.spaces.setting_places import family_of, table_of_setting
from tunefront.spaces.settings import SpaceError, keys_of
from tunefront.spaces.space import FAMILIES, GENERAL

_TOP_LEVEL_KEYS = ("name", "seed", "trials", "max_failures", "max_refusals")


def place_of(key: str, table: str, space: Mapping[str, Any] | None = None) -> str:
    """Return what to do with a key that `table` does not have, if another table has it; else empty.

    Args:
        table: The table's heading, such as ``training``; empty for the top of the file.
        space: The spec's [space], which names the architectures, optimizers and so on that settings may belong to.
    """
    if table == "objectives":
        return _place_of_measure(key)
    if key in _TOP_LEVEL_KEYS and table:
        return "It belongs to the top of the file, above the first line in brackets"
    owner = table_of_setting(key, space or {})
    places = [heading for heading, keys in _keys_by_heading().items() if key in keys and heading != table]
    if places:
        return f"It belongs into {' or '.join(f'[{place}]' for place in places)}: write it below that line"
    if owner and table != f"space.{owner}":
        family = family_of(owner)
        return (
            f"It is a setting of {'an' if family[0] in 'aeiou' else 'a'} {family}: write it in a table of its "
            f"name, such as [space.{owner}] with {key} = ..."
        )
    return ""


def check_space_places(table: Mapping[str, Any]) -> None:
    """Refuse keys of [space] that belong elsewhere.

    Raises:
        SpaceError: Names the key and its place.
    """
    names = {name: settings for family in FAMILIES.values() for name, settings in family.items()}
    for key, value in table.items():
        if key not in GENERAL and key not in names:
            _refuse(key, "space", table)
        if key in names and isinstance(value, Mapping):
            for setting in value:
                if setting not in keys_of(names[key]):
                    _refuse(setting, f"space.{key}", table)


def _refuse(key: str, heading: str, space: Mapping[str, Any]) -> None:
    place = place_of(key, heading, space)
    if place:
        raise SpaceError(f"{heading}.{key}", f"there is no such key here. {place}")


def _place_of_measure(key: str) -> str:
    """Return how to write a measure that is given as a key: ``latency`` means ``latency_seconds``, for the time."""
    fitting = [name for name in MEASURES if key in (name, name.rpartition("_")[0])]
    if not fitting or key in AXES:
        return ""
    measure = MEASURES[fitting[0]]
    axis = axis_name(measure.axis, measure)
    return f'It is a measure of {axis}: write {axis} = "{measure.name}"'


@functools.cache
def _keys_by_heading() -> Mapping[str, frozenset[str]]:
    return {
        "data": frozenset(_keys_of(DataTable)),
        "space": frozenset(GENERAL),
        "training": frozenset(TrainingTable.model_fields),
        "training.early_stopping": frozenset(EarlyStoppingTable.model_fields),
        "sampler": frozenset(_keys_of(SamplerTable)) - {"name"},
        "pruner": frozenset(_keys_of(PrunerTable)) - {"name"},
        "stop": frozenset(StopTable.model_fields),
        "deploy": frozenset(DeployTable.model_fields),
    }


def _keys_of(tables: Any) -> Iterator[str]:
    """Yield the keys of every table in a union, however it is annotated."""
    if isinstance(tables, type):
        yield from tables.model_fields if issubclass(tables, BaseModel) else ()
        return
    for inner in get_args(tables):
        yield from _keys_of(inner)
