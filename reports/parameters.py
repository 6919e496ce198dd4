"""Parameters for people: short names, and only those that differ between the trials shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tunefront.reports.words import chip
from tunefront.storage.trials import TrialRecord

_NAMED_BY_GROUP = ("name", "level")  # `optimizer.name` is shown as `optimizer`, because the group names it better
_SPEC_KEYS = {"image.size": "image_size", "output.activation": "output"}  # names whose last part is not the spec's key


@dataclass(frozen=True)
class Parameters:
    """The parameters of some trials under short names.

    ``nadam.learning_rate`` and ``sgd.learning_rate`` both become ``learning_rate``, because a trial has
    only one of them. Where a short name would stand for two parameters of one trial, both keep their full names.

    Attributes:
        differing: Short names whose values differ between trials, in the order of sampling.
        shared: Short name -> value, of the parameters whose values are the same in all trials.
        self_explanatory: Short names that need not be shown beside their values: "adam" is an optimizer.
    """

    differing: tuple[str, ...]
    shared: Mapping[str, Any]
    _by_number: Mapping[int, Mapping[str, Any]]
    self_explanatory: frozenset[str]

    @classmethod
    def of(cls, trials: Sequence[TrialRecord]) -> Parameters:
        """Compare the parameters of `trials`."""
        ambiguous = _ambiguous([trial.parameters for trial in trials])
        by_number = {
            trial.number: {_short_unless(name, ambiguous): value for name, value in trial.parameters.items()}
            for trial in trials
        }
        names = dict.fromkeys(name for values in by_number.values() for name in values)
        first = next(iter(by_number.values()), {})
        differing = {
            name: any(repr(values.get(name)) != repr(first.get(name)) for values in by_number.values())
            for name in names
        }
        return cls(
            differing=tuple(name for name in names if differing[name]),
            shared={name: first[name] for name in names if not differing[name]},
            _by_number=by_number,
            self_explanatory=frozenset(
                _short(name) for trial in trials for name in trial.parameters if name.endswith(".name")
            ),
        )

    def value(self, trial: TrialRecord, name: str) -> Any:
        """Return the trial's value of a short name; None if it has no such parameter."""
        return self._by_number[trial.number].get(name)

    def summary(self, trial: TrialRecord, names: Sequence[str] | None = None) -> str:
        """Return the trial's parameters in a line, all or those of `names`: ``nadam, learning rate 0.0078, ...``."""
        return ", ".join(self.chips(trial, names))

    def chips(self, trial: TrialRecord, names: Sequence[str] | None = None) -> list[str]:
        """Return a few words for each of the trial's parameters, all or those of `names`: ``learning rate 0.0078``."""
        values = self._by_number[trial.number]
        shown = values if names is None else [name for name in names if values.get(name) is not None]
        return [self.chip(name, values[name]) for name in shown]

    def chip(self, name: str, value: Any) -> str:
        """Return a few words for a short name and its value."""
        return chip(name, value, names_itself=name in self.self_explanatory)


def chips_of(parameters: Mapping[str, Any]) -> list[str]:
    """Return a few words for each parameter of a single trial, given by full names: ``["nadam", "batch norm"]``."""
    ambiguous = _ambiguous([parameters])
    shown = [(_short_unless(name, ambiguous), name, value) for name, value in parameters.items()]
    return [chip(short, value, names_itself=name.endswith(".name")) for short, name, value in shown]


@cache
def _short(name: str) -> str:
    if name in _SPEC_KEYS:
        return _SPEC_KEYS[name]
    group, _, last = name.rpartition(".")
    return group if last in _NAMED_BY_GROUP and group else last


def _short_unless(name: str, ambiguous: set[str]) -> str:
    return name if _short(name) in ambiguous else _short(name)


def _ambiguous(tables: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the short names that would stand for two parameters in one of the tables of parameters."""
    found = set()
    for names in {tuple(parameters) for parameters in tables}:
        short = [_short(name) for name in names]
        found |= {name for name in short if short.count(name) > 1}
    return found
