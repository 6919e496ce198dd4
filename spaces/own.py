"""A user's own space: a Python object with `suggest` and `build`, named by a spec.

Its code runs when a candidate is asked for or built, in the supervisor and in every trial process. Reading a spec
that names it runs nothing.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import optuna

from tunefront.mistakes import nearest
from tunefront.printable import shown
from tunefront.spaces.augmentation.levels import LEVELS
from tunefront.spaces.candidate import EPOCHS_PARAMETER, Candidate, Settings, Task, with_whole_numbers
from tunefront.spaces.columns.layers import Encode
from tunefront.spaces.optimizers import OPTIMIZERS
from tunefront.spaces.ranges import Fixed, Range
from tunefront.spaces.schedules import SCHEDULES
from tunefront.spaces.settings import Setting, SpaceError
from tunefront.spaces.user_code.objects import describe_error, load_object, split_reference

_NO_KEYS = {"architecture", "image_size", "epochs", "later"}  # of `suggest`: the spec's [training] gives the epochs
_GENERAL_FIELDS = {one.name for one in fields(Candidate) if not one.name.endswith("_settings")} - _NO_KEYS


@dataclass(frozen=True)
class OwnSpace:
    """A space that a user's object defines.

    The object has ``suggest(trial)``, which returns a mapping of names to values or a whole :class:`Candidate`, and
    ``build(settings, input_shape, n_outputs)``, which returns an uncompiled ``keras.Model`` with class probabilities
    as output, or one standardised number. `build` gets the whole mapping; tunefront reads a candidate's fields and
    optimizer settings from it.

    Attributes:
        reference: The object's name in the spec.
        task: Whether the models tell classes apart or predict numbers.
        epochs: The range of the epochs of a candidate's training, which is no matter of the user's object.
    """

    reference: str
    task: Task = "classification"
    epochs: Range = field(default=Fixed(0))

    @classmethod
    def parse(cls, reference: str, task: Task = "classification") -> OwnSpace:
        """Read the name of an object; none of its code is run.

        Raises:
            SpaceError: If it is not written like the name of an object.
        """
        split_reference(reference, "space")
        return cls(reference, task)

    def with_epochs(self, epochs: Range) -> OwnSpace:
        """Return the space whose candidates train for these epochs; they are drawn last."""
        return replace(self, epochs=epochs)

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
            candidate = (chosen if isinstance(chosen, Candidate) else self._candidate(chosen)).for_task(self.task)
        except ValueError as error:
            raise SpaceError("space", f"{self.reference}: suggest returned {error}") from None
        return replace(candidate, epochs=int(self.epochs.suggest(trial, EPOCHS_PARAMETER)))

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
            raise SpaceError("space", f"{self.reference}: build raised {describe_error(error)}") from error
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
    return f"suggest raised {describe_error(error)}"


def _suggested_name(error: Exception) -> str:
    """Return the parameter's name in the call of `trial.suggest_...` that raised the error."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    names = [frame.f_locals.get("name") for frame in frames if frame.f_code.co_name.startswith("suggest_")]
    return str(names[-1]) if names else "?"
