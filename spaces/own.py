"""A user's own space: a Python object with `suggest` and `build`, named by a spec.

Its code runs when a candidate is asked for or built, in the supervisor and in every trial process. Reading a spec
that names it runs nothing.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import optuna

from tunefront.mistakes import nearest
from tunefront.printable import shown
from tunefront.spaces.augmentation.levels import LEVELS
from tunefront.spaces.candidate import Candidate, Settings, Task, with_whole_numbers
from tunefront.spaces.columns.layers import Encode
from tunefront.spaces.optimizers import OPTIMIZERS
from tunefront.spaces.ranges import Fixed
from tunefront.spaces.schedules import SCHEDULES
from tunefront.spaces.settings import Setting, SpaceError

_SETTINGS_FIELDS = ("architecture_settings", "optimizer_settings", "augmentation_settings", "schedule_settings")
_GENERAL_FIELDS = tuple(
    field.name for field in fields(Candidate) if field.name not in (*_SETTINGS_FIELDS, "architecture", "image_size")
)


@dataclass(frozen=True)
class OwnSpace:
    """A space that a user's object defines.

    The object has ``suggest(trial)``, which returns a mapping of names to values or a whole :class:`Candidate`, and
    ``build(settings, input_shape, n_outputs)``, which returns an uncompiled ``keras.Model`` with class probabilities
    as output, or one standardised number. `build` gets the whole mapping. tunefront reads from it ``optimizer``, that
    optimizer's settings such as ``learning_rate``, ``augmentation``, ``schedule`` and the other fields of a candidate.

    Attributes:
        reference: The object's name in the spec.
        task: Whether the models tell classes apart or predict numbers.
    """

    reference: str
    task: Task = "classification"

    @classmethod
    def parse(cls, reference: str, task: Task = "classification") -> OwnSpace:
        """Read the name of an object; none of its code is run.

        Raises:
            SpaceError: If it is not written like the name of an object.
        """
        _split(reference, "space")
        return cls(reference, task)

    def load(self) -> Any:
        """Return the user's object. The first time in a process, this runs its code.

        Raises:
            SpaceError: If there is no such object, or it lacks `suggest` or `build`.
        """
        return _load_space(self.reference, Path.cwd())

    @property
    def name(self) -> str:
        """The object's name, which reports show as the architecture."""
        return self.reference.rpartition(":")[2]

    def suggest(self, trial: optuna.Trial) -> Candidate:
        """Sample a candidate.

        Raises:
            SpaceError: If the user's code raises, or returns what is no candidate.
        """
        own = self.load()
        try:
            chosen = own.suggest(trial)
        except Exception as error:
            raise SpaceError("space", f"{self.reference}: {_describe(error)}") from error
        if not isinstance(chosen, Candidate | Mapping):
            raise SpaceError(
                "space",
                f"{self.reference}: suggest returned {shown(chosen)}. Let it return a dictionary of names and values",
            )
        try:
            return (chosen if isinstance(chosen, Candidate) else self._candidate(chosen)).for_task(self.task)
        except ValueError as error:
            raise SpaceError("space", f"{self.reference}: suggest returned {error}") from None

    def _candidate(self, chosen: Settings) -> Candidate:
        general = with_whole_numbers({name: chosen[name] for name in _GENERAL_FIELDS if name in chosen})
        optimizer = self._known(chosen, "optimizer", "adam", OPTIMIZERS)
        level = self._known(chosen, "augmentation", "none", LEVELS)
        schedule = self._known(chosen, "schedule", "constant", SCHEDULES)
        return Candidate(
            architecture=self.name,
            architecture_settings=dict(chosen),
            optimizer_settings={"learning_rate": 0.001, **_own_settings(chosen, OPTIMIZERS[optimizer])},
            augmentation_settings={**_defaults(LEVELS[level]), **_own_settings(chosen, LEVELS[level])},
            schedule_settings={**_defaults(SCHEDULES[schedule]), **_own_settings(chosen, SCHEDULES[schedule])},
            **{**general, "optimizer": optimizer, "augmentation": level, "schedule": schedule},
        )

    def _known(self, chosen: Settings, key: str, default: str, known: Mapping[str, Any]) -> str:
        name = str(chosen.get(key, default))
        if name not in known:
            raise SpaceError("space", f"{self.reference}: there is no {key} {shown(name)}. {nearest(name, known)}")
        return name

    def build(self, candidate: Candidate, image_shape: tuple[int, ...], n_outputs: int, _: Encode | None = None) -> Any:
        """Build the user's model, and check it. It gets the data's values as they are, with no features made of them.

        Raises:
            SpaceError: If the user's code raises, or returns no model with these outputs.
        """
        import keras

        own = self.load()
        try:
            model = own.build(candidate.architecture_settings, tuple(image_shape), n_outputs)
        except Exception as error:
            raise SpaceError("space", f"{self.reference}: build raised {_show(error)}") from error
        if not isinstance(model, keras.Model):
            raise SpaceError("space", f"{self.reference}: build returned {shown(model)}. Let it return a keras.Model")
        if not model.built:
            model.build((None, *image_shape))
        n_units = n_outputs if candidate.output == "softmax" else 1
        shape = tuple(model.compute_output_spec(keras.KerasTensor((None, *image_shape))).shape)
        if shape != (None, n_units):
            raise SpaceError(
                "space",
                f"{self.reference}: build returned a model with outputs of shape {shape}. "
                + (f"With {n_outputs} classes" if self.task == "classification" else "With numbers to predict")
                + f" and output {candidate.output!r} it must be (None, {n_units})",
            )
        return model


