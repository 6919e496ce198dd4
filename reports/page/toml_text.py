"""A stored spec as the TOML that a person would write."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(spec: Mapping[str, Any]) -> str:
    """Return a spec as TOML. Keys without a value, which TOML cannot write, and empty tables and lists are left out."""
    return "\n".join(_lines(spec, ())).strip() + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    kept = {key: value for key, value in table.items() if not _is_empty(value)}
    plain = {key: value for key, value in kept.items() if not _is_table(value)}
    if path and plain:
        yield f"\n[{'.'.join(map(_key, path))}]"
    for key, value in plain.items():
        yield f"{_key(key)} = {_value(value)}"
    for key, value in kept.items():
        if _is_table(value):
            yield from _lines(value, (*path, key))


def _is_empty(value: Any) -> bool:
    return (
        value is None
        or (isinstance(value, dict | list) and not value)
        or (isinstance(value, dict) and all(_is_empty(inner) for inner in value.values()))
    )


def _is_table(value: Any) -> bool:
    """Return whether a value has a table of its own; a short one, such as a range, stands on its line."""
    return isinstance(value, dict) and not {"low", "high"} <= value.keys()


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    # A string of JSON is one of TOML, but for the character DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping):
        inner = (f"{_key(key)} = {_value(each)}" for key, each in value.items() if each is not None)
        return f"{{ {', '.join(inner)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(each) for each in value if each is not None)}]"
    return _text(str(value))
