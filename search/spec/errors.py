"""Errors in spec files: the file and key, the problem, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from tunefront.mistakes import TunefrontError, nearest
from tunefront.objectives.measures import DEFAULT_MEASURES, Task, default_measures
from tunefront.printable import shortened, shown
from tunefront.search.spec.key_places import place_of
from tunefront.search.spec.quality import written_key


class SpecError(TunefrontError):
    """A spec that cannot be used; the message names file, key, value and remedy."""

    def __init__(self, path: Path | str, key: str, problem: str) -> None:
        place = shortened(key)
        super().__init__(f"{path}: {place}: {problem}" if place else f"{path}: {problem}")


def explain(path: Path | str, error: ValidationError, model: type[BaseModel], task: Task) -> SpecError:
    """Return pydantic's first error in the words of a spec file; wrong keys come before missing ones.

    A missing key was often written under a wrong name.

    Args:
        task: The task that the file names, which tells how it calls the first axis.
    """
    finding = min(error.errors(), key=lambda found: found["type"] == "missing")
    location, kind, value = [str(part) for part in finding["loc"]], finding["type"], finding["input"]
    keys = _keys(model, location[:-1])
    location = _as_written(model, location)
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        location.append(finding["ctx"]["discriminator"].strip("'"))
        kind, value = _KINDS[kind], finding["ctx"].get("tag")
    key = written_key(".".join(location), task)
    if kind == "unknown_kind":
        known = finding["ctx"]["expected_tags"].replace("'", "").split(", ")
        what = location[-2] if location[-1] == "name" else location[-1]
        return SpecError(path, key, f"there is no {what} {shown(value)}. {nearest(str(value), known)}")
    if kind == "extra_forbidden":
        place = place_of(location[-1], ".".join(location[:-1]))
        problem = (
            f"there is no such key here. {place}" if place else f"there is no such key. {nearest(location[-1], keys)}"
        )
        return SpecError(path, key, problem)
    if kind == "missing":
        return SpecError(path, key, f"this key is missing. {_HINTS.get(key, 'Add it')}")
    if kind == "string_pattern_mismatch" and key in _HINTS:
        # Pydantic's message would be a regular expression.
        return SpecError(path, key, f"{shown(value)} is not possible. {_HINTS[key]}")
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        remedy = _TABLES.get(key, f"write [{key}] and its keys below")
        return SpecError(path, key, f"{shown(value)} is not possible: {remedy}")
    message = str(finding["msg"]).removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    hint = _HINTS.get(key, "")
    says_it = isinstance(value, dict) or message.startswith(f"{shown(value)} ")
    hint = "" if isinstance(value, dict) and key == "data" else hint  # the table has a source, so no hint about it
    problem = message if says_it else f"{shown(value)} is not possible: {message}"
    # pydantic reports a value that fits none of several types once for each type.
    n_more = len({tuple(_as_written(model, map(str, other["loc"]))) for other in error.errors()}) - 1
    return SpecError(path, key, f"{problem}. {hint}".rstrip(". ") + (f" (and {n_more} more)" if n_more else ""))


_KINDS = {"union_tag_not_found": "missing", "union_tag_invalid": "unknown_kind"}
_USUAL_MEASURES = [*DEFAULT_MEASURES.items(), ("quality", default_measures("regression")["accuracy"])]
_TABLES = {
    f"objectives.{axis}": f'write a measure, as in {axis} = "{measure}", or {{ measure = "{measure}", at_most = ... }}'
    f"; or {axis} = false, and it does not count"
    for axis, measure in _USUAL_MEASURES
}
_HINTS = {
    "name": 'Give the study a name of up to 100 letters, digits, ".", "_" and "-": name = "digits"',
    "data": 'Say which images: [data] with source = "digits"',
    "data.source": 'Write source = "digits"',
    "start": "Write [[start]], with two brackets, above each candidate",
    **{f"objectives.{axis}.measure": f'Add measure = "{measure}"' for axis, measure in _USUAL_MEASURES},
    "pretrain.weights": 'Name a file that ends in .weights.h5: weights = "backbone.weights.h5"',
    "trials": "Write how many trials the study shall have: trials = 30",
}


def _keys(model: Any, location: list[str]) -> list[str]:
    """Return the keys that the table at `location` of a spec may have; none if the location is no table of a spec."""
    table = _table(model, location)
    return list(table.model_fields) if table else []


def _table(model: Any, location: list[str]) -> Any:
    for name in location:
        if isinstance(model, dict):
            model = model.get(name)
        elif model is not None and name in model.model_fields:
            model = _inner(model.model_fields[name])
        else:
            return None
    return None if isinstance(model, dict) else model


def _inner(field: FieldInfo) -> Any:
    """Return the table type of a key; with a discriminator, all possible table types by their names."""
    options = getattr(field.annotation, "__args__", (field.annotation,))  # Table | None
    tables = [option for option in options if isinstance(option, type) and issubclass(option, BaseModel)]
    if isinstance(field.discriminator, str):
        return {
            name: table for table in tables for name in get_args(table.model_fields[field.discriminator].annotation)
        }
    return tables[0] if tables else None


def _as_written(model: Any, location: Iterable[str]) -> list[str]:
    """Return a location without the names that pydantic adds for the chosen one of several tables or types."""
    written, table = [], model
    for name in location:
        if isinstance(table, dict):
            table = table.get(name)
        elif table is None:
            written += [name] if name.isdecimal() else []  # the place in a list
        else:
            written.append(name)
            table = _inner(table.model_fields[name]) if name in table.model_fields else None
    return written
