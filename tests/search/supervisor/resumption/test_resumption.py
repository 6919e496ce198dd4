"""Trainings that go on from their checkpoints, whoever ended: real processes and files, no Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.search.checkpointed_trials import CLOCK_SECONDS, EPOCHS, StubTraining, follow_with_checkpoints
from tests.search.supervisor.choice_fixture import MakeFixture
from tests.search.supervisor.outage_fixture import lines_with
from tests.search.supervisor.resumption.checkpointed_runs import (
    TRAIN_SECONDS,
    UNTIMED,
    WHOLE,
    curve,
    has_checkpoint,
    left,
    trained,
)
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.checkpoints.trial_folder import folder_of, newest_whole
from tunefront.search.supervisor.end_reason import Ending

pytestmark = [pytest.mark.usefixtures("fork_server"), pytest.mark.timeout(60)]


def test_an_interrupted_training_goes_on_after_its_last_checkpoint(make_fixture: MakeFixture) -> None:
    first = make_fixture({0: StubTraining(stops_after=(2,))})
    assert first.run(lambda: has_checkpoint(first, 2)) is Ending.INTERRUPTED
    assert (first.states(), curve(first), left(first)) == (["waiting"], WHOLE[:2], ["trial-0"])

    second = make_fixture({0: StubTraining(pause_seconds=0.1)})
    assert second.run() is Ending.DONE
    (trial,) = second.trials()
    assert (trial.state, curve(second), trained(second)) == ("complete", WHOLE, [1, 2, 3, 4, 5, 6])
    assert trial.values == (0.6, 1000.0)
    assert trial.measurements["train_seconds"] == TRAIN_SECONDS
    assert CLOCK_SECONDS * 2 < trial.measurements["trial_seconds"] < CLOCK_SECONDS * 3
    assert (trial.n_attempts, len(trial.parts), trial.parts[-1].resumed_epochs) == (2, 2, 2)
    assert second.view.lines[0] == "trial 0 goes on after epoch 2 of 6"
    assert not (second.out / "checkpoints").exists()  # it has ended for good
    shown = [slot for snapshot in second.view.snapshots for slot in snapshot.slots if slot.number == 0]
    assert shown[0].epoch >= 2
    assert shown[0].accuracy is not None
    assert shown[0].accuracy >= 0.2


def test_the_time_limit_of_a_trial_counts_all_its_attempts(make_fixture: MakeFixture) -> None:
    first = make_fixture({0: StubTraining(stops_after=(2,))}, time_limit=1.5 * CLOCK_SECONDS)
    first.run(lambda: has_checkpoint(first, 2))
    second = make_fixture({0: StubTraining(stops_after=(0, 3))}, time_limit=1.5 * CLOCK_SECONDS, max_failures=0)
    assert second.run() is Ending.TOO_MANY_FAILURES
    limit = f"training.time_limit = {1.5 * CLOCK_SECONDS:g} s"
    assert second.trials()[0].reason in [f"not finished within {limit} ({n} of 6 epochs done)" for n in (2, 3)]


def test_epochs_after_the_checkpoint_are_trained_again_and_stand_once(make_fixture: MakeFixture) -> None:
    first = make_fixture({0: StubTraining(stops_after=(4,))})
    assert first.run(lambda: has_checkpoint(first, 4)) is Ending.INTERRUPTED
    newest = newest_whole(folder_of(first.out, 0))
    assert newest is not None
    path = folder_of(first.out, 0) / newest.file_name
    path.write_bytes(path.read_bytes()[:-100])  # torn
    second = make_fixture()
    assert second.run() is Ending.DONE
    assert (curve(second), trained(second)) == (WHOLE, [1, 2, 3, 4, 4, 5, 6])
    assert second.trials()[0].measurements["train_seconds"] == TRAIN_SECONDS  # without what was trained in vain
    assert lines_with(second, "goes on") == ["trial 0 goes on after epoch 3 of 6"]


def test_a_process_that_cannot_go_on_from_where_it_was_to_begins_anew(make_fixture: MakeFixture) -> None:
    first = make_fixture({0: StubTraining(stops_after=(4,))})
    first.run(lambda: has_checkpoint(first, 4))
    second = make_fixture({0: StubTraining(may_resume=False, stops_after=(0, 1))})
    assert second.run(lambda: has_checkpoint(second, 1)) is Ending.INTERRUPTED
    assert curve(second) == WHOLE[:1]  # what was kept for it is void
    assert second.view.lines[0] == "trial 0 begins anew: a reason"
    third = make_fixture()
    assert third.run() is Ending.DONE
    assert (curve(third), trained(third)) == (WHOLE, [1, 2, 3, 4, 1, 2, 3, 4, 5, 6])
    (trial,) = third.trials()
    assert (trial.measurements["train_seconds"], trial.n_attempts, len(trial.parts)) == (TRAIN_SECONDS, 3, 2)


def test_a_training_of_a_confirmation_goes_on_too(tmp_path: Path) -> None:
    table = {"trials": 1, "training": {"epochs": EPOCHS, "time_limit": 1e4}}
    spec = make_spec(**table).model_copy(update={"name": "digits.confirmation", "confirms": "digits"})
    first = SupervisorFixture(tmp_path, spec, {0: StubTraining(stops_after=(2,))}, trains=follow_with_checkpoints)
    first.study.optuna.enqueue_trial({})
    assert first.run(lambda: has_checkpoint(first, 2)) is Ending.INTERRUPTED
    second = SupervisorFixture(tmp_path, spec, {}, trains=follow_with_checkpoints)
    assert second.run() is Ending.DONE
    assert (curve(second), trained(second)) == (WHOLE, [1, 2, 3, 4, 5, 6])
    assert second.view.lines[0] == "trial 0 goes on after epoch 2 of 6"


def test_a_checkpoint_of_an_attempt_that_another_machine_began_anew_after_is_not_used(tmp_path: Path) -> None:
    """Two machines without a common folder; the second one's training goes another way."""
    up, down = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6), (0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
    spec = make_spec(trials=1, objectives=UNTIMED, training={"epochs": EPOCHS, "time_limit": 1e4})

    def make(name: str, worker: str, accuracies: tuple[float, ...], stops_after: tuple[int, ...]) -> SupervisorFixture:
        (tmp_path / name).mkdir(exist_ok=True)
        plan = {0: StubTraining(stops_after=stops_after, accuracies=accuracies)}
        url = f"sqlite:///{tmp_path / 'study.db'}"
        return SupervisorFixture(tmp_path / name, spec, plan, url=url, worker_id=worker, trains=follow_with_checkpoints)

    here = make("here", "anna", up, (2,))
    assert here.run(lambda: has_checkpoint(here, 2)) is Ending.INTERRUPTED
    there = make("there", "bert", down, (3,))
    assert there.run(lambda: has_checkpoint(there, 3)) is Ending.INTERRUPTED
    assert curve(there) == [(1, 0.9), (2, 0.8), (3, 0.7)]
    again = make("here", "carl", up, ())
    assert again.run() is Ending.DONE
    assert curve(again) == WHOLE
    assert [(part.attempt, part.resumed_epochs) for part in again.trials()[0].parts] == [(3, 0)]


# Where times are compared


@pytest.mark.parametrize(
    ("changes", "goes_on"),
    [
        ({"objectives": UNTIMED}, True),
        ({"objectives": {"time": "train_seconds"}}, False),
        ({"objectives": UNTIMED, "limits": {"validation_seconds": 100.0}}, False),
    ],
)
def test_a_training_changes_the_kind_of_machine_only_where_times_are_not_compared(
    make_fixture: MakeFixture, changes: dict[str, Any], goes_on: bool
) -> None:
    first = make_fixture({0: StubTraining(stops_after=(2,))}, **changes)
    first.run(lambda: has_checkpoint(first, 2))
    second = make_fixture({}, n_threads=2, **changes)
    assert second.run() is Ending.DONE
    (trial,) = second.trials()
    assert curve(second) == WHOLE
    assert trained(second) == ([1, 2, 3, 4, 5, 6] if goes_on else [1, 2, 1, 2, 3, 4, 5, 6])
    kinds = {machine.rpartition(", ")[2] for machine in trial.machines}
    assert kinds == ({"1 thread", "2 threads"} if goes_on else {"2 threads"})
    line = second.view.lines[0]
    if goes_on:
        assert line == "trial 0 goes on after epoch 2 of 6"
    else:
        assert line.startswith("trial 0 begins anew, because times are compared: it began on ")
        assert line.endswith("2 threads")


def test_a_training_goes_on_where_times_are_compared_on_the_kind_of_machine_it_began_on(
    make_fixture: MakeFixture,
) -> None:
    objectives = {"time": "train_seconds"}
    first = make_fixture({0: StubTraining(stops_after=(2,))}, objectives=objectives)
    first.run(lambda: has_checkpoint(first, 2))
    second = make_fixture(objectives=objectives)
    assert second.run() is Ending.DONE
    assert trained(second) == [1, 2, 3, 4, 5, 6]
    assert second.trials()[0].values == (0.6, 1000.0, TRAIN_SECONDS)


# Verdicts


def test_optunas_halving_finds_its_rungs_as_if_nothing_had_happened(make_fixture: MakeFixture, tmp_path: Path) -> None:
    changes = {
        "objectives": {"time": False, "memory": False},
        "pruner": {"name": "successive_halving", "min_resource": 1, "reduction_factor": 2},
    }
    first = make_fixture({0: StubTraining(stops_after=(3,))}, **changes)
    first.run(lambda: has_checkpoint(first, 3))
    second = make_fixture(**changes)
    second.run()
    (tmp_path / "other").mkdir()
    undisturbed = SupervisorFixture(tmp_path / "other", second.spec, {}, trains=follow_with_checkpoints)
    undisturbed.run()
    found, expected = (fixture.study.optuna.get_trials()[0] for fixture in (second, undisturbed))
    assert found.intermediate_values == expected.intermediate_values == dict(WHOLE)
    rungs = {key: value for key, value in expected.system_attrs.items() if key.startswith("completed_rung_")}
    assert rungs == {"completed_rung_0": 0.1, "completed_rung_1": 0.2, "completed_rung_2": 0.4}
    assert {key: found.system_attrs[key] for key in rungs} == rungs


def test_the_pareto_rule_sees_the_epochs_that_were_kept(make_fixture: MakeFixture) -> None:
    """Judged by its fourth epoch alone, as if that were its first one, the trial would be as good as the others."""
    pruner = {"name": "pareto", "min_epochs": 1, "rung_factor": 2, "tolerance": False}  # a tie goes on
    changes = {"trials": 11, "objectives": UNTIMED, "pruner": pruner}
    accuracies = (0.1, 0.2, 0.3, 0.1, 0.1, 0.1)
    first = make_fixture({10: StubTraining(stops_after=(3,), accuracies=accuracies)}, **changes)
    first.run(lambda: has_checkpoint(first, 3, number=10))
    second = make_fixture({10: StubTraining(accuracies=accuracies)}, **changes)
    assert second.run() is Ending.DONE
    stopped = second.trials()[10]
    assert (stopped.state, curve(second, 10)) == ("pruned", list(enumerate(accuracies[:4], start=1)))
    assert stopped.reason.startswith("epoch 4: even at best (")
    assert "trial 0 dominates it" in stopped.reason
