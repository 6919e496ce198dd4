"""Specs as files and as dictionaries: values that no spec can have are refused before anything else reads them."""

from __future__ import annotations

import contextlib
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from tunefront.printable import shown
from tunefront.search.spec.differences import find_differences, without_settings_of_other_kinds
from tunefront.search.spec.errors import SpecError, explain
from tunefront.search.spec.quality import task_of, with_inner_key, written_key
from tunefront.search.spec.stored_spec import FindSpec, continued, is_left_out, written_in
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.spec.table import FILE_CONTEXT
from tunefront.search.system.regular_files import read_file
from tunefront.spaces.freeze_choices import merge_freeze_choices
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.settings import SpaceError

_MAX_BYTES = 256_000  # room for the names of ten thousand classes
_MAX_DEPTH = 12  # levels of nested tables
_MAX_TEXT = 4096  # characters of one text, as many as a path can have
# tomllib takes minutes for a key of very many parts. The pattern starts only where a key can start, because a search
# from every quote in a text would take as long.
_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?:^|[\[{{,])[ \t]*+(?:{_PART}[ \t]*+\.[ \t]*+){{64}}", re.MULTILINE)
_LARGEST = 2**63 - 1  # the largest integer that TOML guarantees and databases can store
_TOO_DEEP = f"it is nested too deep: a spec has at most {_MAX_DEPTH} tables in tables"

SpecSource = Path | Mapping[str, Any]  # a TOML file, or its content as a program has it


def place_of_spec(source: SpecSource) -> Path | str:
    """Return what messages call a spec: its file's path, or for a dictionary ``the spec``."""
    return source if isinstance(source, Path) else "the spec"


def read_tables(source: SpecSource) -> dict[str, Any]:
    """Read a TOML file, or take the values of a dictionary as a TOML file would have them.

    Raises:
        SpecError: If the file is missing, no regular file, too large or no TOML, values are too deep, long or large, or
            a dictionary has something that no TOML file can have.
    """
    data = _parse(source) if isinstance(source, Path) else _plain(source, ())
    _check_sizes(place_of_spec(source), data)
    return data


def _parse(path: Path) -> dict[str, Any]:
    text = _read_text(path)
    if _LONG_KEY.search(text):
        raise SpecError(path, "", _TOO_DEEP)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise SpecError(path, "", _TOO_DEEP) from None
    except ValueError as error:  # TOMLDecodeError, or Python's error for a number with thousands of digits
        raise SpecError(path, "", f"this is not valid TOML: {_first_line(error)}") from None


def _plain(value: Any, place: tuple[str, ...]) -> Any:
    """Return a copy of a value of a dictionary in the types that tomllib makes.

    Tuples, paths, and numbers and arrays of NumPy become lists, texts and numbers.
    """
    where = place_of_spec({})
    if len(place) > 2 * _MAX_DEPTH:  # a dictionary may contain itself; the exact depth is checked afterwards
        raise SpecError(where, place[0], _TOO_DEEP)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise SpecError(where, ".".join(place), f"the key {shown(key)} is no text")
        return {key: _plain(inner, (*place, key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, (*place, str(number))) for number, inner in enumerate(value)]
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist(), place)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, bool | int | float | str):
        return value
    remedy = "leave the key out" if value is None else "write a text, a number, True or False, a list or a dictionary"
    what = "None" if value is None else f"a {type(value).__name__}"
    raise SpecError(where, ".".join(place), f"{what} is not possible: {remedy}")


def _check_sizes(where: Path | str, data: dict[str, Any]) -> None:
    for place, depth, value in _walk(data):
        key = ".".join(place)
        if depth > _MAX_DEPTH:
            raise SpecError(where, place[0], _TOO_DEEP)
        if len(key) > _MAX_TEXT or (isinstance(value, str) and len(value) > _MAX_TEXT):
            n = len(key) if len(key) > _MAX_TEXT else len(value)
            raise SpecError(where, key, f"{n:,} characters are too many: a key or text has at most {_MAX_TEXT}")
        if "\0" in key or (isinstance(value, str) and "\0" in value):
            raise SpecError(where, key, "there is a character of code 0 in it, which no name or path can have")
        if isinstance(value, int) and not -_LARGEST - 1 <= value <= _LARGEST:
            raise SpecError(where, key, "this number is too large: a whole number has at most 64 bits")


def _read_text(path: Path) -> str:
    try:
        return read_file(path, _MAX_BYTES).decode("utf-8-sig")  # some editors write a byte-order mark
    except UnicodeDecodeError:
        raise SpecError(path, "", "the spec file is no text in UTF-8: save it as that") from None
    except OSError as error:
        what = error.strerror or error.__class__.__name__
        remedy = "examples/digits.toml is one to start from"
        raise SpecError(path, "", f"the spec file cannot be read ({what[0].lower()}{what[1:]}): {remedy}") from None


def _walk(data: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], int, Any]]:
    """Yield every value with its keys and its depth, without recursion, because the depth is not limited yet."""
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


