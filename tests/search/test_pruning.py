from __future__ import annotations

import numpy as np
import pytest

from objectives import MEASURES, Axis, Objective
from search.pruning import GO_ON, FinishedTrial, ParetoPruner, geometric_rungs
from storage import Epoch

EPOCHS = 10


@pytest.mark.parametrize(
    ("epochs", "min_epochs", "expected"),
    [
        (12, 1, (1, 2, 3, 5, 8, 11)),
        (27, 1, (1, 2, 3, 5, 8, 11, 17, 26)),
        (10, 4, (4, 6, 9)),
        (3, 1, (1, 2)),
        (2, 1, (1,)),
        (1, 1, ()),  # nothing to save by stopping
        (5, 5, ()),
        (5, 9, ()),
    ],
)
def test_geometric_rungs(epochs: int, min_epochs: int, expected: tuple[int, ...]) -> None:
    assert geometric_rungs(epochs, min_epochs) == expected


def objectives(**limits: dict[str, float]) -> dict[Axis, Objective]:
    """Accuracy, model_bytes and train_seconds, with limits by axis."""
    measures: dict[Axis, str] = {"accuracy": "accuracy", "memory": "model_bytes", "time": "train_seconds"}
    return {axis: Objective(MEASURES[name], **limits.get(axis, {})) for axis, name in measures.items()}


def curve(*accuracies: float, seconds: float = 1.0) -> list[Epoch]:
    return [Epoch(index + 1, accuracy, seconds, 0.5, {}) for index, accuracy in enumerate(accuracies)]


def finished(number: int, first: float, last: float, *costs: float, is_feasible: bool = True) -> FinishedTrial:
    """A finished trial whose accuracy was `first` in all epochs but the last."""
    return FinishedTrial(number, np.array([first] * (EPOCHS - 1) + [last]), (last, *costs), is_feasible)


# Nine gained 0.1 from the first epoch on, one 0.2: with so few, optimism is the largest gain, 0.2.
TEN = [*(finished(number, 0.5, 0.6, 2000.0, 10.0) for number in range(9)), finished(9, 0.5, 0.7, 2000.0, 10.0)]


@pytest.mark.parametrize(
    ("accuracy", "model_bytes", "epoch_seconds", "goes_on"),
    [
        (0.5, 2001.0, 1.0, False),  # at best 0.7 in 10 s, and trial 9 is smaller
        (0.5, 2000.0, 1.001, False),  # trial 9 is faster
        (0.49, 2000.0, 1.0, False),  # trial 9 is more accurate
        (0.5, 2000.0, 1.0, True),  # a tie with trial 9 is not dominated
        (0.51, 2001.0, 1.0, True),  # may end at 0.71
        (0.3, 1999.0, 5.0, True),  # smaller than all
        (0.3, 9999.0, 0.99, True),  # faster than all
        (0.3, 9999.0, 5.0, False),
    ],
)
def test_judge_stops_only_what_is_dominated_at_best(
    accuracy: float, model_bytes: float, epoch_seconds: float, goes_on: bool
) -> None:
    pruner = ParetoPruner(objectives(), EPOCHS, front_loss=0.05)
    verdict = pruner.judge(curve(accuracy, seconds=epoch_seconds), {"model_bytes": model_bytes}, TEN)
    assert verdict.goes_on is goes_on


def test_judge_says_who_dominates() -> None:
    pruner = ParetoPruner(objectives(), EPOCHS, front_loss=0.05)
    verdict = pruner.judge(curve(0.3, 0.4, seconds=2.0), {"model_bytes": 3000.0}, TEN)
    # After two epochs at 0.4 and still 0.2 to gain: 0.6, in 2 + 2 + 8 * 2 seconds.
    assert verdict.reason == "epoch 2: even at best (60.00 %, 3 kB, 20 s) trial 0 dominates it (60.00 %, 2 kB, 10 s)"


def test_judge_goes_on_when_too_few_have_finished() -> None:
    pruner = ParetoPruner(objectives(accuracy={"at_least": 0.99}), EPOCHS, front_loss=0.05)
    hopeless = curve(0.01, seconds=99.0)
    assert pruner.judge(hopeless, {"model_bytes": 1e9}, []) == GO_ON
    assert pruner.judge(hopeless, {"model_bytes": 1e9}, TEN[:9]) == GO_ON
    assert not pruner.judge(hopeless, {"model_bytes": 1e9}, TEN).goes_on


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
            "epoch 1: even at best, accuracy 70.00 % breaks its limit of at least 80.00 %",
        ),
        ({"accuracy": {"at_least": 0.7}}, 0.5, 0.1, ""),
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


@pytest.mark.parametrize("measure", ["latency_seconds", "compile_seconds"])
def test_judge_never_stops_for_dominance_when_a_cost_is_unknown(measure: str) -> None:
    chosen = {**objectives(), "time": Objective(MEASURES[measure], at_most=0.001)}
    rivals = [finished(number, 0.5, 0.9, 1.0, 0.0001) for number in range(10)]
    pruner = ParetoPruner(chosen, EPOCHS, front_loss=0.05)
    assert pruner.judge(curve(0.1), {"model_bytes": 5000.0}, rivals) == GO_ON


def test_judge_uses_an_unknown_cost_once_it_is_measured() -> None:
    chosen = {**objectives(), "time": Objective(MEASURES["latency_seconds"])}
    rivals = [finished(number, 0.5, 0.9, 1.0, 0.001) for number in range(10)]
    pruner = ParetoPruner(chosen, EPOCHS, front_loss=0.05)
    measured = {"model_bytes": 5000.0, "latency_seconds": 0.002}
    assert not pruner.judge(curve(0.1), measured, rivals).goes_on


