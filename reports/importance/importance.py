"""The importance of parameters for each objective, and for being on the front.

The method is PED-ANOVA: how far the values of the best trials differ from those of all complete trials. A few trials
always differ. With 60 recorded trainings, the raw shares gave most of the importance for memory to the learning rates
of rarely chosen optimizers, which have no effect on it. So only differences beyond chance count here, and only for
parameters where they are clear. The effect of chance is estimated by drawing the best trials at random.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunefront.reports.importance.divergence import MIN_DRAWS, Divergence, Draws, Values, find_divergence
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

MIN_TRIALS = 10
MOST_TRIALS = 5000  # more would tell the same, and take minutes and gigabytes
_MIN_BEST = 5  # fewer trials say nothing about a distribution
_BEST_SHARE = 1 / 3  # a tenth, Optuna's default, finds little in studies of 30 to 120 trials; so does a quarter
_BLOCK_SIZE = 8  # successive trials among which the best are drawn
_FALSE_DISCOVERY_RATE = 0.1  # also the share of studies that show a parameter though none matters

FRONT = "the front"
_CONFIRMS = "These are finalists, trained again: which parameters matter stands in the report of their search."


@dataclass(frozen=True)
class Strength:
    """A parameter's importance for one target.

    Attributes:
        strength: The divergence beyond chance, as a share of the most that there can be: 0 is chance, 1 a parameter
            that alone decides which trials are the best; 0 if it is not clear.
        is_clear: Whether the divergence is clearly larger than by chance.
        chance: The probability that chance alone makes the divergence that large.
    """

    strength: float
    is_clear: bool
    chance: float


@dataclass(frozen=True)
class Importance:
    """The importances of a study's parameters.

    Attributes:
        n_trials: The number of complete trials that importances are computed from.
        n_best: Target -> the number of its best trials.
        strengths: Parameter -> target -> strength; the most important parameter first.
        n_having: Parameter that can vary -> the number of trials that have it.
        why_none: Why there are no importances, in a sentence; empty if there are some.
        why_no_front: Why the front is no target, in a sentence; empty if it is one, or with one objective.
        n_left_out: The number of complete trials that they are not computed from, because there are so many.
    """

    n_trials: int
    n_best: Mapping[str, int]
    strengths: Mapping[str, Mapping[str, Strength]]
    n_having: Mapping[str, int]
    why_none: str = ""
    why_no_front: str = ""
    n_left_out: int = 0

    @property
    def clear(self) -> dict[str, Mapping[str, Strength]]:
        """The entries of :attr:`strengths` that are clear for at least one target."""
        return {name: row for name, row in self.strengths.items() if any(each.is_clear for each in row.values())}


def find_importance(results: StudyResults) -> Importance:
    """Compute importances from the complete trials, also those that break a limit. Equal data give equal results."""
    complete = [trial for trial in results.trials if trial.state == "complete" and trial.values]
    trials = _spread(complete, results.front_numbers)
    n_having = _count_having(trials)
    why_none = _CONFIRMS if results.study.spec.get("confirms") else _why_none(len(trials), n_having)
    if why_none:
        return Importance(len(trials), {}, {}, n_having, why_none)
    losses = _losses(results, trials)
    why_no_front = ""
    if len(results.objectives) > 1:
        is_off = np.array([float(trial.number not in results.front_numbers) for trial in trials])
        why_no_front = _why_no_front(is_off)
        if not why_no_front:
            losses[FRONT] = is_off
    best = {target: _best_trials(target, values) for target, values in losses.items()}
    strengths = _strengths(trials, sorted(n_having), best)
    most = {name: max(each.strength for each in strengths[name].values()) for name in strengths}
    strengths = {name: strengths[name] for name in sorted(strengths, key=lambda name: -most[name])}
    n_best = {target: int(is_best.sum()) for target, is_best in best.items()}
    n_left_out = len(complete) - len(trials)
    return Importance(len(trials), n_best, strengths, n_having, why_no_front=why_no_front, n_left_out=n_left_out)


def _spread(trials: Sequence[TrialRecord], front: Collection[int]) -> list[TrialRecord]:
    """Return all trials, or of very many the front, and others at equal distances in their order."""
    others = [trial for trial in trials if trial.number not in front]
    n_others = max(MOST_TRIALS - (len(trials) - len(others)), _MIN_BEST)
    if len(others) <= n_others:
        return list(trials)
    kept = {others[place * len(others) // n_others].number for place in range(n_others)}
    return [trial for trial in trials if trial.number in kept or trial.number in front]


def _count_having(trials: Sequence[TrialRecord]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for trial in trials:
        for name, distribution in trial.distributions.items():
            if not distribution.single():
                counts[name] = counts.get(name, 0) + 1
    return counts


def _why_none(n_trials: int, n_having: Mapping[str, int]) -> str:
    if n_trials < MIN_TRIALS:
        return (
            f"Importances need {MIN_TRIALS} complete trials, and there {'is' if n_trials == 1 else 'are'} {n_trials}."
        )
    return "" if n_having else "Nothing varies in this study, so nothing is important."


def _why_no_front(is_off: NDArray[np.float64]) -> str:
    n_front = int((is_off == 0).sum())
    if n_front < _MIN_BEST:
        return f"Importances for being on the front need {_MIN_BEST} trials on it, and there are {n_front}."
    return "" if is_off.any() else "Every complete trial is on the front, so no parameter decides about that."


def _losses(results: StudyResults, trials: Sequence[TrialRecord]) -> dict[str, NDArray[np.float64]]:
    """Return each objective's values as losses by the name of its axis: smaller is better."""
    return {
        results.axis_name(axis): np.array([objective.measure.loss(results.value(trial, axis)) for trial in trials])
        for axis, objective in results.objectives.items()
    }


