from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.search.recorded import recording, training
from tunefront.search.replay import make_table
from tunefront.search.replay.recording import RecordedTrial, RecordingError


def test_table_has_a_row_for_each_candidate() -> None:
    table = make_table(
        recording(
            training(0, [0.5, 0.4, 0.7], model_bytes=100.0, epoch_seconds=1.0, compile_seconds=2.0),
            training(1, [0.6, 0.6, 0.6], model_bytes=1000.0, epoch_seconds=2.0),
        )
    )
    assert table.best_so_far.tolist() == [[0.5, 0.5, 0.7], [0.6, 0.6, 0.6]]
    assert table.end_seconds.tolist() == [[3.0, 4.0, 5.0], [2.0, 4.0, 6.0]]
    assert table.values.tolist() == [[0.7, 100.0, 2.25], [0.6, 1000.0, 4.5]]
    assert table.is_front.tolist() == [True, False]
    assert table.known_early[0] == {"model_bytes": 100.0}
    np.testing.assert_allclose(table.points, [[0.7, 2.0, np.log10(2.25)], [0.6, 3.0, np.log10(4.5)]])
    np.testing.assert_allclose(table.reference, [0.6, 3.0, np.log10(4.5)])


def test_values_at_an_epoch_project_time_and_know_no_end() -> None:
    uneven = training(0, [0.5, 0.4, 0.7])
    slow_start = replace(uneven, curve=[replace(uneven.curve[0], train_seconds=3.0), *uneven.curve[1:]])
    table = make_table(recording(slow_start, training(1, [0.6, 0.6, 0.6])))
    assert table.values_at(1)[0].tolist() == [0.5, 1000.0, 9.0]
    assert table.values_at(2)[0].tolist() == [0.5, 1000.0, 4.5]  # 3.75 s, and 0.75 s as the fastest epoch
    latency = {"accuracy": False, "memory": False, "time": {"measure": "latency_seconds"}}
    measured = [replace(uneven, candidate=number, measurements={"latency_seconds": 1.0}) for number in range(2)]
    assert np.isnan(make_table(recording(*measured, objectives=latency)).values_at(2)).all()


@pytest.mark.parametrize(
    ("candidates", "area"),
    [
        ([0], 0.2),  # accuracy 0.3 - 0.1, times a decade of bytes
        ([1], 0.4),  # 0.8 times half a decade
        ([0, 1], 0.5),
        ([0, 1, 2], 0.7),  # 0.6 times a decade, and 0.2 times half of one
        ([], 0.0),
        ([3], 0.0),  # the worst point itself
    ],
)
def test_hypervolume_is_a_share_of_the_whole_tables(candidates: list[int], area: float) -> None:
    table = make_table(
        recording(
            training(0, [0.3, 0.3], model_bytes=1e3),
            training(1, [0.2, 0.9], model_bytes=10**3.5),
            training(2, [0.4, 0.7], model_bytes=1e3),
            training(3, [0.1, 0.1], model_bytes=1e4),
            objectives={"accuracy": {"measure": "accuracy"}, "memory": {"measure": "model_bytes"}, "time": False},
        )
    )
    assert table.hypervolume(candidates) == pytest.approx(area / 0.7)


def test_a_cost_of_nothing_stands_on_a_linear_scale() -> None:
    objectives = {"accuracy": {"measure": "accuracy"}, "memory": False, "time": {"measure": "compile_seconds"}}
    table = make_table(
        recording(
            training(0, [0.5, 0.5], compile_seconds=0.0),
            training(1, [0.6, 0.6], compile_seconds=2.0),
            objectives=objectives,
        )
    )
    assert table.points[:, 1].tolist() == [0.0, 2.0]


def test_accuracy_is_the_curves_where_the_two_differ_by_digits_alone() -> None:
    trial = training(0, [0.99443, 0.9])
    measured = [replace(trial, measurements={**trial.measurements, "accuracy": value}) for value in (0.994429, 0.95)]
    table = make_table(recording(*(replace(each, candidate=number) for number, each in enumerate(measured))))
    assert table.values[:, 0].tolist() == [0.99443, 0.95]


def test_a_table_takes_the_seed_it_is_asked_for() -> None:
    trials = [training(0, [0.1, 0.2]), training(0, [0.1, 0.3], seed=1), training(1, [0.1, 0.4])]
    assert make_table(recording(*trials), seed=0).values[:, 0].tolist() == [0.2, 0.4]
    assert make_table(recording(*trials), seed=1).values[:, 0].tolist() == [0.3, 0.4]


def short(trial: RecordedTrial) -> dict[str, Any]:
    return {"curve": trial.curve[:1]}


def unmeasured(trial: RecordedTrial) -> dict[str, Any]:
    return {"measurements": {"accuracy": 0.5, "train_seconds": 1.0}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (short, "candidate 1 has 1 epochs and the spec 2: record it to the end"),
        (unmeasured, "candidate 1 has no model_bytes, which is an objective: record with another measure"),
    ],
)
def test_a_bad_table_is_named(change: Any, message: str) -> None:
    good, bad = training(0, [0.1, 0.2]), training(1, [0.1, 0.2])
    with pytest.raises(RecordingError, match=message):
        make_table(recording(good, replace(bad, **change(bad))))


def test_a_table_of_one_candidate_is_refused() -> None:
    with pytest.raises(RecordingError, match="the table has 1 candidates: a replay needs at least 2"):
        make_table(recording(training(0, [0.1, 0.2]), training(0, [0.1, 0.2], seed=1)))
