"""The differences between two specs of one study, and those that are allowed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunefront.objectives.measures import AXES, MEASURES, axis_name
from tunefront.printable import shortened

MAY_CHANGE = ("trials", "max_failures", "max_refusals", "stop")
KINDS = ("name", "source")  # keys that name a table's kind, on which the meaning of its other keys depends
LIMITS = ("at_least", "at_most")  # keys of an objective that may change while nobody runs the study


@dataclass(frozen=True)
class Difference:
    """A key whose value differs between two specs of a study.

    Attributes:
        stored: The value in the study; None if there is none. The same holds for `given`.
    """

    key: str
    stored: Any
    given: Any

    def describe(self) -> str:
        """Return a line of the message that refuses the file."""
        return f"{self.key}: the study has {_show(self.stored)}, the spec {_show(self.given)}"

    def describe_left_out(self) -> str:
        """Return a line that tells which value the study goes on with, because the file leaves the key out."""
        table, _, axis = self.key.removesuffix(".measure").partition(".")
        if table == "objectives" and axis in AXES:
            had, has = (each.get("measure") if _is_table(each) else each for each in (self.stored, self.given))
            axis = _written(axis, had, has)
            return (
                f"objectives.{axis}: the study began with {_show_measure(had)} and goes on with it; the spec leaves it "
                f"out, which in a new study means {_show_measure(has)}. Write {_line_of(axis, had)}"
            )
        return (
            f"{self.key}: the study began with {_show(self.stored)} and goes on with it; "
            f"the spec leaves it out, which in a new study means {_show(self.given)}"
        )


def find_differences(stored: Mapping[str, Any], given: Mapping[str, Any]) -> list[Difference]:
    """Compare two specs as JSON with all their ranges, without the keys that may change between runs."""
    kept, others = ({key: value for key, value in spec.items() if key not in MAY_CHANGE} for spec in (stored, given))
    spaces = kept.get("space"), others.get("space")
    if all(isinstance(space, Mapping) for space in spaces):
        kept["space"], others["space"] = _comparable(*spaces)
    return list(_differences(kept, others, ""))


def without_settings_of_other_kinds(found: Sequence[Difference]) -> list[Difference]:
    """Leave out the settings of a table whose kind differs, because the difference of kind says enough."""
    places = [(difference, *difference.key.rpartition(".")[::2]) for difference in found]
    others = {table for _, table, key in places if key in KINDS}
    return [difference for difference, table, key in places if table not in others or key in KINDS]


def list_differences(stored: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Return the differences of two specs as JSON, a line each, without limits and keys that may change."""
    objectives = (stored.get("objectives", {}), given.get("objectives", {}))
    kept, others = (_without_limits(spec) for spec in (stored, given))
    return _axis_differences(*objectives) + [difference.describe() for difference in find_differences(kept, others)]


def list_limit_changes(stored: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Return the limits that differ between two specs as JSON with the same objectives, a line each."""
    pairs = ((axis, table, given["objectives"].get(axis, {})) for axis, table in stored["objectives"].items())
    found = [
        difference
        for axis, old, new in pairs
        for limit in LIMITS
        for difference in _differences(
            old.get(limit), new.get(limit), f"objectives.{_written(axis, old.get('measure'))}.{limit}"
        )
    ]
    found += _differences(stored.get("limits", {}), given.get("limits", {}), "limits")
    had, has = (spec.get("deploy", {}).get("device") for spec in (stored, given))
    found += _differences(had, has, "deploy.device")
    return [difference.describe() for difference in found]


def _without_limits(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec without its objectives and what may change as limits do."""
    kept = {key: value for key, value in spec.items() if key not in ("objectives", "limits")}
    if "deploy" in kept:
        kept["deploy"] = {key: value for key, value in kept["deploy"].items() if key != "device"}
    return kept


def _axis_differences(stored: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Return the differences of axes and their measures, with the lines that a file needs to keep the stored ones."""
    lines = []
    for axis in dict.fromkeys([*stored, *given]):
        had, has = (tables.get(axis, {}).get("measure") for tables in (stored, given))
        if had != has:
            shown, written = (_show_measure(had), _show_measure(has)), _written(axis, had, has)
            lines.append(
                f"objectives.{written}: the study has {shown[0]}, the spec {shown[1]}: write {_line_of(written, had)}"
            )
    return lines


def _show_measure(measure: str | None) -> str:
    return "none" if measure is None else json.dumps(measure)


def _written(axis: str, *measures: str | None) -> str:
    """Return the name that a file gives to an axis, by one of its measures."""
    known = (MEASURES[measure] for measure in measures if measure is not None)
    return next((axis_name(axis, measure) for measure in known), axis)


def _line_of(axis: str, measure: str | None) -> str:
    """Return the line of a file that gives an axis this measure, or drops it."""
    return f"{axis} = {'false' if measure is None else json.dumps(measure)}"


def _comparable(*spaces: Any) -> list[dict[str, Any]]:
    """Return spaces without the settings of names that only one of them chooses, a difference that says enough."""
    shared = set.intersection(*(set(space) for space in spaces))
    return [{key: value for key, value in space.items() if key in shared or not _is_table(value)} for space in spaces]


def _differences(stored: Any, given: Any, key: str) -> Iterator[Difference]:
    if _is_table(stored) and _is_table(given):
        for name in dict.fromkeys([*stored, *given]):
            yield from _differences(stored.get(name), given.get(name), f"{key}.{name}" if key else str(name))
    elif stored != given:
        yield Difference(key, stored, given)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and "low" not in value  # a range is one value


def _show(value: Any) -> str:
    return "nothing" if value is None else shortened(json.dumps(value), 300)
