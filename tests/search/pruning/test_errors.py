"""The pruner with errors, which it compares by their logarithms.

An RMSE of exp(-x) and an accuracy with logit x have the same skill x. So whatever is known to hold of accuracies holds
of errors if both lead to the same verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import optuna
import pytest

from tests.storage.trial_record import trial_record
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES, Axis
from tunefront.objectives.skill import skill_scale
from tunefront.search.pruning.accuracy_prediction import predict_end
from tunefront.search.pruning.finished_trials import FinishedTrial, FinishedTrials
from tunefront.search.pruning.front_loss import estimate_front_loss
from tunefront.search.pruning.optuna_pruners import OptunaJudge
from tunefront.search.pruning.pareto import ParetoPruner
from tunefront.search.pruning.rungs import geometric_rungs
from tunefront.search.spec.tables import MedianTable
from tunefront.storage.curves import Epoch
from tunefront.storage.trials import TrialRecord

EPOCHS = 9
RMSE = skill_scale(MEASURES["rmse"])

# measure -> its score of a skill
SCORES: dict[str, Callable[[float], float]] = {
    "accuracy": lambda skill: 1 / (1 + math.exp(-skill)),
    "rmse": lambda skill: math.exp(-skill),
    "r2": lambda skill: 1 - math.exp(-2 * skill),
}


def objectives(measure: str, limit: float | None = None) -> dict[Axis, Objective]:
    is_least = MEASURES[measure].direction == "maximize"
    first = Objective(MEASURES[measure], at_least=limit if is_least else None, at_most=None if is_least else limit)
    return {"accuracy": first, "memory": Objective(MEASURES["model_bytes"])}


def test_an_end_predicted_from_errors_worked_out_by_hand() -> None:
    # Two trials with our RMSE of 8 ended with 4 and 1: they gained 1 and 3 halvings. Mean 2, variance 2, and for a new
    # trial 2 * (1 + 1/2) = 3 squared halvings; a quarter of Student's t with one degree of freedom lies above 1.
    eight = -math.log(8)
    end = predict_end(RMSE, eight, np.full(2, eight), np.array([4.0, 1.0]), assured=8.0)
    assert RMSE.score(end.expected) == pytest.approx(2.0)
    assert end.exceeded_with(0.25) == pytest.approx(8 / 2 ** (2 + math.sqrt(3)))
    assert end.chance_above(8 / 2 ** (2 + math.sqrt(3))) == pytest.approx(0.25)
    assert end.exceeded_with(0.999) == 8.0  # never worse than now
    assert end.chance_above(8.1) == end.chance_above(math.inf) == 1.0
    assert end.chance_above(0.0) == 0.0


def curves() -> np.ndarray:
    """Return the skills of 60 learning curves that sometimes get worse, shape (60, epochs)."""
    drawn = np.random.default_rng(3)
    steps = drawn.normal(0.3, 0.25, size=(60, EPOCHS))
    return drawn.normal(-1.5, 1.0, size=(60, 1)) + np.cumsum(steps, axis=1)


def records(measure: str, is_stopped: Callable[[int], bool] = lambda number: False) -> list[TrialRecord]:
    """Return the trials of :func:`curves` with a training score, those that are stopped with three epochs."""
    sizes = 10 ** np.random.default_rng(4).normal(5, 0.5, 60)
    metric = "accuracy" if measure == "accuracy" else measure
    score, found = SCORES[measure], []
    for number, skills in enumerate(curves()):
        epochs = [
            Epoch(index + 1, score(skill), 1.0, 0.1, {metric: score(skill + 0.5)}) for index, skill in enumerate(skills)
        ]
        kept = epochs[:3] if is_stopped(number) else epochs
        best = MEASURES[measure].best(epoch.accuracy for epoch in epochs)
        measured = {"model_bytes": float(sizes[number])}
        found.append(
            trial_record(
                number,
                state="pruned" if is_stopped(number) else "complete",
                values=None if is_stopped(number) else (best, float(sizes[number])),
                measurements=measured,
                epochs=kept,
            )
        )
    return found


def verdicts(measure: str) -> list[tuple[bool, str]]:
    """Return of every trial at every rung whether it goes on, and which rival or what else stops it."""
    guessing, limit = SCORES[measure](1.0), SCORES[measure](-0.9)
    pruner = ParetoPruner(objectives(measure, limit), EPOCHS, front_loss=0.5, guessing=guessing)
    past = FinishedTrials(EPOCHS, pruner.objectives.values())
    found = []
    for trial in records(measure):
        for rung in geometric_rungs(EPOCHS, 1):
            verdict = pruner.judge(trial.epochs[:rung], trial.measurements, past, trial.number)
            words = verdict.reason.split(" ")
            by = next((words[n + 1] for n, word in enumerate(words) if word == "trial"), "")
            by = by or ("guessing" if "guessing" in words else "limit" if "limit" in words else "")
            found.append((verdict.goes_on, by))
        assert trial.values is not None
        past.add(FinishedTrial.from_epochs(trial.number, trial.epochs, trial.values, True, MEASURES[measure]))
    return found


def test_an_error_is_judged_as_the_accuracy_of_the_same_skill() -> None:
    expected = verdicts("accuracy")
    kinds = {by for _, by in expected}
    assert {"", "guessing", "limit"} < kinds  # and rivals' numbers
    assert 50 < sum(goes_on for goes_on, _ in expected) < len(expected) - 50
    assert verdicts("rmse") == expected
    assert verdicts("r2") == expected


def test_the_front_that_was_lost_is_estimated_alike() -> None:
    found = []
    for measure, score in SCORES.items():
        pruner = ParetoPruner(objectives(measure, score(-0.2)), EPOCHS, 0.05, guessing=score(-0.5))
        loss = estimate_front_loss(pruner, records(measure, lambda number: number % 3 == 2))
        assert loss is not None
        found.append((loss.lost, loss.at_risk, loss.low, loss.high))
    assert found[0][0] > 0.5
    assert found[1] == pytest.approx(found[0], rel=1e-6)
    assert found[2] == pytest.approx(found[0], rel=1e-6)


def test_a_reason_has_the_measures_unit() -> None:
    ended = [FinishedTrial(n, np.full(EPOCHS, 4.0), (4.0, 1000.0), True) for n in range(8)]
    pruner = ParetoPruner(objectives("rmse"), EPOCHS, 0.05, guessing=30.0)

    def judge(error: float, model_bytes: float = 2000.0) -> str:
        return pruner.judge([Epoch(1, error, 1.0, 0.1, {})], {"model_bytes": model_bytes}, ended).reason

    better = "epoch 1: even at best (5.5, 2 kB) trial 0 dominates it (4, 1 kB): its rmse 1.5 worse"
    assert judge(5.5) == better
    assert judge(4.0) == "epoch 1: even at best (4, 2 kB) trial 0 dominates it (4, 1 kB): no better, and not cheaper"
    assert judge(3.9) == ""
    assert judge(40.0, 500.0) == "epoch 1: even at best, 40 is no better than guessing may reach (30)"
    limited = ParetoPruner(objectives("rmse", 3.5), EPOCHS, 0.05)
    verdict = limited.judge([Epoch(1, 4.0, 1.0, 0.1, {})], {"model_bytes": 500.0}, ended)
    assert verdict.reason == "epoch 1: even at best, rmse 4 breaks its limit of at most 3.5"
    assert verdict.violations == {"rmse": 0.5}


def test_without_a_prediction_an_error_may_still_become_the_best() -> None:
    pruner = ParetoPruner(objectives("rmse"), EPOCHS, 0.05, guessing=30.0)
    one = [FinishedTrial(0, np.full(EPOCHS, 4.0), (4.0, 1000.0), True)]
    assert pruner.judge([Epoch(1, 99.0, 1.0, 0.1, {})], {"model_bytes": 2000.0}, one).goes_on


def test_optunas_median_stops_the_larger_error() -> None:
    study = optuna.create_study(direction="minimize", sampler=optuna.samplers.RandomSampler(seed=0))
    for error in (1.0, 2.0, 3.0, 4.0, 5.0):
        trial = study.ask()
        trial.report(error, 1)
        trial.report(error, 2)
        study.tell(trial, error)
    judge = OptunaJudge(MedianTable(name="median", n_startup_trials=2), EPOCHS, study, MEASURES["rmse"])

    def judged(error: float) -> tuple[bool, str]:
        running = study.ask()
        frozen = study.get_trials(deepcopy=True)[running.number]
        verdict = judge.judge(frozen, [Epoch(1, error, 1.0, 0.1, {}), Epoch(2, error, 1.0, 0.1, {})])
        return verdict.goes_on, verdict.reason

    assert judged(2.5) == (True, "")
    assert judged(3.5) == (False, "epoch 2: stopped by the median rule at rmse 3.5")
