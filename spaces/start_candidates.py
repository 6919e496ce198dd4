"""Known good candidates: the [[start]] tables of a spec, checked against the space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from tunefront.mistakes import nearest
from tunefront.printable import shown
from tunefront.spaces.freeze_choices import FREEZE_FRACTION, same_fraction
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.parameters import steer
from tunefront.spaces.ranges import Fixed
from tunefront.spaces.setting_places import table_of_setting
from tunefront.spaces.settings import SpaceError, under_own_names
from tunefront.spaces.space import Space, parameter_name, settings_of


def start_parameters(space: Space | OwnSpace, table: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return the parameters that a start table gives: ``group.name`` -> value.

    What it leaves out is sampled.

    Args:
        number: The table's place in the file, from 1, for messages.

    Raises:
        SpaceError: If a key is no parameter of the space, or its value is not in its range.
    """
    where = f"start[{number}]"
    keys = _keys_of_own(table, where) if isinstance(space, OwnSpace) else _keys_of(space, table, where)
    given: dict[str, Any] = {}
    while len(given) < len(keys):
        met = steer(space, given).distributions  # a given parameter may bring further ones
        new = [name for name in keys if name in met and name not in given]
        if not new:
            name, (key, _) = next(item for item in keys.items() if item[0] not in given)
            raise SpaceError(key, f"this candidate has no parameter {shown(name)}. {nearest(name, met)}")
        given |= {name: _checked(met[name], *keys[name]) for name in new}
    return given


def start_table(space: Space | OwnSpace, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the start table of a trial's parameters: what :func:`start_parameters` reads as these parameters."""
    if isinstance(space, OwnSpace):
        return dict(parameters)
    keys = {parameter_name(key): key for key in space.general}
    table: dict[str, Any] = {}
    for name, value in parameters.items():
        if name in keys:
            table[keys[name]] = value
        else:
            group, _, setting = name.partition(".")
            table.setdefault(group, {})[setting] = value
    return table


def _checked(distribution: BaseDistribution, key: str, value: Any) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        # A start may write 1 for the choice 1.0, but not true for the choice 1.
        is_bool = isinstance(value, bool)
        alike = (one for one in distribution.choices if value == one and is_bool is isinstance(one, bool))
        found = next(alike, None)
        if found is not None:
            return found
    elif _contains(distribution, value):
        return float(value) if isinstance(distribution, FloatDistribution) else value
    raise SpaceError(key, f"{shown(value)} is not in the space: it must be {_describe(distribution)}")


_Keys = dict[str, tuple[str, Any]]  # parameter's name -> key as the file has it, and value


def _keys_of_own(table: Mapping[str, Any], where: str, prefix: str = "") -> _Keys:
    """Return values by full parameter names; TOML makes a table of an unquoted name with a dot."""
    keys: _Keys = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            keys |= _keys_of_own(value, where, f"{name}.")
        else:
            keys[name] = (f"{where}.{name}", value)
    return keys


def _keys_of(space: Space, table: Mapping[str, Any], where: str) -> _Keys:
    keys: _Keys = {}
    chosen = _chosen_names(space, table)
    for key, value in table.items():
        if key in space.general:
            _add(keys, f"{where}.{key}", parameter_name(key), value, space.general[key])
        elif isinstance(value, Mapping):
            settings = next((family[key] for family in space.families.values() if key in family), None)
            if settings is None:
                known = [name for family in space.families.values() for name in family]
                raise SpaceError(f"{where}.{key}", f"there is no {shown(key)} in the space. {nearest(key, known)}")
            if key not in chosen:
                family = next(name for name, members in space.families.items() if key in members)
                raise SpaceError(
                    f"{where}.{key}", f'its settings count only where it is chosen: write {family} = "{key}" too'
                )
            for name, setting in under_own_names(value, settings_of(key), f"{where}.{key}").items():
                wanted = same_fraction(key, setting, settings[name]) if name == FREEZE_FRACTION else setting
                _add(keys, f"{where}.{key}.{name}", f"{key}.{name}", wanted, settings[name])
        else:
            owner = table_of_setting(key, table)
            place = f"It is a setting of {owner}, among others: write it below [start.{owner}]" if owner else ""
            raise SpaceError(f"{where}.{key}", f"there is no such key. {place or nearest(key, list(space.general))}")
    return keys


def _chosen_names(space: Space, table: Mapping[str, Any]) -> set[str]:
    """Return names of architecture, optimizer and so on that this candidate is sure to have."""
    chosen = {str(table[family]) for family in space.families if family in table}
    fixed = [space.general[family] for family in space.families if family not in table]
    return chosen | {str(spec_range.value) for spec_range in fixed if isinstance(spec_range, Fixed)}


def _add(keys: _Keys, key: str, name: str, value: Any, spec_range: object) -> None:
    if not isinstance(value, bool | int | float | str):
        raise SpaceError(key, f"{shown(value)} is not one value: a start candidate has one for each key")
    if not isinstance(spec_range, Fixed):
        keys[name] = (key, value)
    elif value != spec_range.value:
        raise SpaceError(key, f"{shown(value)} is not in the space, which has {spec_range.value!r} alone")


def _contains(distribution: BaseDistribution, value: Any) -> bool:
    assert isinstance(distribution, IntDistribution | FloatDistribution)  # there are no others
    kind = int if isinstance(distribution, IntDistribution) else int | float
    if isinstance(value, bool) or not isinstance(value, kind):
        return False
    if not distribution.low <= value <= distribution.high:
        return False
    steps = (value - distribution.low) / distribution.step if distribution.step else 0
    return abs(steps - round(steps)) < 1e-8


def _describe(distribution: BaseDistribution) -> str:
    if isinstance(distribution, CategoricalDistribution):
        return f"one of {', '.join(repr(choice) for choice in distribution.choices)}"
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    kind = "a whole number" if isinstance(distribution, IntDistribution) else "a number"
    has_steps = distribution.step is not None and distribution.step != 1
    steps = f" in steps of {distribution.step:g}" if has_steps else ""
    return f"{kind} from {distribution.low:g} to {distribution.high:g}{steps}"
