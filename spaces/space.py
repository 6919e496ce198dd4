"""The space of a study: everything that may vary, how it is sampled, and how a candidate is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import optuna

from tunefront.mistakes import nearest
from tunefront.printable import shown
from tunefront.spaces.architectures import ARCHITECTURES
from tunefront.spaces.augmentation.levels import LEVELS
from tunefront.spaces.candidate import NUMBER_LOSSES, Candidate, Settings, Task
from tunefront.spaces.columns.layers import Encode, flat_pixels
from tunefront.spaces.optimizers import OPTIMIZERS
from tunefront.spaces.ranges import Choice, Fixed, Range, write_range
from tunefront.spaces.schedules import SCHEDULES, monitor_problem
from tunefront.spaces.settings import (
    Setting,
    SpaceError,
    extremes,
    name_of,
    number,
    one_of,
    only,
    parse_settings,
    whole,
)

GENERAL: Mapping[str, Setting] = {
    "architecture": name_of(Fixed("plain_cnn"), ARCHITECTURES, "an architecture"),
    "optimizer": name_of(Choice(tuple(OPTIMIZERS)), OPTIMIZERS, "an optimizer"),
    "augmentation": name_of(Choice(("none", "light")), LEVELS, "an augmentation level"),
    "schedule": name_of(Fixed("constant"), SCHEDULES, "a learning-rate schedule"),
    "batch_size": whole(Choice((32, 64, 128)), 1, 65536),
    "image_size": whole(Fixed(0), 0, 4096),
    "steps_per_epoch": whole(Fixed(0), 0, 10_000_000),
    "label_smoothing": number(Fixed(0.0), above=0, below=1, zero=True),
    "l1": number(Fixed(0.0), above=0, below=10, zero=True),
    "l2": number(Fixed(0.0), above=0, below=10, zero=True),
    "class_weights": one_of(Fixed("none"), ("none", "balanced")),
    "output": one_of(Fixed("softmax"), ("softmax", "sigmoid")),
    "loss": only("cross_entropy", 'for numbers to predict write task = "regression" in [data]'),
}
_NO_CLASSES = 'task = "regression" predicts numbers, and has no classes'
_NUMBER_SETTINGS: Mapping[str, Setting] = {  # in the place of those of GENERAL
    "label_smoothing": only(0.0, _NO_CLASSES),
    "class_weights": only("none", _NO_CLASSES),
    "output": only("linear", _NO_CLASSES),
    "loss": one_of(Fixed("mse"), NUMBER_LOSSES),
}
_PARAMETER_NAMES: Mapping[str, str] = {
    "architecture": "architecture.name",
    "optimizer": "optimizer.name",
    "augmentation": "augmentation.level",
    "schedule": "schedule.name",
    "image_size": "image.size",
    "output": "output.activation",
}  # all others: training.KEY
FAMILIES: Mapping[str, Mapping[str, Mapping[str, Setting]]] = {
    "architecture": {name: architecture.settings for name, architecture in ARCHITECTURES.items()},
    "optimizer": OPTIMIZERS,
    "augmentation": LEVELS,
    "schedule": SCHEDULES,
}
FAMILY_NAMES = tuple(FAMILIES)


def parameter_name(key: str) -> str:
    """Return the parameter's name in the store for a key that every candidate has."""
    return _PARAMETER_NAMES.get(key, f"training.{key}")


def settings_of(name: str) -> Mapping[str, Setting]:
    """Return the settings of an architecture, optimizer, augmentation level or schedule."""
    return next(settings[name] for settings in FAMILIES.values() if name in settings)


