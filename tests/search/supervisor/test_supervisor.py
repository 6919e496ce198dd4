"""The supervisor against trial processes that go wrong in every way: real processes, no Keras."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from tests.search.stub_trials import Plan, StubTrial
from tests.search.supervisor_fixture import LeapingClock, SupervisorFixture, is_running, make_spec
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.system.signals import interruptible
from tunefront.storage import queue
from tunefront.storage.database.connection import open_store
from tunefront.storage.database.locks import StoreError
from tunefront.storage.outcomes import Outcome

pytestmark = pytest.mark.usefixtures("fork_server")

MakeFixture = Callable[..., SupervisorFixture]


@pytest.fixture
def make_fixture(tmp_path: Path) -> MakeFixture:
    def make(plan: Plan | None = None, *, n_slots: int = 1, **changes: Any) -> SupervisorFixture:
        return SupervisorFixture(tmp_path, make_spec(**changes), plan or {}, n_slots=n_slots)

    return make


# When all goes well


def test_a_study_is_done_when_it_has_its_trials(make_fixture: MakeFixture) -> None:
    fixture = make_fixture(n_slots=2)
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["complete"] * 4
    for trial in fixture.trials():
        assert trial.values == (0.7, 1000.0, 3.0)
        assert [epoch.accuracy for epoch in trial.epochs] == [0.5, 0.6, 0.7]
        assert trial.measurements["trial_seconds"] > 0
        assert trial.measurements["load_average"] >= 0
        assert trial.measurements["other_slots_busy"] in (0.0, pytest.approx(1.0, abs=1.0))
        assert (trial.n_attempts, trial.worker_id, trial.slot) == (1, "anna", "")
        assert (fixture.out / "logs" / f"trial-{trial.number}.log").read_text() == f"trial {trial.number} prints\n"
    assert fixture.living_trials() == []
    assert [line.split(":")[:2] for line in sorted(fixture.view.lines)] == [
        [f"trial {number}", " complete"] for number in range(4)
    ]


def test_a_study_that_is_done_starts_nothing(make_fixture: MakeFixture) -> None:
    make_fixture().run()
    again = make_fixture({})
    assert again.run() is Ending.DONE
    assert len(again.trials()) == 4
    assert again.view.lines == []


def test_a_study_goes_on_when_it_is_given_more_trials(make_fixture: MakeFixture) -> None:
    make_fixture(trials=2).run()
    more = make_fixture(trials=3)
    assert more.run() is Ending.DONE
    assert more.states() == ["complete"] * 3


def test_a_supervisor_has_no_more_trials_under_way_than_slots(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({number: StubTrial(pause_seconds=0.15) for number in range(5)}, n_slots=2, trials=5)
    fixture.run()
    n_running = [snapshot.counts.running for snapshot in fixture.view.snapshots]
    assert max(n_running) == 2
    slots = [slot.name for slot in fixture.view.snapshots[0].slots]
    assert slots == ["cpu0", "cpu1"]


def test_trials_draw_different_candidates(make_fixture: MakeFixture) -> None:
    fixture = make_fixture()
    fixture.run()
    assert len({str(trial.parameters) for trial in fixture.trials()}) == 4


def test_results_do_not_depend_on_the_number_of_slots(tmp_path: Path) -> None:
    parameters = []
    for n_slots in (1, 3):
        (tmp_path / str(n_slots)).mkdir()
        fixture = SupervisorFixture(tmp_path / str(n_slots), make_spec(), {}, n_slots=n_slots)
        fixture.run()
        parameters.append([trial.parameters for trial in fixture.trials()])
    assert parameters[0] == parameters[1]


# When a trial goes wrong, it alone fails


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("crash by SIGSEGV", "crashed with SIGSEGV"),
        ("crash by SIGKILL", "killed from outside (signal 9): most likely the machine ran out of memory"),
        ("exit silently", "ended without a result (exit code 3)"),
        ("raise an error", "ended without a result (exit code 1)"),
        ("fail", "out of memory: 3 GB were not to be had"),
        ("send bytes", ""),
        ("send text", ""),
        ("send a list", ""),
        ("send an unknown field", ""),
        ("send an unknown kind", ""),
        ("send an epoch without content", ""),
        ("send an epoch of other fields", ""),
        ("send trained without epochs", ""),
        ("send answers that are a list", ""),
        ("send answers of other fields", ""),
        ("die in a message", ""),
    ],
)
@pytest.mark.timeout(120)
def test_one_trial_fails_alone_when_it(make_fixture: MakeFixture, behaviour: str, reason: str) -> None:
    fixture = make_fixture({1: StubTrial(behaviour)}, trials=3)
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["complete", "failed", "complete", "complete"]
    failed = fixture.trials()[1]
    assert failed.values is None
    assert failed.reason == reason or (not reason and failed.reason)
    assert any(line.startswith("trial 1: failed: ") for line in fixture.view.lines)
    assert fixture.living_trials() == []
    assert ".partial" not in str(fixture.kept_models())


@pytest.mark.timeout(120)
def test_a_trial_fails_alone_when_what_it_measures_is_no_finite_number(make_fixture: MakeFixture) -> None:
    """NaN as a value would end Optuna's study, and an infinity would be its best."""
    reasons = {
        "measure nan in accuracy": "accuracy became nan in epoch 1",
        "measure inf in accuracy": "accuracy became inf in epoch 1",
        "measure nan in metrics": "val_loss became nan in epoch 1",
        "measure -inf in metrics": "val_loss became -inf in epoch 1",
        "measure nan in trained": "train_seconds became nan",
        "measure inf in trained": "train_seconds became inf",
        f"measure {10**400} in trained": "train_seconds became too large",
        "send text as a number": "its process sent what cannot be read: train_seconds is no number but '1 s'",
    }
    fixture = make_fixture(
        {number: StubTrial(behaviour) for number, behaviour in enumerate(reasons)}, trials=1, max_failures=20
    )
    assert fixture.run() is Ending.DONE
    *failed, last = fixture.trials()
    assert [trial.reason for trial in failed] == list(reasons.values())
    assert {trial.state for trial in failed} == {"failed"}
    assert last.state == "complete"
    for trial in failed:
        assert trial.values is None
        stored = [
            *trial.measurements.values(),
            *(number for epoch in trial.epochs for number in epoch.metrics.values()),
        ]
        assert np.isfinite(stored).all()
    assert fixture.living_trials() == []


