"""The `pareto` pruner stops what is dominated at best, and as much of the front as is accepted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.search.pruning.judged_trials import EPOCHS, TEN, curve, finished, objectives
from tunefront.objectives.dominance import on_front
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES, Axis
from tunefront.search.pruning.finished_trials import FinishedTrial, FinishedTrials
from tunefront.search.pruning.pareto import ParetoPruner
from tunefront.search.pruning.rungs import geometric_rungs
from tunefront.search.pruning.verdict import GO_ON
from tunefront.storage.curves import Epoch


@pytest.mark.parametrize(
    ("accuracy", "model_bytes", "epoch_seconds", "goes_on"),
    [
        (0.5, 2001.0, 1.0, False),  # at best 60 % in 10 s, and trial 0 is smaller
        (0.5, 2000.0, 1.001, False),  # trial 0 is faster
        (0.499, 2000.0, 1.0, False),  # trial 0 is more accurate
        (0.5, 2000.0, 1.0, True),  # a tie with trial 0 is not dominated
        (0.501, 2001.0, 1.001, True),  # more accurate than all
        (0.25, 1999.0, 5.0, True),  # smaller than all
        (0.25, 9999.0, 0.999, True),  # faster than all
        (0.25, 9999.0, 5.0, False),
    ],
)
def test_judge_stops_only_what_is_dominated_at_best(
    accuracy: float, model_bytes: float, epoch_seconds: float, goes_on: bool
) -> None:
    pruner = ParetoPruner(objectives(), EPOCHS, front_loss=0.05)
    verdict = pruner.judge(curve(accuracy, seconds=epoch_seconds), {"model_bytes": model_bytes}, TEN)
    assert verdict.goes_on is goes_on


def test_judge_says_who_dominates_at_which_rung_and_by_how_much() -> None:
    pruner = ParetoPruner(objectives(), EPOCHS, front_loss=0.05)
    verdict = pruner.judge(curve(0.2, 0.25, seconds=2.0), {"model_bytes": 3000.0}, TEN)
    assert verdict.reason == (
        "epoch 2: even at best (33.33 %, 3 kB, 20 s) trial 0 dominates it (60.00 %, 2 kB, 10 s): 27 points short"
    )
    assert verdict.brief == "trial 0 is better"
    tied = pruner.judge(curve(0.5, seconds=2.0), {"model_bytes": 3000.0}, TEN)
    assert tied.reason.endswith("(60.00 %, 2 kB, 10 s): no more accurate, and not cheaper")


def test_judge_names_the_most_accurate_of_those_that_dominate() -> None:
    rivals = [*TEN, finished(10, 0.8, 0.9, 2500.0, 10.0), finished(11, 0.8, 0.99, 9999.0, 10.0)]
    verdict = ParetoPruner(objectives(), EPOCHS, front_loss=0.05).judge(curve(0.1), {"model_bytes": 3000.0}, rivals)
    assert "trial 10 dominates it (90.00 %" in verdict.reason


@pytest.mark.parametrize(
    ("accuracy", "model_bytes", "epoch_seconds", "stands_for"),
    [
        (0.504, 2001.0, 1.001, "trial 0"),  # at best 60.38 %: less than half a point better
        (0.506, 2001.0, 1.0, ""),  # at best 60.57 %
        (0.5, 1905.0, 1.0, "trial 0"),  # 2000 bytes are 5 % of 1905 more, but for 5
        (0.5, 1904.0, 1.0, ""),
        (0.5, 2000.0, 0.953, "trial 0"),
        (0.5, 2000.0, 0.952, ""),
        (0.5, 2000.0, 1.0, "trial 0"),  # a tie
    ],
)
def test_a_finished_trial_that_is_as_good_within_the_tolerance_stops_another(
    accuracy: float, model_bytes: float, epoch_seconds: float, stands_for: str
) -> None:
    pruner = ParetoPruner(objectives(), EPOCHS, front_loss=0.05, uses_tolerance=True)
    verdict = pruner.judge(curve(accuracy, seconds=epoch_seconds), {"model_bytes": model_bytes}, TEN)
    assert verdict.goes_on is (not stands_for)
    assert ("is as good within the tolerance (60.00 %, 2 kB, 10 s)" in verdict.reason) is bool(stands_for)
    assert verdict.brief == (f"{stands_for} is as good" if stands_for else "")


def test_each_objective_has_its_own_tolerance() -> None:
    own = objectives(accuracy={"tolerance": 0.0}, memory={"tolerance": 0.5})
    pruner = ParetoPruner(own, EPOCHS, front_loss=0.05, uses_tolerance=True)
    assert not pruner.judge(curve(0.5), {"model_bytes": 1334.0}, TEN).goes_on
    assert pruner.judge(curve(0.5), {"model_bytes": 1333.0}, TEN).goes_on
    assert pruner.judge(curve(0.501), {"model_bytes": 1999.0}, TEN).goes_on


def test_judge_goes_on_when_too_few_have_finished() -> None:
    pruner = ParetoPruner(objectives(accuracy={"at_least": 0.99}), EPOCHS, front_loss=0.05)
    hopeless = curve(0.01, seconds=99.0)
    for n_finished in range(8):
        assert pruner.judge(hopeless, {"model_bytes": 1e9}, TEN[:n_finished]) == GO_ON
    assert not pruner.judge(hopeless, {"model_bytes": 1e9}, TEN[:8]).goes_on


def test_judge_is_careful_while_few_have_finished() -> None:
    spread = [finished(number, 0.5, 0.55 + 0.01 * number, 2000.0, 10.0) for number in range(8)]
    many = [finished(number, 0.5, 0.55 + 0.01 * (number % 8), 2000.0, 10.0) for number in range(80)]
    pruner = ParetoPruner(objectives(), EPOCHS, front_loss=0.22)
    assert not pruner.judge(curve(0.49), {"model_bytes": 3000.0}, many).goes_on
    assert pruner.judge(curve(0.49), {"model_bytes": 3000.0}, spread).goes_on


def test_judge_ignores_what_broke_a_limit() -> None:
    infeasible = [finished(number, 0.5, 0.9, 1.0, 1.0, is_feasible=False) for number in range(10)]
    pruner = ParetoPruner(objectives(), EPOCHS, front_loss=0.05)
    assert pruner.judge(curve(0.1), {"model_bytes": 5000.0}, infeasible) == GO_ON


@pytest.mark.parametrize(
    ("limits", "accuracy", "seconds", "reason"),
    [
        (
            {"accuracy": {"at_least": 0.8}},
            0.5,
            0.1,
            "epoch 1: even at best, accuracy 60.00 % breaks its limit of at least 80.00 %",
        ),
        ({"accuracy": {"at_least": 0.6}}, 0.5, 0.1, ""),
        (
            {"time": {"at_most": 5.0}},
            0.9,
            1.0,
            "epoch 1: even at best, train_seconds 10 s breaks its limit of at most 5 s",
        ),
        ({"time": {"at_most": 10.0}}, 0.9, 1.0, ""),
    ],
)
def test_judge_stops_when_a_limit_is_out_of_reach(
    limits: dict[str, dict[str, float]], accuracy: float, seconds: float, reason: str
) -> None:
    pruner = ParetoPruner(objectives(**limits), EPOCHS, front_loss=0.05)
    verdict = pruner.judge(curve(accuracy, seconds=seconds), {"model_bytes": 1.0}, TEN)
    assert (verdict.goes_on, verdict.reason) == (not reason, reason)
    assert verdict.brief == reason.partition(": ")[2]


@pytest.mark.parametrize("measure", ["latency_seconds", "compile_seconds"])
@pytest.mark.parametrize("known", [{}, "nan"])
def test_judge_never_stops_for_dominance_when_a_cost_is_unknown(measure: str, known: object) -> None:
    chosen = {**objectives(), "time": Objective(MEASURES[measure], at_most=0.001)}
    rivals = [finished(number, 0.5, 0.9, 1.0, 0.0001) for number in range(10)]
    pruner = ParetoPruner(chosen, EPOCHS, front_loss=0.05)
    measured = {"model_bytes": 5000.0, **({measure: math.nan} if known == "nan" else {})}
    assert pruner.judge(curve(0.1), measured, rivals) == GO_ON


def test_judge_uses_an_unknown_cost_once_it_is_measured() -> None:
    chosen = {**objectives(), "time": Objective(MEASURES["latency_seconds"])}
    rivals = [finished(number, 0.5, 0.9, 1.0, 0.001) for number in range(10)]
    pruner = ParetoPruner(chosen, EPOCHS, front_loss=0.05)
    measured = {"model_bytes": 5000.0, "latency_seconds": 0.002}
    assert not pruner.judge(curve(0.1), measured, rivals).goes_on


def test_judge_is_deterministic_and_leaves_the_past_alone() -> None:
    past = FinishedTrials(EPOCHS, objectives().values(), TEN)
    pruner = ParetoPruner(objectives(), EPOCHS, 0.05)
    verdicts = {pruner.judge(curve(0.2), {"model_bytes": 3000.0}, past, 12) for _ in range(3)}
    assert verdicts == {pruner.judge(curve(0.2), {"model_bytes": 3000.0}, TEN, 12)}
    assert len(past) == 10


# One and two objectives


def test_judge_of_accuracy_alone() -> None:
    pruner = ParetoPruner({"accuracy": Objective(MEASURES["accuracy"])}, EPOCHS, front_loss=0.05)
    trials = [finished(number, 0.5, 0.6) for number in range(10)]
    assert pruner.judge(curve(0.45), {}, trials).reason.endswith("dominates it (60.00 %): 4.9 points short")
    assert pruner.judge(curve(0.5), {}, trials).goes_on  # a tie
    assert pruner.judge(curve(0.55), {}, trials).goes_on


def test_judge_of_costs_alone_needs_no_curves_to_learn_from() -> None:
    chosen: dict[Axis, Objective] = {axis: o for axis, o in objectives().items() if axis != "accuracy"}
    pruner = ParetoPruner(chosen, EPOCHS, front_loss=0.05)
    one = [FinishedTrial(0, np.array([0.5] * EPOCHS), (2000.0, 10.0), True)]
    verdict = pruner.judge(curve(0.9, 0.9, seconds=2.0), {"model_bytes": 2000.0}, one)
    assert verdict.reason == "epoch 2: even at best (2 kB, 12 s) trial 0 dominates it (2 kB, 10 s)"
    assert pruner.judge(curve(0.1, 0.1, seconds=1.0), {"model_bytes": 2000.0}, one).goes_on


def test_judge_of_two_objectives() -> None:
    chosen: dict[Axis, Objective] = {axis: o for axis, o in objectives().items() if axis != "time"}
    pruner = ParetoPruner(chosen, EPOCHS, front_loss=0.05)
    trials = [finished(number, 0.5, 0.6, 2000.0) for number in range(10)]
    assert not pruner.judge(curve(0.5), {"model_bytes": 2001.0}, trials).goes_on
    assert pruner.judge(curve(0.51), {"model_bytes": 2001.0}, trials).goes_on
    assert pruner.judge(curve(0.1), {"model_bytes": 1999.0}, trials).goes_on


# Trainings that end early


def test_judge_learns_nothing_from_a_finished_trial_that_was_cut_short() -> None:
    # A person can mark a running trial as complete in optuna-dashboard, so that its curve ends early.
    short = [FinishedTrial(10 + n, np.array([0.5, 0.55]), (0.99, 2000.0, 10.0), False) for n in range(5)]
    pruner = ParetoPruner(objectives(), EPOCHS, front_loss=0.05)
    points = curve(0.5)
    assert not pruner.judge(points, {"model_bytes": 3000.0}, [*TEN, *short]).goes_on


def test_judge_learns_from_trainings_that_ended_early_up_to_their_end() -> None:
    ended = [FinishedTrial(n, np.array([0.5, 0.6]), (0.6, 2000.0, 2.0), True) for n in range(10)]
    pruner = ParetoPruner(objectives(), EPOCHS, 0.05, may_end_early=True)
    assert not pruner.judge(curve(0.3, 0.3, seconds=3.0), {"model_bytes": 3000.0}, ended).goes_on
    assert pruner.judge(curve(0.3, 0.3, 0.3, seconds=3.0), {"model_bytes": 3000.0}, ended).goes_on  # none went so far


# The accepted chance


def accepted(n_ended: int | None, n_rivals: int, front_loss: float = 0.05, epoch: int = 5) -> float:
    """Return the accepted chance, found by bisection from the accuracy that is passed with it."""
    generator = np.random.default_rng(3)
    ends = np.sort(0.5 + 0.3 * generator.random(50))
    # The more accurate, the larger: `n_rivals` are on the front, and the others are larger than the best one.
    sizes = [1e6 if n < 50 - n_rivals else 1000.0 + n for n in range(50)]
    trials = [finished(n, 0.5, end, size, 10.0) for n, (end, size) in enumerate(zip(ends, sizes, strict=True))]
    pruner = ParetoPruner(objectives(), EPOCHS, front_loss)
    past = FinishedTrials(EPOCHS, pruner.objectives.values(), trials)
    assert len(past.rival_numbers) == n_rivals
    so_far = curve(*[0.5] * epoch)
    best = pruner.optimistic_end(so_far, {"model_bytes": 1.0}, past, n_ended)[0]
    end = pruner.predict_accuracy(so_far, past)
    assert end is not None
    return end.chance_above(best)


def test_accepted_chance_is_front_loss_times_the_share_of_trials_on_the_front() -> None:
    assert accepted(100, 20) == pytest.approx(0.05 * 20 / 100, abs=1e-4)
    assert accepted(200, 50, front_loss=0.4) == pytest.approx(0.4 * 50 / 200, abs=1e-4)
    assert accepted(None, 10) == accepted(20, 10) == pytest.approx(0.05 * 10 / 50, abs=1e-4)  # those that are complete


def test_accepted_chance_is_proportional_to_the_epochs_that_are_left() -> None:
    # Nine, five and one of ten epochs are left; their mean over all epochs is a half, so that twice their share counts.
    for epoch, left in ((1, 9), (5, 5), (9, 1)):
        assert accepted(100, 20, epoch=epoch) == pytest.approx(0.05 * 20 / 100 * 2 * left / 10, abs=1e-4)


# Many orders of trials whose law is known


@pytest.mark.parametrize("front_loss", [0.05, 0.3])
def test_what_is_stopped_is_as_rarely_on_the_front_as_accepted_where_the_law_is_known(front_loss: float) -> None:
    """The law has normal gains in logits and independent costs: 120 trials in 20 orders, judged at every rung.

    What is lost of the front is at most what is accepted, although each trial is judged at every rung.
    """
    generator = np.random.default_rng(5)
    n, epochs = 120, 9
    steps = np.abs(generator.normal(0.35, 0.2, size=(n, epochs)))
    odds = generator.normal(-1.5, 1.2, size=(n, 1)) + np.cumsum(steps, axis=1)
    accuracies = 1 / (1 + np.exp(-odds))
    memory, per_epoch = 10 ** generator.normal(5, 0.7, n), 10 ** generator.normal(0, 0.5, n)
    seconds = per_epoch[:, None] * np.exp(generator.normal(0, 0.1, (n, epochs)))
    values = np.column_stack([accuracies[:, -1], memory, seconds.sum(axis=1)])
    pruner = ParetoPruner(objectives(), epochs, front_loss)
    is_on_front = on_front(values, pruner.directions)
    points = [
        [Epoch(e + 1, float(accuracies[i, e]), float(seconds[i, e]), 0.0, {}) for e in range(epochs)] for i in range(n)
    ]
    n_lost, n_stopped, n_epochs = 0, 0, 0
    for order in range(20):
        past = FinishedTrials(epochs, pruner.objectives.values())
        for position, i in enumerate(np.random.default_rng(order).permutation(n)):
            stopped = next(
                (
                    rung
                    for rung in geometric_rungs(epochs, 1)
                    if not pruner.judge(points[i][:rung], {"model_bytes": memory[i]}, past, position).goes_on
                ),
                None,
            )
            n_epochs += stopped or epochs
            n_stopped += stopped is not None
            if stopped is None:
                timing = {"train_seconds": np.cumsum(seconds[i])}
                past.add(FinishedTrial(position, accuracies[i], tuple(values[i]), True, timing))
            elif is_on_front[i]:
                n_lost += 1
    assert n_lost / (20 * is_on_front.sum()) <= front_loss
    assert n_epochs / (20 * n * epochs) < 0.75
