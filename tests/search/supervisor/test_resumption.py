"""Trainings that go on from their checkpoints, whoever ended: real processes and files, no Keras."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.search.checkpointed_trials import CLOCK_SECONDS, EPOCHS, StubTraining, follow_with_checkpoints
from tests.search.supervisor.outage_fixture import AwaySwitch, lines_with, wait_until
from tests.search.supervisor_fixture import SupervisorFixture, is_running, make_spec
from tunefront.search.checkpoints.trial_folder import folder_of, newest_whole
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import queue

pytestmark = [pytest.mark.usefixtures("fork_server"), pytest.mark.timeout(60)]

UNTIMED = {"time": False}  # else the seconds of training are an objective
WHOLE = [(epoch, epoch / 10) for epoch in range(1, EPOCHS + 1)]
TRAIN_SECONDS = 6 + 21 / 8  # of six epochs: 1 + epoch / 8 each
MakeFixture = Callable[..., SupervisorFixture]


@pytest.fixture
def make_fixture(tmp_path: Path) -> MakeFixture:
    def make(
        plan: Mapping[int, StubTraining] | None = None, *, n_threads: int = 1, time_limit: float = 1e4, **changes: Any
    ) -> SupervisorFixture:
        spec = make_spec(
            **{"trials": 1, "objectives": UNTIMED, **changes, "training": {"epochs": EPOCHS, "time_limit": time_limit}}
        )
        return SupervisorFixture(tmp_path, spec, plan or {}, n_threads=n_threads, trains=follow_with_checkpoints)

    return make


def has_checkpoint(fixture: SupervisorFixture, epoch: int, number: int = 0) -> bool:
    """Return whether the trial's process has written it and the store has been told."""
    return any(trial.parts[-1].checkpoint_epochs == epoch for trial in fixture.trials()[number:][:1] if trial.parts)


def curve(fixture: SupervisorFixture, number: int = 0) -> list[tuple[int, float]]:
    return [(epoch.epoch, epoch.accuracy) for epoch in fixture.trials()[number].epochs]


def trained(fixture: SupervisorFixture, number: int = 0) -> list[int]:
    """Return the epochs that the trial's processes trained, in order."""
    return [int(epoch) for epoch in (fixture.notes / f"{number}.epochs").read_text().split()]


def left(fixture: SupervisorFixture) -> list[str]:
    return sorted(path.name for path in (fixture.out / "checkpoints").glob("*"))


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


def test_a_killed_supervisors_training_goes_on(make_fixture: MakeFixture, tmp_path: Path) -> None:
    lines = [
        "from pathlib import Path",
        "from tests.search.checkpointed_trials import StubTraining, follow_with_checkpoints",
        "from tests.search.supervisor_fixture import SupervisorFixture, make_spec",
        f"spec = make_spec(trials=1, objectives={UNTIMED!r}, training={{'epochs': {EPOCHS}, 'time_limit': 1e4}})",
        "plan = {0: StubTraining(stops_after=(3,))}",
        f"folder = Path({str(tmp_path)!r})",
        "SupervisorFixture(folder, spec, plan, trains=follow_with_checkpoints).run()",
    ]
    supervisor = subprocess.Popen([sys.executable, "-c", "\n".join(lines)])
    fixture = make_fixture()
    try:
        wait_until(lambda: has_checkpoint(fixture, 3))
    finally:
        supervisor.kill()
        supervisor.wait()
    pids = [int(path.stem.split("-")[1]) for path in tmp_path.glob("notes/*.pid")]
    wait_until(lambda: not any(is_running(pid) for pid in pids))
    assert queue.sweep(fixture.study, ["anna"]) == [0]
    assert fixture.run() is Ending.DONE
    assert (curve(fixture), trained(fixture)) == (WHOLE, [1, 2, 3, 4, 5, 6])
    assert [part.ending for part in fixture.trials()[0].parts] == ["lost", "complete"]


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


# A process that is killed