def _best_trials(target: str, losses: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Find the best trials for a target, including those that tie with the last one."""
    if target == FRONT:
        is_on_front: NDArray[np.bool_] = losses == 0
        return is_on_front
    n_best = max(round(_BEST_SHARE * len(losses)), _MIN_BEST)
    last = float(np.partition(losses, n_best - 1)[n_best - 1])
    is_best: NDArray[np.bool_] = losses <= last
    return is_best


def _strengths(
    trials: Sequence[TrialRecord], names: Sequence[str], best: Mapping[str, NDArray[np.bool_]]
) -> dict[str, dict[str, Strength]]:
    # A sampler that learns tries better candidates later, and also shifts parameters that do not matter. So the best
    # trials are compared with others of the same time.
    draws = Draws(np.arange(len(trials)) // _BLOCK_SIZE, n_draws(len(names) * len(best)))
    values = {name: Values.of(name, trials) for name in names}
    found = {
        (name, target): find_divergence(values[name], is_best, draws)
        for name in names
        for target, is_best in best.items()
    }
    clear = _clear_pairs(found)
    # Where all of the best trials have values that no other has, their density is n / n_best times that of all trials.
    most = {target: len(is_best) / int(is_best.sum()) - 1 for target, is_best in best.items()}

    def strength(name: str, target: str) -> Strength:
        divergence, is_clear = found[name, target], (name, target) in clear and most[target] > 0
        reached = min(divergence.beyond_chance / most[target], 1.0) if is_clear else 0.0
        return Strength(reached, is_clear, divergence.chance)

    return {name: {target: strength(name, target) for target in best} for name in names}


def n_draws(n_pairs: int) -> int:
    """Return enough draws for one of `n_pairs` of parameter and target to be clear, even if one draw is as large."""
    return max(MIN_DRAWS, round(2 * n_pairs / _FALSE_DISCOVERY_RATE))


def _clear_pairs(found: Mapping[tuple[str, str], Divergence]) -> set[tuple[str, str]]:
    """Return the pairs that are clear by Benjamini and Hochberg's method; about a tenth of them are there by chance."""
    ordered = sorted(found, key=lambda key: found[key].chance)
    places = [n for n, key in enumerate(ordered, 1) if found[key].chance <= _FALSE_DISCOVERY_RATE * n / len(ordered)]
    return set(ordered[: max(places, default=0)])