# The validation context of a file whose tables are not checked together yet, because a stored study may have the keys
# that the file leaves out.
_UNCHECKED_CONTEXT: Final = {**FILE_CONTEXT, "is_alone": True}


_RESERVED_SUFFIXES = (".confirmation", ".recording")


def read_spec(
    source: SpecSource,
    find_stored: FindSpec | None = None,
    tell: Callable[[str], None] = lambda line: None,
    **overrides: Any,
) -> StudySpec:
    """Read a spec.

    Args:
        source: Its file, or a dictionary of the same keys.
        find_stored: Looks up the stored spec of the study that the file continues, if there is one. A key that the file
            leaves out then has that study's value.
        tell: Called with a line for each such key, and for merged choices of a new study's space.
        overrides: Values that replace top-level keys, unless they are None.

    Only the name of a user's own space is read, see :func:`check_own_space`.

    Raises:
        SpecError: Missing file, broken TOML, unknown key, impossible value: file, key and remedy.
    """
    path, data = place_of_spec(source), read_tables(source)
    data |= {key: value for key, value in overrides.items() if value is not None}
    if "confirms" in data:
        raise SpecError(path, "confirms", "only 'tunefront confirm STUDY' sets this key: leave it out")
    try:
        tables = with_inner_key(data)
    except SpaceError as error:
        raise SpecError(path, error.key, error.problem) from None
    task = task_of(data)
    try:
        spec = _understand(tables, find_stored, tell)
    except SpaceError as error:
        raise SpecError(path, written_key(error.key, task), error.problem) from None
    except ValidationError as error:
        raise explain(path, error, StudySpec, task) from None
    if spec.name.endswith(_RESERVED_SUFFIXES):
        raise SpecError(
            path,
            "name",
            f"{spec.name!r}: studies that end in {' or '.join(_RESERVED_SUFFIXES)} are tunefront's own. Leave that off",
        )
    if len(spec.start) > spec.trials:
        raise SpecError(
            path,
            "trials",
            f"{spec.trials} is fewer than the {len(spec.start)} of [[start]]. Write as many, or more",
        )
    return spec


def check_own_space(path: Path | str, spec: StudySpec) -> None:
    """Run the code of a user's own space, and check the spec against it; do nothing for another space.

    Args:
        path: The spec's file, or what messages call the spec.

    Raises:
        SpecError: If the code cannot be used, or does not fit the sampler or a start candidate.
    """
    if isinstance(spec.space, str):
        try:
            spec.check_candidates()
        except SpaceError as error:
            raise SpecError(path, error.key, error.problem) from None


def _understand(data: dict[str, Any], find_stored: FindSpec | None, tell: Callable[[str], None]) -> StudySpec:
    """Return the spec that a file means, alone or for the study that it goes on with."""
    alone = StudySpec.model_validate(data, context=_UNCHECKED_CONTEXT)
    stored = find_stored(alone.name) if find_stored else None
    study = None
    with contextlib.suppress(ValidationError, SpaceError):  # an unreadable spec is refused when its study is opened
        study = StudySpec.from_json(stored) if stored is not None else None
    if study is None:
        return _merge_choices(StudySpec.model_validate(data, context=FILE_CONTEXT), tell)
    given = alone.as_json()
    written = written_in(alone.model_dump(mode="json", exclude_unset=True))
    spec = StudySpec.from_json(continued(study.as_json(), written, given))
    for difference in without_settings_of_other_kinds(find_differences(spec.as_json(), given)):
        if is_left_out(written, difference.key):
            tell(difference.describe_left_out())
    return spec


def _merge_choices(spec: StudySpec, tell: Callable[[str], None]) -> StudySpec:
    """Return a new study's spec, in which choices that are the same candidate are merged."""
    space = spec.parsed_space()
    if isinstance(space, OwnSpace):
        return spec
    merged, notes = merge_freeze_choices(space)
    for note in notes:
        tell(note)
    return spec.model_copy(update={"space": merged.as_table()}) if notes else spec