@pytest.mark.parametrize(
    ("behaviour", "n_epochs"),
    [("hang", 1), ("hang at once", 0)],
)
@pytest.mark.timeout(120)
def test_one_trial_fails_alone_when_it_takes_longer_than_the_time_limit(
    make_fixture: MakeFixture, behaviour: str, n_epochs: int
) -> None:
    fixture = make_fixture({0: StubTrial(behaviour)}, trials=2)
    fixture.clock = clock = LeapingClock(
        lambda: any(fixture.notes.glob("0-*.pid")) and len(fixture.trials()[0].epochs) == n_epochs
    )
    assert fixture.run(clock.look) is Ending.DONE
    assert fixture.states() == ["failed", "complete", "complete"]
    expected = f"not finished within training.time_limit = 60 s ({n_epochs} of 3 epochs done)"
    assert fixture.trials()[0].reason == expected
    assert fixture.living_trials() == []


@pytest.mark.parametrize("behaviour", ["fail and hang", "hang after training"])
@pytest.mark.timeout(120)
def test_the_study_goes_on_when_a_trial_does_not_end_after_its_last_word(
    make_fixture: MakeFixture, behaviour: str
) -> None:
    # After its last message the process is not needed, and frameworks can hang at their end.
    fixture = make_fixture(
        {0: StubTrial(accuracies=(0.9, 0.9, 0.9)), 1: StubTrial(behaviour)},
        trials=3,
        training={"time_limit": 600.0},  # longer than this test may take
    )
    assert fixture.run() is Ending.DONE
    assert fixture.counts().finished == 3
    assert fixture.living_trials() == []


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [("die while saving", "killed from outside"), ("fail while saving", "OSError: no space left on device")],
)
def test_a_trial_is_complete_without_a_model_when_saving_fails(
    make_fixture: MakeFixture, behaviour: str, reason: str
) -> None:
    fixture = make_fixture({0: StubTrial(behaviour)}, trials=1)
    assert fixture.run() is Ending.DONE
    trial = fixture.trials()[0]
    assert (trial.state, trial.values, trial.model_path) == ("complete", (0.7, 1000.0, 3.0), "")
    assert f"its model was not kept: {reason}" in trial.reason
    assert fixture.kept_models() == []


