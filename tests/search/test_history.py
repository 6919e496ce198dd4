from __future__ import annotations

from pathlib import Path

import pytest

from search.history import History
from storage import Outcome, curves
from tests.storage.bench import MEASUREMENTS, VALUES, Bench, epoch


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench.make(f"sqlite:///{tmp_path / 'tunefront.db'}")


def run(bench: Bench, accuracies: list[float], outcome: Outcome = Outcome.COMPLETE, violation: float = -1.0) -> None:
    leased = bench.lease()
    for index, accuracy in enumerate(accuracies):
        curves.append(bench.store, leased[0], epoch(index + 1, accuracy))
    constraints = {"accuracy": violation}
    bench.finish(leased, outcome, constraints=constraints, measurements={**MEASUREMENTS, "accuracy": 0.9})


def test_finished_has_the_best_so_far_of_each_complete_trial(bench: Bench) -> None:
    run(bench, [0.3, 0.5, 0.4])
    run(bench, [0.9], Outcome.PRUNED)
    run(bench, [0.1, 0.2, 0.3], violation=0.5)
    run(bench, [0.9], Outcome.FAILED)
    bench.lease()
    found = History(bench.store, bench.study, bench.record.study_id).finished()
    assert [(trial.number, trial.best_so_far.tolist(), trial.is_feasible) for trial in found] == [
        (0, [0.3, 0.5, 0.5], True),
        (2, [0.1, 0.2, 0.3], False),
    ]
    assert found[0].values == VALUES


def test_finished_gains_what_other_workers_complete(bench: Bench) -> None:
    history = History(bench.store, bench.study, bench.record.study_id)
    assert history.finished() == []
    run(bench, [0.3])
    assert [trial.number for trial in history.finished()] == [0]
    other = Bench.make(bench.store.url)
    run(other, [0.4])
    assert [trial.number for trial in history.finished()] == [0, 1]


def test_finished_leaves_out_what_a_person_told_through_optuna(bench: Bench) -> None:
    bench.study.tell(bench.study.ask(), VALUES)
    assert History(bench.store, bench.study, bench.record.study_id).finished() == []
