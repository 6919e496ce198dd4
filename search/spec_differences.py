"""What differs between two specs of one study, and what may."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from printable import shortened

MAY_CHANGE = ("trials", "max_failures", "max_refusals", "stop")


def list_differences(stored: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """What differs between two specs as JSON, a line each, but for what may change between runs."""
    kept = {key: value for key, value in stored.items() if key not in MAY_CHANGE}
    return _differences(kept, {key: value for key, value in given.items() if key not in MAY_CHANGE}, "")


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
