"""Parameters for people: short names, and only what differs between the trials shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunefront.storage.trials import TrialRecord

_NAMING = ("name", "level")  # `optimizer.name` says which optimizer: the group is the better name
_KEYS = {"image.size": "image_size", "output.activation": "output"}  # whose last part is not the spec's key


@dataclass(frozen=True)
class Parameters:
    """The parameters of some trials under short names.

    ``nadam.learning_rate`` and ``sgd.learning_rate`` both become ``learning_rate``, because a trial has
    only one of them. A name that would then stand for two parameters of one trial stays whole.

    Attributes:
        differing: Short names whose values are not the same in all trials, in the order of sampling.
        shared: Short name -> value where they are.
    """

    differing: tuple[str, ...]
    shared: Mapping[str, Any]
    _by_number: Mapping[int, Mapping[str, Any]]
    _speaking: frozenset[str]  # whose values need no name beside them: "adam" is an optimizer

    @classmethod
    def of(cls, trials: Sequence[TrialRecord]) -> Parameters:
        """Compare the parameters of `trials`."""
        ambiguous = _ambiguous(trials)
        by_number = {trial.number: _shorten(trial, ambiguous) for trial in trials}
        names = dict.fromkeys(name for values in by_number.values() for name in values)
        distinct = {name: {repr(values.get(name)) for values in by_number.values()} for name in names}
        return cls(
            differing=tuple(name for name in names if len(distinct[name]) > 1),
            shared={name: next(iter(by_number.values()))[name] for name in names if len(distinct[name]) == 1},
            _by_number=by_number,
            _speaking=frozenset(
                _short(name) for trial in trials for name in trial.parameters if name.endswith(".name")
            ),
        )

    def value(self, trial: TrialRecord, name: str) -> Any:
        """The trial's value of a short name; None if it has no such parameter."""
        return self._by_number[trial.number].get(name)

    def summary(self, trial: TrialRecord, names: Sequence[str] | None = None) -> str:
        """The trial's parameters in a line, all or those of `names`: ``nadam, learning_rate 0.0078, ...``."""
        values = self._by_number[trial.number]
        shown = values if names is None else [name for name in names if name in values]
        return ", ".join(
            show_value(values[name]) if name in self._speaking else f"{name} {show_value(values[name])}"
            for name in shown
        )


def show_value(value: Any) -> str:
    """A parameter's value for people; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _short(name: str) -> str:
    if name in _KEYS:
        return _KEYS[name]
    group, _, last = name.rpartition(".")
    return group if last in _NAMING and group else last


def _shorten(trial: TrialRecord, ambiguous: set[str]) -> dict[str, Any]:
    return {name if _short(name) in ambiguous else _short(name): value for name, value in trial.parameters.items()}


def _ambiguous(trials: Sequence[TrialRecord]) -> set[str]:
    found = set()
    for trial in trials:
        short = [_short(name) for name in trial.parameters]
        found |= {name for name in short if short.count(name) > 1}
    return found
