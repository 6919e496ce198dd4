"""What differs between two specs of one study, and what may."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from printable import shortened

MAY_CHANGE = ("trials", "max_failures", "max_refusals", "stop")
LIMITS = ("at_least", "at_most")  # of an objective: they may change while nobody runs the study


def list_differences(stored: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """What differs between two specs as JSON, a line each, but for limits and what may change between runs."""
    kept, new = ({key: value for key, value in spec.items() if key not in MAY_CHANGE} for spec in (stored, given))
    objectives = (kept.pop("objectives", {}), new.pop("objectives", {}))
    return _axis_differences(*objectives) + _differences(kept, new, "")


def list_limit_changes(stored: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Limits that differ between two specs as JSON whose objectives are the same, a line each."""
    pairs = ((axis, table, given["objectives"].get(axis, {})) for axis, table in stored["objectives"].items())
    return [
        line
        for axis, old, new in pairs
        for limit in LIMITS
        for line in _differences(old.get(limit), new.get(limit), f"objectives.{axis}.{limit}")
    ]


def _axis_differences(stored: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Which axes count, and by which measure: what a file has to say for it, since it has a default measure."""
    lines = []
    for axis in dict.fromkeys([*stored, *given]):
        had, has = (tables.get(axis, {}).get("measure") for tables in (stored, given))
        if had != has:
            shown = ["none" if measure is None else json.dumps(measure) for measure in (had, has)]
            line = f"{axis} = {'false' if had is None else json.dumps(had)}"
            lines.append(f"objectives.{axis}: the study has {shown[0]}, the file {shown[1]}: write {line}")
    return lines


def _differences(stored: Any, given: Any, key: str) -> list[str]:
    if isinstance(stored, Mapping) and isinstance(given, Mapping):
        lines = []
        for name in dict.fromkeys([*stored, *given]):
            inner = f"{key}.{name}" if key else str(name)
            lines += _differences(stored.get(name), given.get(name), inner)
        return lines
    if stored == given:
        return []
    shown = ["nothing" if value is None else shortened(json.dumps(value), 300) for value in (stored, given)]
    return [f"{key}: the study has {shown[0]}, the file {shown[1]}"]
