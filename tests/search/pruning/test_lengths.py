"""Trainings of different lengths: a trial is predicted from finished trials of its own length, or longer ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.storage.trial_record import trial_record
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES, Axis
from tunefront.search.pruning.finished_trials import FinishedByEpochs, FinishedTrial, FinishedTrials
from tunefront.search.pruning.front_loss import estimate_front_loss
from tunefront.search.pruning.pareto import ParetoPruner
from tunefront.storage.curves import Epoch
from tunefront.storage.trials import TrialRecord

OBJECTIVES: dict[Axis, Objective] = {
    "accuracy": Objective(MEASURES["accuracy"]),
    "time": Objective(MEASURES["train_seconds"]),
}

SHORT, LONG = 10, 50
PRUNER = ParetoPruner(OBJECTIVES, SHORT, front_loss=0.05)
LONG_PRUNER = replace(PRUNER, epochs=LONG)


def finished(number: int, last: float, n_planned: int, n_trained: int = 0) -> FinishedTrial:
    """Return a trial at 50 % up to its last epoch, a second each."""
    n_epochs = n_trained or n_planned
    curve = np.array([0.5] * (n_epochs - 1) + [last])
    seconds = {"train_seconds": np.arange(1.0, n_epochs + 1)}
    return FinishedTrial(number, curve, (last, float(n_epochs)), True, seconds, n_planned=n_planned)


# The odds of being right, 1 : 1, became 3 : 2 in ten epochs and 9 : 1 in fifty.
SHORT_ONES = [finished(number, 0.6, SHORT) for number in range(8)]
LONG_ONES = [finished(100 + number, 0.9, LONG) for number in range(8)]


def tables(*trials: FinishedTrial) -> FinishedByEpochs:
    return FinishedByEpochs(OBJECTIVES.values(), trials)


def curve(accuracy: float, n_epochs: int, seconds: float = 1.0) -> list[Epoch]:
    return [Epoch(number, accuracy, seconds, 0.1, {}) for number in range(1, n_epochs + 1)]


def expected_end(pruner: ParetoPruner, found: FinishedTrials, n_epochs: int = 2) -> float | None:
    """Return the expected accuracy at the end of a trial at 25 %, odds of 1 : 3."""
    end = pruner.predict_accuracy(curve(0.25, n_epochs), found)
    return None if end is None else 1 / (1 + float(np.exp(-end.expected)))


def test_a_trial_is_predicted_from_its_own_length_once_eight_have_finished() -> None:
    both = tables(*SHORT_ONES, *LONG_ONES)
    assert expected_end(PRUNER, both.of(SHORT)) == pytest.approx(1 / 3)  # odds of 1 : 2
    assert expected_end(LONG_PRUNER, both.of(LONG)) == pytest.approx(3 / 4)  # odds of 3 : 1


def test_a_short_trial_is_predicted_from_longer_ones_until_then() -> None:
    assert expected_end(PRUNER, tables(*LONG_ONES).of(SHORT)) == pytest.approx(3 / 4)
    mixed = expected_end(PRUNER, tables(*SHORT_ONES[:7], *LONG_ONES).of(SHORT))
    assert mixed is not None
    assert 1 / 3 < mixed < 3 / 4


def test_a_long_trial_learns_nothing_from_shorter_ones() -> None:
    short_alone = tables(*SHORT_ONES).of(LONG)
    assert expected_end(LONG_PRUNER, short_alone) is None
    # Where trainings end early, a shorter curve is a whole one, but not if it was to be shorter.
    ending = replace(LONG_PRUNER, may_end_early=True)
    assert expected_end(ending, short_alone) is None
    ended = [finished(200 + number, 0.6, LONG, n_trained=SHORT) for number in range(8)]
    assert expected_end(ending, tables(*ended).of(LONG)) == pytest.approx(1 / 3)


def test_a_short_trial_takes_what_longer_ones_took_up_to_its_last_epoch() -> None:
    found = tables(*LONG_ONES).of(SHORT)
    assert PRUNER.predict_time(curve(0.25, 4, seconds=2.0), found).lower_decile == pytest.approx(20.0)
    assert LONG_PRUNER.predict_time(curve(0.25, 4, seconds=2.0), tables(*LONG_ONES).of(LONG)).lower_decile == (
        pytest.approx(100.0)
    )


def test_a_trial_is_dominated_by_trials_of_any_length() -> None:
    both = tables(*SHORT_ONES, *LONG_ONES)
    # 60 % in 10 s or 90 % in 50 s: a long trial that would end with 75 % after 100 s is beaten by a long one, and a
    # long one that would end with 94 % by none.
    verdict = LONG_PRUNER.judge(curve(0.25, 4, seconds=2.0), {}, both.of(LONG))
    assert "(75.00 %, 100 s) trial 100 dominates it (90.00 %, 50 s)" in verdict.reason
    assert LONG_PRUNER.judge(curve(0.64, 4, seconds=2.0), {}, both.of(LONG)).goes_on
    # A short one at 70 s an epoch's worth of slowness is beaten by all; a fast one by none.
    assert "trial 100 dominates it" in PRUNER.judge(curve(0.25, 4, seconds=7.0), {}, both.of(SHORT)).reason
    assert PRUNER.judge(curve(0.25, 4, seconds=0.9), {}, both.of(SHORT)).goes_on


def test_every_length_sees_trials_that_finish_later() -> None:
    growing = tables(*SHORT_ONES)
    first = growing.of(SHORT)
    assert len(growing.of(LONG)) == 8
    growing.add(LONG_ONES[0])
    assert growing.of(SHORT) is first
    assert (len(first), len(growing.of(LONG)), len(growing.of(20))) == (9, 9, 9)
    assert first.n_planned.tolist() == [SHORT] * 8 + [LONG]
    assert FinishedTrials(SHORT, OBJECTIVES.values(), [finished(0, 0.6, 0, SHORT)]).n_planned.tolist() == [SHORT]


def test_the_loss_of_a_stopped_trial_is_that_of_its_length() -> None:
    def record(number: int, accuracies: list[float], epochs: int) -> TrialRecord:
        is_complete = len(accuracies) == epochs
        return trial_record(
            number,
            state="complete" if is_complete else "pruned",
            values=(max(accuracies), 1000.0) if is_complete else None,
            parameters={"training.epochs": epochs},
            measurements={"model_bytes": 1000.0},
            epochs=[Epoch(index + 1, accuracy, 1.0, 0.1, {}) for index, accuracy in enumerate(accuracies)],
        )

    sizes: dict[Axis, Objective] = {
        "accuracy": Objective(MEASURES["accuracy"]),
        "memory": Objective(MEASURES["model_bytes"]),
    }
    pruner = ParetoPruner(sizes, 8, front_loss=0.05)
    # In four epochs nobody gains; in eight, the odds of 1 : 1 become 4 : 1.
    complete = [record(number, [0.5] * 4, 4) for number in range(9)]
    complete += [record(10 + number, [0.5] * 7 + [0.8], 8) for number in range(9)]
    lost = [estimate_front_loss(pruner, [*complete, record(30, [0.6, 0.6], epochs)]) for epochs in (4, 8)]
    # A short trial stays at 60 %, below the front's 80 %; a long one would have come to odds of 6 : 1, or 86 %.
    assert [found and found.lost for found in lost] == [0.0, 1.0]