def _own_settings(chosen: Settings, settings: Mapping[str, Setting]) -> dict[str, Any]:
    return {name: chosen[name] for name in settings if name in chosen}


def _defaults(settings: Mapping[str, Setting]) -> dict[str, Any]:
    return {name: setting.default.value for name, setting in settings.items() if isinstance(setting.default, Fixed)}


@functools.cache
def _load_space(reference: str, folder: Path) -> Any:
    """Return the object, looked up from `folder`; a process loads it once."""
    own = load_object(reference)
    for method in ("suggest", "build"):
        if not callable(getattr(own, method, None)):
            raise SpaceError("space", f"{reference} has no method {method!r}: give it suggest(trial) and build(...)")
    return own


def load_object(reference: str, key: str = "space") -> Any:
    """Return the object that ``module:object`` or ``path/to/file.py:object`` names; of a class, an instance.

    The module is looked for in the current folder first; modules that it imports are looked for there last. This runs
    the module's code once.

    Raises:
        SpaceError: Under `key`, if it is not written so, is not there, or raises.
    """
    where, name = _split(reference, key)
    is_file = where.endswith(".py")
    if is_file and not Path(where).is_file():  # opening a pipe would wait for ever
        raise SpaceError(key, f"there is no file {where!r} (looked for in {Path.cwd()})")
    try:
        found: Any = _load_file(Path(where).resolve()) if is_file else _load_module(where)
    except (Exception, SystemExit) as error:  # a script may call sys.exit when it is imported
        raise SpaceError(key, f"{reference}: importing {where!r} raised {_show(error)}") from error
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
        raise SpaceError(key, f"{reference}: {name}() raised {_show(error)}") from error


def _split(reference: str, key: str) -> tuple[str, str]:
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


def _describe(error: Exception) -> str:
    """Return what a user's `suggest` raised; if a parameter differs from earlier trials, its name and a remedy.

    Optuna's own message has neither.
    """
    if str(error).startswith(("Cannot set different", "CategoricalDistribution does not support dynamic")):
        what = "other choices" if "dynamic" in str(error) else "another kind of range"
        return (
            f"suggest gives the parameter {shown(_suggested_name(error))} {what} than in an earlier trial, and a "
            "parameter keeps them as long as a study lives: give a parameter with others another name, such as one "
            "for each case"
        )
    return f"suggest raised {_show(error)}"


def _suggested_name(error: Exception) -> str:
    """Return the parameter's name in the call of `trial.suggest_...` that raised the error."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    names = [frame.f_locals.get("name") for frame in frames if frame.f_code.co_name.startswith("suggest_")]
    return str(names[-1]) if names else "?"


def _show(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
