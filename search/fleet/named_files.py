"""The files that a spec names: the code that its study runs, and the paths that it reads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from tunefront.approvals import ApprovalsError, approve
from tunefront.search.spec.file import SpecSource, read_tables
from tunefront.search.system.regular_files import user_path
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.user_code.objects import split_reference
from tunefront.storage.artifacts.address import full_address, is_folder

_NO_FILES = ("imagenet", "none")  # weights of backbones that are no files
_KEYS_OF_PATHS = ("path", "images")


def approve_written(source: SpecSource, artifacts: str = "") -> str:
    """Approve the code and the paths that a person's spec names, for workers of this user on this machine.

    What a spec leaves out may come from a store, so it does not count.

    Args:
        artifacts: The address of the place for artifacts that the person names; empty for none.

    Returns:
        A line on why that could not be noted; empty if it was.
    """
    written = read_tables(source)
    code = [file for file in map(find_code, code_references(written)) if file is not None]
    paths = [path for _, path in named_paths(written)]
    if is_folder(artifacts):
        paths.append(Path(os.path.realpath(full_address(artifacts))))
    try:
        approve(code, paths)
    except (OSError, ApprovalsError) as error:
        return f"workers on this machine will not take this study's files for approved: {error}"
    return ""


def code_references(spec: Mapping[str, Any]) -> list[str]:
    """Return the objects of a user's own code that a spec names, such as ``models.py:space``.

    Args:
        spec: A spec as JSON, or the content of a file.
    """
    tables = [spec.get("data"), (spec.get("pretrain") or {}).get("data")]
    own = [table.get("object") for table in tables if isinstance(table, Mapping) and table.get("source") == "own"]
    return [reference for reference in (spec.get("space"), *own) if isinstance(reference, str)]


def find_code(reference: str) -> Path | None:
    """Return the real path of the file of an object's module, as a run would find it; None if there is none.

    Imports nothing: a package of the module is not imported either.
    """
    try:
        where, _ = split_reference(reference, "")
    except SpaceError:
        return None
    if where.endswith(".py"):
        return Path(os.path.realpath(where))
    first, *others = where.split(".")
    found = PathFinder.find_spec(first, [str(Path.cwd())]) or PathFinder.find_spec(first)
    for name in others:
        found = _inner(found, name)
    if found is None or found.origin is None or not found.has_location:
        return None
    return Path(os.path.realpath(found.origin))


def _inner(package: ModuleSpec | None, name: str) -> ModuleSpec | None:
    folders = None if package is None else package.submodule_search_locations
    if package is None or folders is None:
        return None
    return PathFinder.find_spec(f"{package.name}.{name}", list(folders))


def named_paths(spec: Mapping[str, Any]) -> list[tuple[str, Path]]:
    """Return the files and folders that a spec names: the key that names each, and its real path.

    Args:
        spec: A spec as JSON, or the content of a file.
    """
    return [(key, Path(os.path.realpath(user_path(text)))) for key, text in _of_tables(spec)]


def _of_tables(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    pretrain = spec.get("pretrain") or {}
    for place, table in (("data", spec.get("data")), ("pretrain.data", pretrain.get("data"))):
        yield from ((f"{place}.{key}", table[key]) for key in _KEYS_OF_PATHS if table and table.get(key))
    if pretrain.get("weights"):
        yield "pretrain.weights", pretrain["weights"]
    for place, table in (
        ("space", spec.get("space")),
        ("pretrain.space", pretrain.get("space")),
        ("start", spec.get("start")),
    ):
        yield from _weights_in(table, place)


def _weights_in(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """Yield every file of weights within the tables of a space or of start candidates, with the key that names it."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _weights_in(inner, f"{key}.{name}")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _weights_in(inner, key)
    elif isinstance(value, str) and key.rpartition(".")[2] == "weights" and value not in _NO_FILES:
        yield key, value
