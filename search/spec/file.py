"""The text of a spec file as plain tables: what no spec can have is refused before anything looks at it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunefront.search.spec.errors import SpecError
from tunefront.search.system.regular_files import read_file

_MAX_BYTES = 256_000  # room for the names of ten thousand classes
_MAX_DEPTH = 12  # tables in tables
_MAX_TEXT = 4096  # characters of one text: the longest that a path can have
# tomllib takes minutes for a key of as many parts as fit. It is looked for only where a key can start: from every quote
# in a text that would take as long.
_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?:^|[\[{{,])[ \t]*+(?:{_PART}[ \t]*+\.[ \t]*+){{64}}", re.MULTILINE)
_LARGEST = 2**63 - 1  # what TOML promises, and databases have room for


def read_tables(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        SpecError: Missing file, no file, too large, broken TOML, or values that are too deep, long or large.
    """
    text = _read_text(path)
    too_deep = f"it is nested too deep: a spec has at most {_MAX_DEPTH} tables in tables"
    if _LONG_KEY.search(text):
        raise SpecError(path, "", too_deep)
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise SpecError(path, "", too_deep) from None
    except ValueError as error:  # TOMLDecodeError, and Python's own of a number with thousands of digits
        raise SpecError(path, "", f"this is not valid TOML: {_first_line(error)}") from None
    for place, depth, value in _walk(data):
        key = ".".join(place)
        if depth > _MAX_DEPTH:
            raise SpecError(path, place[0], too_deep)
        if len(key) > _MAX_TEXT or (isinstance(value, str) and len(value) > _MAX_TEXT):
            n = len(key) if len(key) > _MAX_TEXT else len(value)
            raise SpecError(path, key, f"{n:,} characters are too many: a key or text has at most {_MAX_TEXT}")
        if "\0" in key or (isinstance(value, str) and "\0" in value):
            raise SpecError(path, key, "there is a character of code 0 in it, which no name or path can have")
        if isinstance(value, int) and not -_LARGEST - 1 <= value <= _LARGEST:
            raise SpecError(path, key, "this number is too large: a whole number has at most 64 bits")
    return data


def _read_text(path: Path) -> str:
    try:
        return read_file(path, _MAX_BYTES).decode("utf-8-sig")  # some editors write a mark before the text
    except UnicodeDecodeError:
        raise SpecError(path, "", "the spec file is no text in UTF-8: save it as that") from None
    except OSError as error:
        what = error.strerror or error.__class__.__name__
        remedy = "examples/digits.toml is one to start from"
        raise SpecError(path, "", f"the spec file cannot be read ({what[0].lower()}{what[1:]}): {remedy}") from None


def _walk(data: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], int, Any]]:
    """Every value with its keys and its depth; without recursion, since it may be nested as deep as it likes."""
    todo: list[tuple[tuple[str, ...], int, Any]] = [((key,), 1, value) for key, value in data.items()]
    while todo:
        place, depth, value = todo.pop()
        yield place, depth, value
        if isinstance(value, dict):
            todo += [((*place, key), depth + 1, inner) for key, inner in value.items()]
        elif isinstance(value, list):
            todo += [(place, depth + 1, inner) for inner in value]


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