def test_a_killed_process_is_tried_once_more_from_its_checkpoint(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({0: StubTraining(stops_after=(3,), how="die")})
    assert fixture.run() is Ending.DONE
    why = "killed from outside (signal 9): most likely the machine ran out of memory"
    assert fixture.view.lines[:2] == [
        f"trial 0: {why}; it is tried once more, from its checkpoint",
        "trial 0 goes on after epoch 3 of 6",
    ]
    (trial,) = fixture.trials()
    assert (curve(fixture), trained(fixture), trial.state) == (WHOLE, [1, 2, 3, 4, 5, 6], "complete")
    assert [(part.ending, part.reason) for part in trial.parts] == [("killed", why), ("complete", "")]


@pytest.mark.parametrize(
    ("training", "reason", "n_attempts"),
    [
        (StubTraining(stops_after=(3, 5), how="die"), "killed from outside (signal 9): most likely the machine ran "
         "out of memory, for the second time", 2),
        (StubTraining(stops_after=(3,), how="die", has_checkpoints=False), "killed from outside (signal 9): most "
         "likely the machine ran out of memory", 1),
        (StubTraining(stops_after=(3,), how="crash"), "crashed with SIGSEGV", 1),
    ],
)  # fmt: skip
def test_a_process_fails_when_it_is_killed_again_or_has_no_checkpoint(
    make_fixture: MakeFixture, training: StubTraining, reason: str, n_attempts: int
) -> None:
    fixture = make_fixture({0: training}, max_failures=0)
    assert fixture.run() is Ending.TOO_MANY_FAILURES
    (trial,) = fixture.trials()
    assert (trial.state, trial.reason, trial.n_attempts) == ("failed", reason, n_attempts)
    assert left(fixture) == []


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


# When something cannot be written


def test_a_training_without_room_for_checkpoints_goes_on_and_says_so(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({0: StubTraining(problem="No space left on device")})
    assert fixture.run() is Ending.DONE
    assert fixture.view.lines[0] == "trial 0 trains on without a checkpoint: No space left on device"
    assert (fixture.states(), curve(fixture)) == (["complete"], WHOLE)


def test_what_the_store_missed_of_a_checkpoint_is_told_when_it_is_back(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({0: StubTraining(stops_after=(4,), pause_seconds=0.2)})
    switch, was_away = AwaySwitch(fixture.store.engine), []

    def is_told() -> bool:
        newest = newest_whole(folder_of(fixture.out, 0))
        if not was_away and has_checkpoint(fixture, 1):
            switch.is_away = True
            was_away.append(True)
        elif switch.is_away and newest is not None and newest.epoch == 4 and lines_with(fixture, "is away"):
            switch.is_away = False
        return bool(was_away) and not switch.is_away and has_checkpoint(fixture, 4)

    assert fixture.run(is_told) is Ending.INTERRUPTED
    assert curve(fixture) == WHOLE[:4]
    second = make_fixture()
    assert second.run() is Ending.DONE
    assert (curve(second), trained(second)) == (WHOLE, [1, 2, 3, 4, 5, 6])


# What stays in the folder


def test_what_dead_runs_left_is_removed_and_what_still_waits_stays(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({1: StubTraining(stops_after=(2,))}, trials=2)
    fixture.run(lambda: has_checkpoint(fixture, 2, number=1))
    for number in (0, 7):
        folder_of(fixture.out, number).mkdir()
        (folder_of(fixture.out, number) / ".123.partial").write_text("half")
    other = make_fixture(trials=2)
    assert other.run(lambda: True) is Ending.INTERRUPTED
    assert left(other) == ["trial-1"]


def test_checkpoints_stay_when_a_result_is_refused(make_fixture: MakeFixture) -> None:
    """Another supervisor of this folder goes on from them."""
    fixture = make_fixture({0: StubTraining(pause_seconds=0.3)})
    study = fixture.study

    def take_over() -> bool:
        if has_checkpoint(fixture, 2):
            queue.sweep(study, ["anna"])
            with study.exclusively():
                assert queue.lease_next(study, 1, "bert", "cpu0")
        return bool(lines_with(fixture, "refused"))

    assert fixture.run(take_over) is Ending.INTERRUPTED
    assert (fixture.states(), left(fixture)) == (["running"], ["trial-0"])