@dataclass(frozen=True)
class Space:
    """The space of a study: everything that may vary.

    Attributes:
        general: Ranges of the keys that every candidate has, in a spec's space also of ``epochs``, from ``[training]``.
        families: ``architecture``, ``optimizer``, ``augmentation`` and ``schedule`` -> name that may be chosen ->
            ranges of its settings.
    """

    general: Mapping[str, Range]
    families: Mapping[str, Mapping[str, Mapping[str, Range]]]

    @classmethod
    def from_table(cls, table: Mapping[str, Any], task: Task = "classification") -> Space:
        """Read the ``[space]`` table of a spec; what it leaves out keeps its default range.

        Args:
            task: Whether the networks tell classes apart or predict numbers, which have other outputs and losses.

        Raises:
            SpaceError: Names the key and the remedy.
        """
        known = {name: settings for family in FAMILIES.values() for name, settings in family.items()}
        for key, value in table.items():
            if key not in GENERAL and key not in known:
                raise SpaceError(f"space.{key}", f"there is no such key. {nearest(key, [*GENERAL, *known])}")
            if key in known and not isinstance(value, Mapping):
                raise SpaceError(
                    f"space.{key}", f"{shown(value)} is not a table: write [space.{key}] and its settings below"
                )
        _check_names(table)
        allowed = {**GENERAL, **(_NUMBER_SETTINGS if task == "regression" else {})}
        general = parse_settings({key: table[key] for key in table if key in GENERAL}, allowed, "space")
        families = {
            family: {
                name: parse_settings(table.get(name, {}), settings[name], f"space.{name}")
                for name in _names(general[family])
            }
            for family, settings in FAMILIES.items()
        }
        _check_monitors(families["schedule"], task)
        chosen = {name for names in families.values() for name in names}
        for key in table:
            if key in known and key not in chosen:
                raise SpaceError(
                    f"space.{key}",
                    f"{key!r} is not among the {_plural_of(key)} of this space: add it there, or remove this table",
                )
        return cls(general, families)

    def with_epochs(self, epochs: Range) -> Space:
        """Return the space whose candidates train for these epochs; they are drawn last."""
        return replace(self, general={**self.general, "epochs": epochs})

    def as_table(self) -> dict[str, Any]:
        """Return the table that :meth:`from_table` reads as this space; it leaves no range to a default."""
        tables = {
            name: {setting: write_range(spec_range) for setting, spec_range in settings.items()}
            for members in self.families.values()
            for name, settings in members.items()
            if settings
        }
        return {**{key: write_range(self.general[key]) for key in GENERAL}, **tables}

    def suggest(self, trial: optuna.Trial) -> Candidate:
        """Sample a candidate; parameters are named ``group.name``."""
        chosen: dict[str, Any] = {}
        for key, spec_range in self.general.items():
            chosen[key] = spec_range.suggest(trial, parameter_name(key))
            if key in self.families:
                settings = self.families[key][chosen[key]]
                chosen[f"{key}_settings"] = _suggest_settings(trial, chosen[key], settings)
        return Candidate(**chosen)

    def build(
        self, candidate: Candidate, image_shape: tuple[int, ...], n_classes: int, encode: Encode = flat_pixels
    ) -> Any:
        """Build the candidate's ``keras.Model``, not compiled: raw pixels in, class probabilities or a number out.

        The output has shape ``(batch, n_classes)``, or ``(batch, 1)`` with one sigmoid unit, which is
        the probability of the positive class, or with one linear unit, which is a number.

        Args:
            encode: What makes features of the data's values, for an architecture that takes no images.
        """
        import keras

        inputs = keras.Input(image_shape)
        pixels = inputs
        size = candidate.image_size
        if size and (size, size) != tuple(image_shape[:2]):
            # With the layer's default, training=True, all layers behind it would run in training mode whenever the
            # model is called without `training`.
            pixels = keras.layers.Resizing(size, size)(inputs, training=False)
        architecture = ARCHITECTURES[candidate.architecture]
        values = pixels if architecture.takes_images else encode(pixels)
        features = architecture.build(candidate.architecture_settings, values)
        n_units = n_classes if candidate.output == "softmax" else 1
        name = "number" if candidate.output == "linear" else "classes"
        # Probabilities must sum to 1, so this layer computes in float32 also under mixed precision.
        outputs = keras.layers.Dense(n_units, activation=candidate.output, dtype="float32", name=name)(features)
        return keras.Model(inputs, outputs, name=candidate.architecture.lower())


def _suggest_settings(trial: optuna.Trial, group: str, ranges: Mapping[str, Range]) -> Settings:
    return {name: spec_range.suggest(trial, f"{group}.{name}") for name, spec_range in ranges.items()}


def _names(spec_range: Range) -> tuple[str, ...]:
    match spec_range:
        case Fixed(value):
            return (str(value),)
        case Choice(options):
            return tuple(str(option) for option in options)
    raise AssertionError(f"names are chosen, not ranged: {spec_range}")


def _plural_of(name: str) -> str:
    family = next(family for family, settings in FAMILIES.items() if name in settings)
    return {"augmentation": "augmentation levels"}.get(family, f"{family}s")


def _check_monitors(schedules: Mapping[str, Mapping[str, Range]], task: Task) -> None:
    """Refuse a schedule that monitors a measure of the other task, which no epoch has."""
    for name, settings in schedules.items():
        for monitor in extremes(settings["monitor"]) if "monitor" in settings else ():
            problem = monitor_problem(str(monitor), task)
            if problem:
                raise SpaceError(f"space.{name}.monitor", problem)


def _check_names(table: Mapping[str, Any]) -> None:
    """Refuse unknown names with the nearest known one, which would be lost in a list of all allowed names."""
    for key, known in FAMILIES.items():
        value = table.get(key, [])
        for name in value if isinstance(value, list) else [value]:
            if name not in tuple(known):
                raise SpaceError(f"space.{key}", f"there is no {key} {shown(name)}. {nearest(name, known)}")
