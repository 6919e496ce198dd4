"""Loading a Python object that a spec names. This runs the code of the object's module."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from tunefront.mistakes import nearest
from tunefront.printable import shown
from tunefront.spaces.settings import SpaceError


def load_object(reference: str, key: str = "space") -> Any:
    """Return the object that ``module:object`` or ``path/to/file.py:object`` names; of a class, an instance.

    The module is looked for in the current folder first; modules that it imports are looked for there last. This runs
    the module's code once.

    Raises:
        SpaceError: Under `key`, if it is not written so, is not there, or raises.
    """
    where, name = split_reference(reference, key)
    is_file = where.endswith(".py")
    if is_file and not Path(where).is_file():  # opening a pipe would wait for ever
        raise SpaceError(key, f"there is no file {where!r} (looked for in {Path.cwd()})")
    try:
        found: Any = _load_file(Path(where).resolve()) if is_file else _load_module(where)
    except (Exception, SystemExit) as error:  # a script may call sys.exit when it is imported
        raise SpaceError(key, f"{reference}: importing {where!r} raised {describe_error(error)}") from error
    for part in name.split("."):
        if not hasattr(found, part):
            names = [known for known in vars(found) if not known.startswith("_")]
            raise SpaceError(key, f"{where} has no {shown(name)}. {nearest(name, names)}")
        found = getattr(found, part)
    if not isinstance(found, type):
        return found
    try:
        return found()
    except Exception as error:
        raise SpaceError(key, f"{reference}: {name}() raised {describe_error(error)}") from error


def split_reference(reference: str, key: str) -> tuple[str, str]:
    """Return the file or module of an object, and its name there."""
    where, colon, name = reference.rpartition(":")
    if not colon or not where or not name:
        raise SpaceError(key, f'{reference!r} names no object: write "module:object" or "path/to/file.py:object"')
    return where, name


@functools.cache
def _load_file(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"tunefront_own_{file.stem}", file)
    assert spec is not None  # the name ends in .py
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _load_module(name: str) -> Any:
    folder, top = str(Path.cwd()), name.partition(".")[0]
    own_names = _find_neighbours(folder)
    found = PathFinder.find_spec(top, [folder])
    if found is not None and top in sys.modules:
        _check_same(sys.modules[top], found)
    elif found is not None:
        own_names.add(top)
        sys.modules[top] = module = importlib.util.module_from_spec(found)
        try:
            if found.loader is not None:  # a folder without __init__.py has none
                found.loader.exec_module(module)
        except BaseException:
            del sys.modules[top]
            raise
    return importlib.import_module(name)


def _check_same(loaded: ModuleType, found: ModuleSpec) -> None:
    """Refuse a module of tunefront or Python that has the name of one in the current folder."""
    file = getattr(loaded, "__file__", None)
    if found.origin and (file is None or os.path.realpath(file) != os.path.realpath(found.origin)):
        name = Path(found.origin).name if not found.submodule_search_locations else "PATH.py"
        raise ImportError(f'another module has this name: write the file as "{name}:OBJECT", or rename it')


@functools.cache
def _find_neighbours(folder: str) -> set[str]:
    """Let the modules of `folder` import each other, now and when they are called; return their names.

    Other importers, such as Keras, do not get a file ``random.py`` or ``jax.py`` of the folder.
    """
    own_names: set[str] = set()

    class NeighbourFinder(MetaPathFinder):
        def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
            is_own = path is None and _importer() in own_names
            found = PathFinder.find_spec(name, [folder]) if is_own else None
            if found is not None:
                own_names.add(name)
            return found

    sys.meta_path.append(NeighbourFinder())
    return own_names


def _importer() -> str:
    """Return the top-level name of the importing module, read from the frames: Python gives a finder nothing else."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        top = name.partition(".")[0]
        if name != __name__ and top not in ("importlib", "_frozen_importlib", "_frozen_importlib_external"):
            return top
        frame = frame.f_back
    return ""


def describe_error(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