# The optimistic end, worked out by hand. It shows in where a limit on accuracy begins to be out of reach.


def optimistic_accuracy(points: list[Epoch], trials: list[FinishedTrial], front_loss: float) -> float:
    """Found by bisection over the limit that would just be out of reach."""
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        limited = {"accuracy": Objective(MEASURES["accuracy"], at_least=middle)}
        is_reached = ParetoPruner(limited, EPOCHS, front_loss).judge(points, {}, trials).goes_on
        low, high = (middle, high) if is_reached else (low, middle)
    return low


def gaining(gains: list[float], first: float = 0.2) -> list[FinishedTrial]:
    """Infeasible trials, which teach what is gained and dominate nothing."""
    return [finished(number, first, first + gain, is_feasible=False) for number, gain in enumerate(gains)]


@pytest.mark.parametrize(
    ("n_gains", "front_loss", "rank"),
    [
        # rank = ceil((n + 1) * (1 - front_loss)), at most n
        (10, 0.05, 10),
        (10, 0.5, 6),
        (10, 0.9, 2),
        (19, 0.05, 10),  # only the 10 nearest count: all of the same distance, so the first ones
    ],
)
def test_optimism_is_a_quantile_of_the_gains(n_gains: int, front_loss: float, rank: int) -> None:
    gains = [0.01 * (index + 1) for index in range(n_gains)]
    end = optimistic_accuracy(curve(0.2), gaining(gains), front_loss)
    assert end == pytest.approx(0.2 + 0.01 * rank, abs=1e-6)


def test_optimism_comes_from_the_half_that_was_nearest() -> None:
    low = [finished(number, 0.2, 0.7, is_feasible=False) for number in range(20)]
    high = [finished(20 + number, 0.6, 0.65, is_feasible=False) for number in range(20)]
    assert optimistic_accuracy(curve(0.58), [*low, *high], 0.05) == pytest.approx(0.63, abs=1e-6)
    assert optimistic_accuracy(curve(0.22), [*low, *high], 0.05) == pytest.approx(0.72, abs=1e-6)


def test_optimism_counts_from_the_best_epoch_so_far() -> None:
    trials = gaining([0.1] * 10, first=0.5)
    assert optimistic_accuracy(curve(0.5, 0.3), trials, 0.05) == pytest.approx(0.6, abs=1e-6)


def test_optimism_ends_at_one() -> None:
    assert optimistic_accuracy(curve(0.95), gaining([0.3] * 10, first=0.7), 0.05) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("measure", "seconds", "expected"),
    [
        ("train_seconds", [3.0, 1.0], 12.0),  # 4 s so far, and 8 epochs as fast as the fastest
        ("train_seconds", [2.0], 20.0),
        ("validation_seconds", [2.0], 5.0),  # 0.5 s an epoch
    ],
)
def test_time_is_projected_from_the_fastest_epoch(measure: str, seconds: list[float], expected: float) -> None:
    points = [Epoch(index + 1, 0.5, each, 0.5, {}) for index, each in enumerate(seconds)]
    for limit, goes_on in ((expected, True), (expected - 0.01, False)):
        chosen = {"time": Objective(MEASURES[measure], at_most=limit)}
        assert ParetoPruner(chosen, EPOCHS, 0.05).judge(points, {}, []).goes_on is goes_on


# One and two objectives


def test_judge_of_accuracy_alone() -> None:
    pruner = ParetoPruner({"accuracy": Objective(MEASURES["accuracy"])}, EPOCHS, front_loss=0.05)
    trials = [finished(number, 0.5, 0.6) for number in range(10)]
    assert not pruner.judge(curve(0.45), {}, trials).goes_on  # 0.55 at best
    assert pruner.judge(curve(0.5), {}, trials).goes_on  # a tie
    assert pruner.judge(curve(0.55), {}, trials).goes_on


def test_judge_of_costs_alone_needs_no_curves_to_learn_from() -> None:
    chosen: dict[Axis, Objective] = {axis: o for axis, o in objectives().items() if axis != "accuracy"}
    pruner = ParetoPruner(chosen, EPOCHS, front_loss=0.05)
    one = [FinishedTrial(0, np.array([0.5] * EPOCHS), (2000.0, 10.0), True)]
    assert not pruner.judge(curve(0.9, seconds=1.1), {"model_bytes": 2000.0}, one).goes_on
    assert pruner.judge(curve(0.1, seconds=1.0), {"model_bytes": 2000.0}, one).goes_on


def test_judge_of_two_objectives() -> None:
    chosen: dict[Axis, Objective] = {axis: o for axis, o in objectives().items() if axis != "time"}
    pruner = ParetoPruner(chosen, EPOCHS, front_loss=0.05)
    trials = [finished(number, 0.5, 0.6, 2000.0) for number in range(10)]
    assert not pruner.judge(curve(0.5), {"model_bytes": 2001.0}, trials).goes_on
    assert pruner.judge(curve(0.51), {"model_bytes": 2001.0}, trials).goes_on
    assert pruner.judge(curve(0.1), {"model_bytes": 1999.0}, trials).goes_on


def test_judge_bears_a_finished_trial_that_was_cut_short() -> None:
    # A person can tell a running trial complete in optuna-dashboard: its curve ends early.
    short = FinishedTrial(10, np.array([0.5, 0.55]), (0.55, 2000.0, 10.0), True)
    pruner = ParetoPruner(objectives(), EPOCHS, front_loss=0.05)
    points = curve(0.5, 0.5, 0.5, 0.5, 0.5)
    assert pruner.judge(points, {"model_bytes": 1.0}, [*TEN, short]).goes_on
    assert not pruner.judge(points, {"model_bytes": 3000.0}, [*TEN, short]).goes_on
