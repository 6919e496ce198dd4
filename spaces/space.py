"""The space of a study: everything that may vary, how it is sampled, and how a candidate is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import optuna

from spaces.architectures import ARCHITECTURES
from spaces.augmentation import LEVELS
from spaces.candidate import Candidate, Settings
from spaces.optimizers import OPTIMIZERS
from spaces.ranges import Choice, Fixed, Range
from spaces.settings import Setting, SpaceError, name_of, nearest, parse_settings, whole

_GENERAL: Mapping[str, Setting] = {
    "architecture": name_of(Fixed("plain_cnn"), ARCHITECTURES, "an architecture"),
    "optimizer": name_of(Choice(tuple(OPTIMIZERS)), OPTIMIZERS, "an optimizer"),
    "augmentation": name_of(Choice(tuple(LEVELS)), LEVELS, "an augmentation level"),
    "batch_size": whole(Choice((32, 64, 128)), 1, 65536),
}


@dataclass(frozen=True)
class Space:
    """What may vary in a study.

    Attributes:
        general: Ranges of architecture, optimizer, augmentation and batch size.
        architectures: For each architecture that may be chosen, the ranges of its settings.
        optimizers: For each optimizer that may be chosen, the ranges of its settings.
    """

    general: Mapping[str, Range]
    architectures: Mapping[str, Mapping[str, Range]]
    optimizers: Mapping[str, Mapping[str, Range]]

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Space:
        """Read the ``[space]`` table of a spec; what it leaves out keeps its default range.

        Raises:
            SpaceError: Names the key and the remedy.
        """
        families = {**{name: a.settings for name, a in ARCHITECTURES.items()}, **OPTIMIZERS}
        for key, value in table.items():
            if key not in _GENERAL and key not in families:
                raise SpaceError(f"space.{key}", f"there is no such key. {nearest(key, [*_GENERAL, *families])}")
            if key in families and not isinstance(value, Mapping):
                raise SpaceError(
                    f"space.{key}", f"{value!r} is not a table: write [space.{key}] and its settings below"
                )
        _check_names(table)
        general = parse_settings({key: table[key] for key in table if key in _GENERAL}, _GENERAL, "space")
        architectures, optimizers = _names(general["architecture"]), _names(general["optimizer"])
        for key in table:
            if key in families and key not in (*architectures, *optimizers):
                raise SpaceError(
                    f"space.{key}",
                    f"{key!r} is not among the architectures and optimizers of this space: add it there, "
                    "or remove this table",
                )
        ranges = {
            name: parse_settings(table.get(name, {}), families[name], f"space.{name}")
            for name in (*architectures, *optimizers)
        }
        return cls(general, {name: ranges[name] for name in architectures}, {name: ranges[name] for name in optimizers})

    def suggest(self, trial: optuna.Trial) -> Candidate:
        """Sample a candidate; parameters are named ``group.name``."""
        architecture = str(self.general["architecture"].suggest(trial, "architecture.name"))
        optimizer = str(self.general["optimizer"].suggest(trial, "optimizer.name"))
        return Candidate(
            architecture=architecture,
            architecture_settings=_suggest_settings(trial, architecture, self.architectures[architecture]),
            optimizer=optimizer,
            optimizer_settings=_suggest_settings(trial, optimizer, self.optimizers[optimizer]),
            augmentation=str(self.general["augmentation"].suggest(trial, "augmentation.level")),
            batch_size=int(self.general["batch_size"].suggest(trial, "training.batch_size")),
        )

    def build(self, candidate: Candidate, image_shape: tuple[int, int, int], n_classes: int) -> Any:
        """The candidate's ``keras.Model``, not compiled: raw pixels in, class probabilities out."""
        architecture = ARCHITECTURES[candidate.architecture]
        return architecture.build(candidate.architecture_settings, image_shape, n_classes)


def _suggest_settings(trial: optuna.Trial, group: str, ranges: Mapping[str, Range]) -> Settings:
    return {name: spec_range.suggest(trial, f"{group}.{name}") for name, spec_range in ranges.items()}


def _names(spec_range: Range) -> tuple[str, ...]:
    match spec_range:
        case Fixed(value):
            return (str(value),)
        case Choice(options):
            return tuple(str(option) for option in options)
    raise AssertionError(f"names are chosen, not ranged: {spec_range}")


def _check_names(table: Mapping[str, Any]) -> None:
    """Unknown names get the nearest known one, which a list of all that is allowed would bury."""
    for key, known in (("architecture", ARCHITECTURES), ("optimizer", OPTIMIZERS), ("augmentation", LEVELS)):
        value = table.get(key, [])
        for name in value if isinstance(value, list) else [value]:
            if name not in tuple(known):
                raise SpaceError(f"space.{key}", f"there is no {key} {name!r}. {nearest(name, known)}")
