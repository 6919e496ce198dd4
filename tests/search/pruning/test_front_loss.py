from __future__ import annotations

from dataclasses import replace

import pytest

from tests.storage.trial_record import trial_record
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES, Axis
from tunefront.search.pruning.front_loss import estimate_front_loss
from tunefront.search.pruning.pareto import ParetoPruner
from tunefront.storage.curves import Epoch
from tunefront.storage.trials import TrialRecord

EPOCHS = 4
OBJECTIVES: dict[Axis, Objective] = {
    "accuracy": Objective(MEASURES["accuracy"]),
    "memory": Objective(MEASURES["model_bytes"], at_most=1e6),
}


def record(number: int, accuracies: list[float], model_bytes: float) -> TrialRecord:
    """Return a trial that is complete if its curve is whole, else stopped."""
    is_complete = len(accuracies) == EPOCHS
    return trial_record(
        number,
        state="complete" if is_complete else "pruned",
        values=(max(accuracies), model_bytes) if is_complete else None,
        measurements={"model_bytes": model_bytes},
        epochs=[Epoch(index + 1, accuracy, 1.0, 0.1, {}) for index, accuracy in enumerate(accuracies)],
    )


# Half of the trials gained nothing after the first epoch. The odds of the other half grew fourfold: 50 % to 80 %.
COMPLETE = [record(number, [0.5, 0.5, 0.5, 0.8 if number % 2 else 0.5], 1000.0) for number in range(40)]
PRUNER = ParetoPruner(OBJECTIVES, EPOCHS, front_loss=0.05)


def test_nothing_was_lost_where_nothing_was_stopped() -> None:
    found = estimate_front_loss(PRUNER, COMPLETE)
    assert found is not None
    assert (found.lost, found.at_risk, found.low, found.high, found.share) == (0.0, 20.0, 0.0, 0.0, 0.0)


def test_lost_is_the_sum_of_chances() -> None:
    one = estimate_front_loss(PRUNER, [*COMPLETE, record(40, [0.5], 2000.0)])
    assert one is not None
    # To pass 80 % its odds must double more than twice. The mean is one doubling, and so is the deviation: a sixth.
    assert one.lost == pytest.approx(0.16, abs=0.02)
    assert one.at_risk == 20 + one.lost
    many = estimate_front_loss(PRUNER, [*COMPLETE, *(record(40 + n, [0.5], 2000.0) for n in range(50))])
    assert many is not None
    assert many.lost == pytest.approx(50 * one.lost)
    assert 0 < many.low < many.lost < many.high < 50


@pytest.mark.parametrize(
    ("accuracy", "model_bytes", "expected"),
    [
        (0.85, 2000.0, 1.0),  # better already
        (0.1, 500.0, 1.0),  # smaller than all
        (0.1, 2e6, 0.0),  # over the limit
        (0.01, 2000.0, 0.0),  # hopeless
    ],
)
def test_chance_of_one_that_was_stopped(accuracy: float, model_bytes: float, expected: float) -> None:
    found = estimate_front_loss(PRUNER, [*COMPLETE, record(40, [accuracy], model_bytes)])
    assert found is not None
    assert found.lost == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("accuracy", "model_bytes", "expected"),
    [
        (0.806, 2000.0, 1.0),  # better already by 0.6 points
        (0.804, 2000.0, None),  # its end must still gain a little
        (0.01, 960.0, 0.0),  # 40 bytes of 960 are less than 5 %
        (0.01, 950.0, 1.0),  # 50 of 950 are more
    ],
)
def test_what_a_finished_trial_stands_for_is_not_lost(
    accuracy: float, model_bytes: float, expected: float | None
) -> None:
    pruner = replace(PRUNER, uses_tolerance=True)
    found = estimate_front_loss(pruner, [*COMPLETE, record(40, [accuracy], model_bytes)])
    assert found is not None
    if expected is None:
        assert 0.5 < found.lost < 1.0
    else:
        assert found.lost == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("at_least", [None, 0.6, 0.8])
def test_a_limit_of_accuracy_is_one_more_thing_to_pass(at_least: float | None) -> None:
    objectives = {**OBJECTIVES, "accuracy": Objective(MEASURES["accuracy"], at_least=at_least)}
    pruner = ParetoPruner(objectives, EPOCHS, front_loss=0.05)
    found = estimate_front_loss(pruner, [*COMPLETE, record(40, [0.5], 500.0)])  # smaller than all
    assert found is not None
    # By symmetry about one doubling, half pass 67 %; 60 % is passed by more, 80 % by a sixth.
    assert found.lost == pytest.approx({None: 1.0, 0.6: 0.66, 0.8: 0.16}[at_least], abs=0.03)


def test_a_limit_of_time_counts_with_the_chance_to_keep_it() -> None:
    """Half of forty trials that were as far after an epoch needed 4 s in all, and half 8 s."""
    timed = [
        TrialRecord(
            **{
                **vars(each),
                "values": (0.5, 8.0 if each.number % 2 else 4.0),
                "epochs": [
                    Epoch(index + 1, 0.5, seconds, 0.1, {})
                    for index, seconds in enumerate([1.0, 1.0, 1.0, 5.0 if each.number % 2 else 1.0])
                ],
            }
        )
        for each in COMPLETE
    ]
    for at_most, expected in ((3.0, 0.0), (5.65, 0.5), (20.0, 1.0)):
        objectives: dict[Axis, Objective] = {
            "accuracy": OBJECTIVES["accuracy"],
            "time": Objective(MEASURES["train_seconds"], at_most=at_most),
        }
        found = estimate_front_loss(ParetoPruner(objectives, EPOCHS, 0.05), [*timed, record(40, [0.9, 0.9], 1.0)])
        assert found is not None
        assert found.lost == pytest.approx(expected, abs=0.06)


def test_estimate_is_open_while_too_few_have_finished() -> None:
    assert estimate_front_loss(PRUNER, [*COMPLETE[:7], record(40, [0.5], 2000.0)]) is None


def test_estimate_of_costs_alone() -> None:
    pruner = ParetoPruner({"memory": OBJECTIVES["memory"]}, EPOCHS, 0.05)
    complete = [record(n, [0.5] * EPOCHS, 1000.0) for n in range(3)]
    complete = [TrialRecord(**{**vars(each), "values": (1000.0,)}) for each in complete]
    for model_bytes, expected in ((2000.0, 0.0), (1000.0, 1.0), (900.0, 1.0)):
        found = estimate_front_loss(pruner, [*complete, record(9, [0.5], model_bytes)])
        assert found is not None
        assert found.lost == expected
