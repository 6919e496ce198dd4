"""Errors in spec files: which file and key, what is wrong, and what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from objectives import DEFAULT_MEASURES
from spaces.settings import nearest


class SpecError(Exception):
    """A spec that cannot be used. Its text names file, key, value and remedy."""

    def __init__(self, path: Path | str, key: str, problem: str) -> None:
        super().__init__(f"{path}: {key}: {problem}" if key else f"{path}: {problem}")


def explain(path: Path, error: ValidationError, model: type[BaseModel]) -> SpecError:
    """The first of pydantic's findings, in the words of a spec file."""
    finding = error.errors()[0]
    location = [str(part) for part in finding["loc"]]
    key = ".".join(location)
    kind, value = finding["type"], finding["input"]
    if kind == "extra_forbidden":
        return SpecError(path, key, f"there is no such key. {nearest(location[-1], _keys(model, location[:-1]))}")
    if kind == "missing":
        return SpecError(path, key, f"this key is missing. {_HINTS.get(key, 'Add it')}")
    if kind in ("model_type", "dict_type"):
        remedy = _TABLES.get(key, f"write [{key}] and its keys below")
        return SpecError(path, key, f"{value!r} is not possible: {remedy}")
    message = str(finding["msg"]).removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    hint = _HINTS.get(key, "")
    shown = f"{value!r} is not possible: {message}" if not isinstance(value, dict) else message
    return SpecError(
        path,
        key,
        f"{shown}. {hint}".rstrip(". ") + (f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""),
    )


_TABLES = {
    f"objectives.{axis}": f'write a measure, as in {axis} = "{measure}", or {{ measure = "{measure}", at_most = ... }}'
    for axis, measure in DEFAULT_MEASURES.items()
}
_HINTS = {
    "name": 'Give the study a name of letters, digits, ".", "_" and "-": name = "digits"',
    "data": 'Say which images: [data] with source = "digits"',
    "data.source": 'Write source = "digits"',
    "trials": "Write how many trials the study shall have: trials = 30",
}


def _keys(model: Any, location: list[str]) -> list[str]:
    """The keys that the table at `location` of a spec may have."""
    for name in location:
        annotation = model.model_fields[name].annotation
        options = getattr(annotation, "__args__", (annotation,))  # Table | None
        model = next(option for option in options if isinstance(option, type) and issubclass(option, BaseModel))
    return list(model.model_fields)
