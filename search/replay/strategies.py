"""The search strategies of a replay: a sampler, a pruner and a number of workers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

from tunefront.mistakes import TunefrontError
from tunefront.search.replay.choosers import SAMPLERS
from tunefront.search.replay.clock import Rule
from tunefront.search.replay.optuna_rules import halving, median
from tunefront.search.replay.recorded_table import RecordedTable
from tunefront.search.replay.rules import Foresight, NoPruning, Oracle, Pareto, SameRungDominance
from tunefront.search.spec.tables import ParetoTable

DEFAULT_PRUNERS = (
    "oracle", "foresight", "none", "dominance", "median", "halving",
    "pareto:0.02", "pareto:0.05", "pareto:0.1", "pareto:0.2", "pareto:0.3", "pareto:0.5",
)  # fmt: skip
MakeRule = Callable[[RecordedTable, int], Rule]


class StrategyError(TunefrontError):
    """An unknown sampler or pruner; the message names it and the known ones."""


@dataclass(frozen=True)
class Pruner:
    """A named way to make a rule for a table, once for each repeat.

    Attributes:
        make: A function of a table and the number of trials that makes the rule. It can be pickled, so that repeats can
            run in several processes.
    """

    name: str
    make: MakeRule


@dataclass(frozen=True)
class Strategy:
    """A search strategy: a sampler, a pruner and a number of workers."""

    sampler: str
    pruner: Pruner
    n_workers: int

    @property
    def name(self) -> str:
        workers = "1 worker" if self.n_workers == 1 else f"{self.n_workers} workers"
        return f"{self.sampler}, {self.pruner.name}, {workers}"


def parse_strategies(
    samplers: Sequence[str] = ("random",),
    pruners: Sequence[str] = DEFAULT_PRUNERS,
    n_workers: Sequence[int] = (4,),
) -> list[Strategy]:
    """Return every combination, each once; ``"pareto:0.05"`` gives a pruner its setting.

    Raises:
        StrategyError: If there is no such sampler or pruner, or a setting or number of workers is impossible.
    """
    for what, given in (("sampler", samplers), ("pruner", pruners), ("number of workers", n_workers)):
        if not given:
            raise StrategyError(f"there is nothing to play: give at least one {what}")
    for sampler in samplers:
        if sampler not in SAMPLERS:
            raise StrategyError(f"there is no sampler {sampler!r}. Known: {', '.join(SAMPLERS)}")
    for number in n_workers:
        if number < 1:
            raise StrategyError(f"{number} workers can train nothing: give 1 or more")
    by_name = {pruner.name: pruner for pruner in map(parse_pruner, pruners)}
    combinations = product(dict.fromkeys(samplers), by_name.values(), dict.fromkeys(n_workers))
    return [Strategy(*parts) for parts in combinations]


def parse_pruner(text: str) -> Pruner:
    """Return the pruner with this name, which may have settings behind colons.

    Raises:
        StrategyError: If there is no such pruner, or it has no such setting.
    """
    name, *given = text.strip().split(":")
    if name not in _PRUNERS:
        raise StrategyError(f"the pruner {text!r} is not known. Known: {_KNOWN_PRUNERS}")
    make, settings = _PRUNERS[name]
    if len(given) > len(settings):
        takes = f"at most {len(settings)} setting{'s' * (len(settings) > 1)}" if settings else "no setting"
        raise StrategyError(f"the pruner {text!r} takes {takes}. Known: {_KNOWN_PRUNERS}")
    values = [setting.read(text, value) for setting, value in zip(settings, given, strict=False)]
    shown = values or [setting.default for setting in settings if setting.default is not None]
    return Pruner(":".join([name, *(f"{value:g}" for value in shown)]), partial(make, *shown))


@dataclass(frozen=True)
class _Setting:
    """A setting behind a colon in a pruner's name.

    Attributes:
        low, high: The limits: a value is above `low`, and at most `high`.
        default: None if it can be left out.
    """

    low: float
    high: float
    default: float | None = None
    is_whole: bool = False

    def read(self, pruner: str, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not self.low < value <= self.high or (self.is_whole and value != round(value)):
            kind = "whole number" if self.is_whole else "number"
            raise StrategyError(
                f"the pruner {pruner!r}: give a {kind} above {self.low:g} and at most {self.high:g} after the colon"
            )
        return value


def _make_none(table: RecordedTable, n_trials: int) -> Rule:
    return NoPruning()


def _make_oracle(table: RecordedTable, n_trials: int) -> Rule:
    return Oracle(table)


def _make_foresight(table: RecordedTable, n_trials: int) -> Rule:
    return Foresight(table)


def _make_median(table: RecordedTable, n_trials: int) -> Rule:
    return median(table)


def _make_halving(table: RecordedTable, n_trials: int) -> Rule:
    return halving(table)


def _make_dominance(factor: float, table: RecordedTable, n_trials: int) -> Rule:
    return SameRungDominance(table, factor)


def _make_pareto(front_loss: float, *rest: Any, tolerance: bool = True) -> Rule:
    """Make the rule; `rest` is a table and a number of trials, perhaps after the first epoch that is judged."""
    *min_epochs, table, _ = rest
    settings = {"front_loss": front_loss, "tolerance": tolerance}
    settings |= {"min_epochs": int(min_epochs[0])} if min_epochs else {}
    return Pareto(table, ParetoTable.model_validate(settings))


_PARETO_SETTINGS = [_Setting(0.0, 0.5, default=ParetoTable().front_loss), _Setting(0.0, 1e6, is_whole=True)]
# name -> the function that makes its rule from its settings, a table and the number of trials; and its settings
_PRUNERS: dict[str, tuple[Callable[..., Rule], list[_Setting]]] = {
    "none": (_make_none, []),
    "oracle": (_make_oracle, []),
    "foresight": (_make_foresight, []),
    "median": (_make_median, []),
    "halving": (_make_halving, []),
    "dominance": (_make_dominance, [_Setting(1.0, 1000.0, default=1.5)]),
    "pareto": (_make_pareto, _PARETO_SETTINGS),
    "strict": (partial(_make_pareto, tolerance=False), _PARETO_SETTINGS),
}
_KNOWN_PRUNERS = ", ".join(
    [*(name for name, (_, settings) in _PRUNERS.items() if not settings), "pareto:0.1", "dominance:1.5"]
)