def test_a_trial_is_complete_without_a_model_when_it_cannot_be_given_its_name(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({}, trials=2)
    (fixture.out / "models" / "trial-0.json").mkdir(parents=True)  # nothing can be written there
    assert fixture.run() is Ending.DONE
    first, second = fixture.trials()
    assert (first.state, first.values, first.model_path) == ("complete", (0.7, 1000.0, 3.0), "")
    assert first.reason.startswith("complete, but its model was not kept: ")
    assert "trial-0.json" in first.reason
    assert (second.state, Path(second.model_path).read_text()) == ("complete", "model of trial 1")


def test_a_trial_is_complete_without_a_model_when_its_latency_is_no_number(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({0: StubTrial("measure nan in kept")}, trials=1)
    assert fixture.run() is Ending.DONE
    trial = fixture.trials()[0]
    assert (trial.state, trial.values, trial.model_path) == ("complete", (0.9, 1000.0, 1.0), "")
    assert trial.reason == "complete, but its model was not kept: latency_seconds became nan"
    assert "latency_seconds" not in trial.measurements


@pytest.mark.timeout(120)
def test_a_trial_is_complete_without_a_model_when_it_hangs_while_saving(make_fixture: MakeFixture) -> None:
    # Hanging counts like dying there: what was trained and measured is kept.
    fixture = make_fixture({0: StubTrial("hang while saving")}, trials=1)
    fixture.clock = clock = LeapingClock(lambda: "half a mod" in _partial_text(fixture))
    assert fixture.run(clock.look) is Ending.DONE
    trial = fixture.trials()[0]
    assert (trial.state, trial.values, trial.model_path) == ("complete", (0.7, 1000.0, 3.0), "")
    assert "model was not kept" in trial.reason
    assert fixture.kept_models() == []


def _partial_text(fixture: SupervisorFixture) -> str:
    path = fixture.out / "models" / ".partial-0.keras"
    return path.read_text() if path.exists() else ""


def test_a_trial_fails_when_an_objective_was_not_measured(make_fixture: MakeFixture) -> None:
    # Not every system has peak_bytes.
    fixture = make_fixture(trials=1, max_failures=0, objectives={"accuracy": "accuracy", "memory": "peak_bytes"})
    assert fixture.run() is Ending.TOO_MANY_FAILURES
    assert fixture.states() == ["failed"]
    assert "peak_bytes" in fixture.trials()[0].reason
    assert fixture.living_trials() == []


# When a trial is not worth its time


def test_a_trial_is_refused_when_it_breaks_a_limit_before_training(make_fixture: MakeFixture) -> None:
    limits = {"memory": {"measure": "model_bytes", "at_most": "1 kB"}, "accuracy": "accuracy"}
    fixture = make_fixture(
        {0: StubTrial(model_bytes=1001.0), 2: StubTrial(model_bytes=5e6)}, trials=2, objectives=limits
    )
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["refused", "complete", "refused", "complete"]
    refused = fixture.trials()[2]
    assert refused.reason == "model_bytes 5 MB breaks its limit of at most 1 kB"
    assert refused.epochs == []
    assert not refused.is_feasible
    assert fixture.trials()[1].is_feasible
    assert fixture.living_trials() == []


def test_limits_hold_on_measures_that_are_no_objectives(make_fixture: MakeFixture) -> None:
    # The stub's weights are a third of its model; its validation takes 0.75 s in all.
    limits = {"weight_bytes": 400.0, "train_seconds": 4.0}
    plan = {
        0: StubTrial(model_bytes=1500.0),
        1: StubTrial(train_seconds=2.0, accuracies=(0.9, 0.9, 0.9)),
        2: StubTrial(accuracies=(0.5, 0.5, 0.5)),
    }
    objectives = {"accuracy": "accuracy", "memory": "model_bytes", "time": "validation_seconds"}
    fixture = make_fixture(plan, trials=2, objectives=objectives, limits=limits)
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["refused", "complete", "complete"]
    trials = fixture.trials()
    assert trials[0].reason == "weight_bytes 500 B breaks its limit of at most 400 B"
    assert trials[1].reason == "train_seconds 6 s breaks its limit of at most 4 s"
    assert [trial.is_feasible for trial in trials] == [False, False, True]
    assert [trial.number for trial in trials if trial.model_path] == [2]  # the more accurate one breaks a limit


def test_a_trial_fails_when_a_measure_with_a_limit_was_not_measured(make_fixture: MakeFixture) -> None:
    fixture = make_fixture(trials=1, max_failures=0, limits={"peak_bytes": 1e9})
    assert fixture.run() is Ending.TOO_MANY_FAILURES
    assert "peak_bytes cannot be measured on this machine" in fixture.trials()[0].reason


def test_a_trial_is_pruned_when_it_is_dominated(make_fixture: MakeFixture) -> None:
    plan = {number: StubTrial(accuracies=(0.9, 0.9, 0.9)) for number in range(10)}
    plan[10] = StubTrial(accuracies=(0.5, 0.95, 0.95), model_bytes=2000.0, train_seconds=2.0)  # after its first epoch
    plan[11] = StubTrial(accuracies=(0.95, 0.5, 0.5), model_bytes=2000.0, train_seconds=2.0)
    fixture = make_fixture(plan, n_slots=1, trials=12, pruner={"name": "pareto", "min_epochs": 1})
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["complete"] * 10 + ["pruned", "complete"]
    pruned = fixture.trials()[10]
    assert [epoch.epoch for epoch in pruned.epochs] == [1]
    assert "trial 0 dominates it" in pruned.reason
    assert pruned.measurements["train_seconds"] == 2.0
    assert fixture.counts().finished == 12
    assert fixture.living_trials() == []


def test_values_outside_the_limits_are_complete_but_not_on_the_front(make_fixture: MakeFixture) -> None:
    limits = {"accuracy": {"measure": "accuracy", "at_least": 0.8}, "memory": "model_bytes"}
    fixture = make_fixture({1: StubTrial(accuracies=(0.9, 0.9, 0.9))}, trials=2, objectives=limits)
    fixture.run()
    assert [trial.is_feasible for trial in fixture.trials()] == [False, True]
    assert fixture.kept_models() == ["trial-1.keras"]


# When the study gives up


def test_the_study_stops_when_too_many_trials_fail(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({number: StubTrial("exit silently") for number in range(50)}, max_failures=2, trials=20)
    assert fixture.run() is Ending.TOO_MANY_FAILURES
    assert fixture.states() == ["failed"] * 3
    assert fixture.living_trials() == []


def test_the_study_stops_when_too_many_trials_are_refused(make_fixture: MakeFixture) -> None:
    limits = {"memory": {"measure": "model_bytes", "at_most": "1 B"}}
    fixture = make_fixture(max_refusals=3, trials=20, objectives=limits)
    assert fixture.run() is Ending.TOO_MANY_REFUSALS
    assert fixture.states() == ["refused"] * 4


def test_a_trial_under_way_goes_back_when_the_study_gives_up(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({0: StubTrial("hang"), 1: StubTrial("exit silently")}, n_slots=2, max_failures=0)
    assert fixture.run() is Ending.TOO_MANY_FAILURES
    assert fixture.states() == ["waiting", "failed"]
    assert fixture.living_trials() == []


# When it is interrupted, or killed


def test_a_signal_prints_nothing_in_the_middle_of_a_line(make_fixture: MakeFixture) -> None:
    view = make_fixture().view
    with interruptible(view.say) as is_interrupted:
        assert not is_interrupted()
        os.kill(os.getpid(), signal.SIGTERM)
        assert view.lines == []
        assert is_interrupted()
        assert is_interrupted()
    assert view.lines == ["stopping: running trials go back to the queue ..."]


def test_an_interruption_gives_trials_back_and_another_supervisor_finishes_them(make_fixture: MakeFixture) -> None:
    plan = {2: StubTrial("hang once"), 3: StubTrial("hang once")}
    first = make_fixture(plan, n_slots=2)
    ending = first.run(lambda: all((first.out / "models" / f".partial-{n}.hung").exists() for n in (2, 3)))
    assert ending is Ending.INTERRUPTED
    assert first.states() == ["complete", "complete", "waiting", "waiting"]
    assert [trial.reason for trial in first.trials()[2:]] == ["interrupted"] * 2
    assert first.living_trials() == []
    parameters = [trial.parameters for trial in first.trials()]

    second = make_fixture(plan, n_slots=2)
    second.worker_id = "bert"
    assert second.run() is Ending.DONE
    assert second.states() == ["complete"] * 4
    assert [trial.parameters for trial in second.trials()] == parameters
    assert [trial.n_attempts for trial in second.trials()] == [1, 1, 2, 2]
    assert [trial.worker_id for trial in second.trials()] == ["anna", "anna", "bert", "bert"]
    assert [len(trial.epochs) for trial in second.trials()] == [3, 3, 3, 3]


def test_a_trial_that_a_signal_to_the_whole_group_ends_goes_back(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({0: StubTrial("exit silently")})
    # The signal comes to the supervisor as its trial ends.
    is_over = lambda: any(fixture.notes.glob("*.pid")) and not fixture.living_trials()  # noqa: E731
    assert fixture.run(is_over) is Ending.INTERRUPTED
    assert fixture.states() == ["waiting"]
    assert fixture.living_trials() == []


def test_an_interruption_before_the_first_trial_starts_nothing(make_fixture: MakeFixture) -> None:
    fixture = make_fixture()
    assert fixture.run(lambda: True) is Ending.INTERRUPTED
    assert fixture.trials() == []


def test_a_late_result_is_refused_when_the_trial_was_taken_over(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({0: StubTrial(pause_seconds=0.2)}, trials=1)
    study = fixture.study

    def take_over() -> bool:
        """Let another worker, which takes this one for dead, sweep its trial and lease it."""
        if fixture.trials() and fixture.trials()[0].epochs and fixture.trials()[0].n_attempts == 1:
            queue.sweep(study, ["anna"])
            with fixture.store.exclusively():
                assert queue.lease_next(study, 1, "bert", "cpu0")
        return any("refused" in line for line in fixture.view.lines)

    assert fixture.run(take_over) is Ending.INTERRUPTED
    refused = "trial 0: result refused: another worker has taken the trial over, or a person ended it"
    assert refused in fixture.view.lines
    (trial,) = fixture.trials()
    assert (trial.state, trial.worker_id, trial.n_attempts) == ("running", "bert", 2)
    assert trial.epochs == []
    assert fixture.kept_models() == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("pruner", ["median", "successive_halving", "hyperband"])
def test_optunas_pruners_leave_alone_what_another_worker_has_finished(make_fixture: MakeFixture, pruner: str) -> None:
    """If a supervisor slept past its lease, halving would write to the trial, which Optuna refuses with an error."""
    fixture = make_fixture(
        {0: StubTrial(pause_seconds=0.4)},
        trials=1,
        objectives={"accuracy": "accuracy", "memory": False, "time": False},
        pruner={"name": pruner},
    )
    study = fixture.study
    is_taken = False

    def taken_over() -> bool:
        nonlocal is_taken
        if not is_taken and fixture.living_trials():
            is_taken = True
            assert queue.sweep(study, ["anna"]) == [0]
            with fixture.store.exclusively():
                leased = queue.lease_next(study, 1, "bert", "cpu0")
            assert leased is not None
            queue.finish(study, leased[0], Outcome.COMPLETE, values=[0.9])
        return False

    assert fixture.run(taken_over) is Ending.DONE
    assert any("result refused" in line for line in fixture.view.lines)
    assert (fixture.states(), fixture.trials()[0].worker_id) == (["complete"], "bert")


def test_a_trial_that_a_person_ends_before_it_has_started_is_left_alone(
    make_fixture: MakeFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixture = make_fixture(trials=1)
    lease_next = queue.lease_next

    def told_at_once(*arguments: Any, **options: Any) -> Any:
        leased = lease_next(*arguments, **options)
        if leased is not None:
            fixture.study.optuna.tell(leased[0].number, [0.9, 1.0, 0.1])
        return leased

    monkeypatch.setattr(queue, "lease_next", told_at_once)
    assert fixture.run() is Ending.DONE
    assert any("or a person ended it" in line for line in fixture.view.lines)
    assert fixture.states() == ["complete"]


def test_samplers_learn_of_a_stopped_trial_only_what_its_end_would_have_kept_or_broken(
    make_fixture: MakeFixture,
) -> None:
    objectives = {
        "accuracy": {"measure": "accuracy", "at_least": 0.55},
        "memory": {"measure": "model_bytes", "at_most": 1e9},
        "time": {"measure": "train_seconds", "at_most": 10.0},
    }
    plan = {number: StubTrial(accuracies=(0.5, 0.6, 0.7), train_seconds=2.0) for number in range(8)}
    fixture = make_fixture(
        {**plan, 8: StubTrial(accuracies=(0.5, 0.6, 0.7), train_seconds=50.0)},
        trials=9,
        objectives=objectives,
        pruner={"name": "pareto"},
    )
    assert fixture.run() is Ending.DONE
    assert "breaks its limit of at most 10 s" in fixture.trials()[8].reason
    (stopped,) = fixture.study.optuna.get_trials(states=(optuna.trial.TrialState.PRUNED,))
    of_accuracy, of_memory, of_time = stopped.system_attrs["constraints"]
    assert of_accuracy == 0  # nobody knows it
    assert of_memory < 0 < of_time


def test_trial_processes_die_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from tests.search.supervisor_fixture import SupervisorFixture, make_spec\n"
        "from tests.search.stub_trials import StubTrial\n"
        f"SupervisorFixture(Path({str(tmp_path)!r}), make_spec(), "
        "{n: StubTrial('hang') for n in range(9)}, n_slots=2).run()\n"
    )
    script = tmp_path / "supervise.py"
    script.write_text(f"if __name__ == '__main__':\n    {code.replace(chr(10), chr(10) + '    ')}")
    root = Path(__file__).parents[3]
    supervisor = subprocess.Popen([sys.executable, script], cwd=root, env={"PYTHONPATH": str(root)})
    try:
        _wait_until(lambda: len(list(tmp_path.glob("notes/*.pid"))) == 2 and _n_epochs(tmp_path) == 2)
    finally:
        supervisor.kill()
        supervisor.wait()
    pids = [int(path.stem.split("-")[1]) for path in tmp_path.glob("notes/*.pid")]
    _wait_until(lambda: not any(is_running(pid) for pid in pids))

    # Its running trials are swept and finished, with the same numbers.
    fixture = SupervisorFixture(tmp_path, make_spec(), {}, worker_id="bert")
    queue.sweep(fixture.study, ["anna"])
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["complete"] * 4
    assert [trial.n_attempts for trial in fixture.trials()] == [2, 2, 1, 1]


def _n_epochs(folder: Path) -> int:
    from tunefront.storage import curves, studies

    store = open_store(f"sqlite:///{folder / 'tunefront.db'}")
    return len(curves.load(studies.list_all(store)[0]))


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_supervisor_ends_with_a_message_when_its_study_is_deleted(make_fixture: MakeFixture) -> None:
    # optuna-dashboard can delete a study at any time.
    fixture = make_fixture({number: StubTrial(pause_seconds=0.1) for number in range(4)}, n_slots=2)
    deleted: list[str] = []

    def delete() -> bool:
        if fixture.view.lines and not deleted:
            deleted.append("digits")
            optuna.delete_study(study_name="digits", storage=fixture.store.optuna)
        return False

    with pytest.raises(StoreError, match="digits"):
        fixture.run(delete)
    assert fixture.living_trials() == []


# Models


def test_only_models_on_the_front_are_kept(make_fixture: MakeFixture) -> None:
    plan = {
        0: StubTrial(accuracies=(0.5, 0.5, 0.5)),  # beaten by 1
        1: StubTrial(accuracies=(0.9, 0.9, 0.9)),
        2: StubTrial(accuracies=(0.8, 0.8, 0.8)),  # never on the front
        3: StubTrial(accuracies=(0.4, 0.4, 0.4), model_bytes=10.0),
    }
    fixture = make_fixture(plan)
    fixture.run()
    assert fixture.kept_models() == ["trial-1.keras", "trial-3.keras"]
    paths = [Path(trial.model_path).name for trial in fixture.trials()]
    assert paths == ["", "trial-1.keras", "", "trial-3.keras"]
    assert (fixture.out / "models" / "trial-1.keras").read_text() == "model of trial 1"
    assert "latency_seconds" in fixture.trials()[1].measurements
    assert "latency_seconds" not in fixture.trials()[2].measurements


def test_a_model_stays_when_another_supervisor_is_about_to_record_its_trial(make_fixture: MakeFixture) -> None:
    # Two supervisors on one machine share a results folder. The other one has published its model and
    # has not told the store yet, and a running trial is not beaten.
    fixture = make_fixture(trials=2)
    study = fixture.study
    with fixture.store.exclusively():
        assert queue.lease_next(study, 2, "bert", "cpu0")
    models = fixture.out / "models"
    models.mkdir(parents=True)
    (models / "trial-0.keras").write_text("model of trial 0")
    fixture.run(lambda: len(fixture.view.lines) == 1)
    assert fixture.states() == ["running", "complete"]
    assert fixture.kept_models() == ["trial-0.keras", "trial-1.keras"]
