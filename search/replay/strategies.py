"""Search strategies by name: a sampler, a pruner and a number of workers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

from search.replay.choosing import SAMPLERS
from search.replay.clock import Rule
from search.replay.optuna_rules import halving, median
from search.replay.rules import NoPruning, Oracle, Pareto, SameRungDominance
from search.replay.table import RecordedTable
from search.spec_tables import ParetoTable

DEFAULT_PRUNERS = (
    "oracle", "none", "dominance", "median", "halving",
    "pareto:0.02", "pareto:0.05", "pareto:0.1", "pareto:0.2", "pareto:0.3", "pareto:0.5",
)  # fmt: skip
PRUNERS_HELP = (
    "none; oracle (knows the front, stops the rest after one epoch); dominance (by a trial at the same epoch); "
    "median and halving (Optuna's, on accuracy alone); pareto:FRONT_LOSS (tunefront's own)"
)
SAMPLERS_HELP = (
    "random is exact; tpe and nsga2 ask for points that were not recorded and get the nearest recorded candidate "
    "that was not tried yet, by the mean difference of their parameters"
)


MakeRule = Callable[[RecordedTable, int], Rule]


class StrategyError(ValueError):
    """No such sampler or pruner: what was given, and what there is."""


@dataclass(frozen=True)
class Pruner:
    """A named way to make a rule for a table, once for each repeat.

    Attributes:
        make: Of a table and the number of trials. Can be pickled, so that repeats can run in several processes.
    """

    name: str
    make: MakeRule


@dataclass(frozen=True)
class Strategy:
    """A way to search."""

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
    """Every combination, each name once; ``"pareto:0.05"`` gives a pruner its setting.

    Raises:
        StrategyError: If there is no such sampler or pruner, or a setting or number of workers is impossible.
    """
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
    """A pruner by its name, with its setting behind a colon where it has one.

    Raises:
        StrategyError: If there is no such pruner, or it has no such setting.
    """
    name, _, setting = text.strip().partition(":")
    if name in _PLAIN and not setting:
        return Pruner(name, _PLAIN[name])
    if name in _WITH_SETTING:
        make, default, low, high = _WITH_SETTING[name]
        value = _read_setting(text, setting, low, high) if setting else default
        return Pruner(f"{name}:{value:g}", partial(make, value))
    what = "takes no setting" if name in _PLAIN else "is not known"
    raise StrategyError(f"the pruner {text!r} {what}. Known: {', '.join([*_PLAIN, 'pareto:0.05', 'dominance:1.5'])}")


def _read_setting(text: str, setting: str, low: float, high: float) -> float:
    try:
        value = float(setting)
    except ValueError:
        value = math.nan
    if not low < value < high:
        raise StrategyError(f"the pruner {text!r}: give a number above {low:g} and below {high:g} after the colon")
    return value


def _make_none(table: RecordedTable, n_trials: int) -> Rule:
    return NoPruning()


def _make_oracle(table: RecordedTable, n_trials: int) -> Rule:
    return Oracle(table)


def _make_median(table: RecordedTable, n_trials: int) -> Rule:
    return median(table)


def _make_halving(table: RecordedTable, n_trials: int) -> Rule:
    return halving(table)


def _make_dominance(factor: float, table: RecordedTable, n_trials: int) -> Rule:
    return SameRungDominance(table, factor)


def _make_pareto(front_loss: float, table: RecordedTable, n_trials: int) -> Rule:
    return Pareto(table, n_trials, ParetoTable(front_loss=front_loss))


_PLAIN: dict[str, MakeRule] = {
    "none": _make_none,
    "oracle": _make_oracle,
    "median": _make_median,
    "halving": _make_halving,
}
# name -> how it is made, default, and the setting's limits, themselves excluded
_WITH_SETTING: dict[str, tuple[Callable[[float, RecordedTable, int], Rule], float, float, float]] = {
    "pareto": (_make_pareto, 0.05, 0.0, 1.0),
    "dominance": (_make_dominance, 1.5, 1.0, 1000.0),
}
