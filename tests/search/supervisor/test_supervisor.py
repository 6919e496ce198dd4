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

from tests.search.desk import Desk, is_running, make_spec
from tests.search.stub_trials import Act, Plan
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.system.signals import interruptible
from tunefront.storage import queue
from tunefront.storage.database import schema
from tunefront.storage.database.connection import open_store
from tunefront.storage.database.locks import StoreError
from tunefront.storage.outcomes import Outcome

pytestmark = pytest.mark.usefixtures("fork_server")

MakeDesk = Callable[..., Desk]


@pytest.fixture
def make_desk(tmp_path: Path) -> MakeDesk:
    def make(plan: Plan | None = None, *, n_slots: int = 1, **changes: Any) -> Desk:
        return Desk(tmp_path, make_spec(**changes), plan or {}, n_slots=n_slots)

    return make


# When all goes well


def test_a_study_is_done_when_it_has_its_trials(make_desk: MakeDesk) -> None:
    desk = make_desk(n_slots=2)
    assert desk.run() is Ending.DONE
    assert desk.states() == ["complete"] * 4
    for trial in desk.trials():
        assert trial.values == (0.7, 1000.0, 3.0)
        assert [epoch.accuracy for epoch in trial.epochs] == [0.5, 0.6, 0.7]
        assert trial.measurements["trial_seconds"] > 0
        assert trial.measurements["load_average"] >= 0
        assert trial.measurements["other_slots_busy"] in (0.0, pytest.approx(1.0, abs=1.0))
        assert (trial.n_attempts, trial.worker_id, trial.slot) == (1, "anna", "")
        assert (desk.out / "logs" / f"trial-{trial.number}.log").read_text() == f"trial {trial.number} prints\n"
    assert desk.living_trials() == []
    assert [line.split(":")[:2] for line in sorted(desk.view.lines)] == [
        [f"trial {number}", " complete"] for number in range(4)
    ]


def test_a_study_that_is_done_starts_nothing(make_desk: MakeDesk) -> None:
    make_desk().run()
    again = make_desk({})
    assert again.run() is Ending.DONE
    assert len(again.trials()) == 4
    assert again.view.lines == []


def test_a_study_goes_on_when_it_is_given_more_trials(make_desk: MakeDesk) -> None:
    make_desk(trials=2).run()
    more = make_desk(trials=3)
    assert more.run() is Ending.DONE
    assert more.states() == ["complete"] * 3


def test_a_supervisor_has_no_more_trials_under_way_than_slots(make_desk: MakeDesk) -> None:
    desk = make_desk({number: Act(pause_seconds=0.15) for number in range(5)}, n_slots=2, trials=5)
    desk.run()
    n_running = [snapshot.counts.running for snapshot in desk.view.snapshots]
    assert max(n_running) == 2
    slots = [slot.name for slot in desk.view.snapshots[0].slots]
    assert slots == ["cpu0", "cpu1"]


def test_trials_draw_different_candidates(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.run()
    assert len({str(trial.parameters) for trial in desk.trials()}) == 4


def test_results_do_not_depend_on_the_number_of_slots(tmp_path: Path) -> None:
    parameters = []
    for n_slots in (1, 3):
        (tmp_path / str(n_slots)).mkdir()
        desk = Desk(tmp_path / str(n_slots), make_spec(), {}, n_slots=n_slots)
        desk.run()
        parameters.append([trial.parameters for trial in desk.trials()])
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
@pytest.mark.timeout(10)
def test_one_trial_fails_alone_when_it(make_desk: MakeDesk, behaviour: str, reason: str) -> None:
    desk = make_desk({1: Act(behaviour)}, trials=3)
    assert desk.run() is Ending.DONE
    assert desk.states() == ["complete", "failed", "complete", "complete"]
    failed = desk.trials()[1]
    assert failed.values is None
    assert failed.reason == reason or (not reason and failed.reason)
    assert any(line.startswith("trial 1: failed: ") for line in desk.view.lines)
    assert desk.living_trials() == []
    assert ".partial" not in str(desk.kept_models())


@pytest.mark.timeout(30)
def test_a_trial_fails_alone_when_what_it_measures_is_no_finite_number(make_desk: MakeDesk) -> None:
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
    desk = make_desk({number: Act(behaviour) for number, behaviour in enumerate(reasons)}, trials=1, max_failures=20)
    assert desk.run() is Ending.DONE
    *failed, last = desk.trials()
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
    assert desk.living_trials() == []


@pytest.mark.parametrize(
    ("behaviour", "n_epochs"),
    [("hang", 1), ("hang at once", 0)],
)
@pytest.mark.timeout(20)
def test_one_trial_fails_alone_when_it_takes_longer_than_the_time_limit(
    make_desk: MakeDesk, behaviour: str, n_epochs: int
) -> None:
    desk = make_desk({0: Act(behaviour)}, trials=2, training={"time_limit": 1.0})
    assert desk.run() is Ending.DONE
    assert desk.states() == ["failed", "complete", "complete"]
    expected = f"not finished within training.time_limit = 1 s ({n_epochs} of 3 epochs done)"
    assert desk.trials()[0].reason == expected
    assert desk.living_trials() == []


@pytest.mark.parametrize("behaviour", ["fail and hang", "hang after training"])
@pytest.mark.timeout(10)
def test_the_study_goes_on_when_a_trial_does_not_end_after_its_last_word(make_desk: MakeDesk, behaviour: str) -> None:
    # After its last message the process is not needed, and frameworks can hang at their end.
    desk = make_desk({0: Act(accuracies=(0.9, 0.9, 0.9)), 1: Act(behaviour)}, trials=3, training={"time_limit": 2.0})
    assert desk.run() is Ending.DONE
    assert desk.counts().finished == 3
    assert desk.living_trials() == []


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [("die while saving", "killed from outside"), ("fail while saving", "OSError: no space left on device")],
)
def test_a_trial_is_complete_without_a_model_when_saving_fails(
    make_desk: MakeDesk, behaviour: str, reason: str
) -> None:
    desk = make_desk({0: Act(behaviour)}, trials=1)
    assert desk.run() is Ending.DONE
    trial = desk.trials()[0]
    assert (trial.state, trial.values, trial.model_path) == ("complete", (0.7, 1000.0, 3.0), "")
    assert f"its model was not kept: {reason}" in trial.reason
    assert desk.kept_models() == []


def test_a_trial_is_complete_without_a_model_when_its_latency_is_no_number(make_desk: MakeDesk) -> None:
    desk = make_desk({0: Act("measure nan in kept")}, trials=1)
    assert desk.run() is Ending.DONE
    trial = desk.trials()[0]
    assert (trial.state, trial.values, trial.model_path) == ("complete", (0.9, 1000.0, 1.0), "")
    assert trial.reason == "complete, but its model was not kept: latency_seconds became nan"
    assert "latency_seconds" not in trial.measurements


@pytest.mark.timeout(20)
def test_a_trial_is_complete_without_a_model_when_it_hangs_while_saving(make_desk: MakeDesk) -> None:
    # Hanging counts like dying there: what was trained and measured is kept.
    desk = make_desk({0: Act("hang while saving")}, trials=1, training={"time_limit": 1.0})
    assert desk.run() is Ending.DONE
    trial = desk.trials()[0]
    assert (trial.state, trial.values, trial.model_path) == ("complete", (0.7, 1000.0, 3.0), "")
    assert "model was not kept" in trial.reason
    assert desk.kept_models() == []


def test_a_trial_fails_when_an_objective_was_not_measured(make_desk: MakeDesk) -> None:
    # Not every system has peak_bytes.
    desk = make_desk(trials=1, max_failures=0, objectives={"accuracy": "accuracy", "memory": "peak_bytes"})
    assert desk.run() is Ending.TOO_MANY_FAILURES
    assert desk.states() == ["failed"]
    assert "peak_bytes" in desk.trials()[0].reason
    assert desk.living_trials() == []


# When a trial is not worth its time


def test_a_trial_is_refused_when_it_breaks_a_limit_before_training(make_desk: MakeDesk) -> None:
    limits = {"memory": {"measure": "model_bytes", "at_most": "1 kB"}, "accuracy": "accuracy"}
    desk = make_desk({0: Act(model_bytes=1001.0), 2: Act(model_bytes=5e6)}, trials=2, objectives=limits)
    assert desk.run() is Ending.DONE
    assert desk.states() == ["refused", "complete", "refused", "complete"]
    refused = desk.trials()[2]
    assert refused.reason == "model_bytes 5 MB breaks its limit of at most 1 kB"
    assert refused.epochs == []
    assert not refused.is_feasible
    assert desk.trials()[1].is_feasible
    assert desk.living_trials() == []


def test_a_trial_is_pruned_when_it_is_dominated(make_desk: MakeDesk) -> None:
    plan = {number: Act(accuracies=(0.9, 0.9, 0.9)) for number in range(10)}
    plan[10] = Act(accuracies=(0.5, 0.95, 0.95), model_bytes=2000.0, train_seconds=2.0)  # after its first epoch
    plan[11] = Act(accuracies=(0.95, 0.5, 0.5), model_bytes=2000.0, train_seconds=2.0)
    desk = make_desk(plan, n_slots=1, trials=12, pruner={"name": "pareto", "min_epochs": 1})
    assert desk.run() is Ending.DONE
    assert desk.states() == ["complete"] * 10 + ["pruned", "complete"]
    pruned = desk.trials()[10]
    assert [epoch.epoch for epoch in pruned.epochs] == [1]
    assert "trial 0 dominates it" in pruned.reason
    assert pruned.measurements["train_seconds"] == 2.0
    assert desk.counts().finished == 12
    assert desk.living_trials() == []


def test_values_outside_the_limits_are_complete_but_not_on_the_front(make_desk: MakeDesk) -> None:
    limits = {"accuracy": {"measure": "accuracy", "at_least": 0.8}, "memory": "model_bytes"}
    desk = make_desk({1: Act(accuracies=(0.9, 0.9, 0.9))}, trials=2, objectives=limits)
    desk.run()
    assert [trial.is_feasible for trial in desk.trials()] == [False, True]
    assert desk.kept_models() == ["trial-1.keras"]


# When the study gives up


def test_the_study_stops_when_too_many_trials_fail(make_desk: MakeDesk) -> None:
    desk = make_desk({number: Act("exit silently") for number in range(50)}, max_failures=2, trials=20)
    assert desk.run() is Ending.TOO_MANY_FAILURES
    assert desk.states() == ["failed"] * 3
    assert desk.living_trials() == []


def test_the_study_stops_when_too_many_trials_are_refused(make_desk: MakeDesk) -> None:
    limits = {"memory": {"measure": "model_bytes", "at_most": "1 B"}}
    desk = make_desk(max_refusals=3, trials=20, objectives=limits)
    assert desk.run() is Ending.TOO_MANY_REFUSALS
    assert desk.states() == ["refused"] * 4


def test_a_trial_under_way_goes_back_when_the_study_gives_up(make_desk: MakeDesk) -> None:
    desk = make_desk({0: Act("hang"), 1: Act("exit silently")}, n_slots=2, max_failures=0)
    assert desk.run() is Ending.TOO_MANY_FAILURES
    assert desk.states() == ["waiting", "failed"]
    assert desk.living_trials() == []


# When it is interrupted, or killed


def test_a_signal_prints_nothing_in_the_middle_of_a_line(make_desk: MakeDesk) -> None:
    view = make_desk().view
    with interruptible(view.say) as is_interrupted:
        assert not is_interrupted()
        os.kill(os.getpid(), signal.SIGTERM)
        assert view.lines == []
        assert is_interrupted()
        assert is_interrupted()
    assert view.lines == ["stopping: running trials go back to the queue ..."]


def test_an_interruption_gives_trials_back_and_another_supervisor_finishes_them(make_desk: MakeDesk) -> None:
    plan = {2: Act("hang once"), 3: Act("hang once")}
    first = make_desk(plan, n_slots=2)
    ending = first.run(lambda: all((first.out / "models" / f".partial-{n}.hung").exists() for n in (2, 3)))
    assert ending is Ending.INTERRUPTED
    assert first.states() == ["complete", "complete", "waiting", "waiting"]
    assert [trial.reason for trial in first.trials()[2:]] == ["interrupted"] * 2
    assert first.living_trials() == []
    parameters = [trial.parameters for trial in first.trials()]

    second = make_desk(plan, n_slots=2)
    second.worker_id = "bert"
    assert second.run() is Ending.DONE
    assert second.states() == ["complete"] * 4
    assert [trial.parameters for trial in second.trials()] == parameters
    assert [trial.n_attempts for trial in second.trials()] == [1, 1, 2, 2]
    assert [trial.worker_id for trial in second.trials()] == ["anna", "anna", "bert", "bert"]
    assert [len(trial.epochs) for trial in second.trials()] == [3, 3, 3, 3]


def test_an_interruption_before_the_first_trial_starts_nothing(make_desk: MakeDesk) -> None:
    desk = make_desk()
    assert desk.run(lambda: True) is Ending.INTERRUPTED
    assert desk.trials() == []


def test_a_late_result_is_refused_when_the_trial_was_taken_over(make_desk: MakeDesk) -> None:
    desk = make_desk({0: Act(pause_seconds=0.2)}, trials=1)
    study = desk.study

    def take_over() -> bool:
        """Let another worker, which takes this one for dead, sweep its trial and lease it."""
        if desk.trials() and desk.trials()[0].epochs and desk.trials()[0].n_attempts == 1:
            queue.sweep(study, ["anna"])
            with desk.store.exclusively():
                assert queue.lease_next(study, 1, "bert", "cpu0")
        return any("refused" in line for line in desk.view.lines)

    assert desk.run(take_over) is Ending.INTERRUPTED
    refused = "trial 0: result refused: another worker has taken the trial over, or a person ended it"
    assert refused in desk.view.lines
    (trial,) = desk.trials()
    assert (trial.state, trial.worker_id, trial.n_attempts) == ("running", "bert", 2)
    assert trial.epochs == []
    assert desk.kept_models() == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("pruner", ["median", "successive_halving", "hyperband"])
def test_optunas_pruners_leave_alone_what_another_worker_has_finished(make_desk: MakeDesk, pruner: str) -> None:
    """If a supervisor slept past its lease, halving would write to the trial, which Optuna refuses with an error."""
    desk = make_desk(
        {0: Act(pause_seconds=0.4)},
        trials=1,
        objectives={"accuracy": "accuracy", "memory": False, "time": False},
        pruner={"name": pruner},
    )
    study = desk.study
    is_taken = False

    def taken_over() -> bool:
        nonlocal is_taken
        if not is_taken and desk.living_trials():
            is_taken = True
            with desk.store.engine.begin() as connection:
                connection.execute(schema.leases.update().values(expires_at=0.0))
            assert queue.sweep(study) == [0]
            with desk.store.exclusively():
                leased = queue.lease_next(study, 1, "bert", "cpu0")
            assert leased is not None
            queue.finish(study, leased[0], Outcome.COMPLETE, values=[0.9])
        return False

    assert desk.run(taken_over) is Ending.DONE
    assert any("result refused" in line for line in desk.view.lines)
    assert (desk.states(), desk.trials()[0].worker_id) == (["complete"], "bert")


def test_a_trial_that_a_person_ends_before_it_has_started_is_left_alone(
    make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make_desk(trials=1)
    lease_next = queue.lease_next

    def told_at_once(*arguments: Any, **options: Any) -> Any:
        leased = lease_next(*arguments, **options)
        if leased is not None:
            desk.study.optuna.tell(leased[0].number, [0.9, 1.0, 0.1])
        return leased

    monkeypatch.setattr(queue, "lease_next", told_at_once)
    assert desk.run() is Ending.DONE
    assert any("or a person ended it" in line for line in desk.view.lines)
    assert desk.states() == ["complete"]


def test_samplers_learn_of_a_stopped_trial_only_what_its_end_would_have_kept_or_broken(make_desk: MakeDesk) -> None:
    objectives = {
        "accuracy": {"measure": "accuracy", "at_least": 0.55},
        "memory": {"measure": "model_bytes", "at_most": 1e9},
        "time": {"measure": "train_seconds", "at_most": 10.0},
    }
    plan = {number: Act(accuracies=(0.5, 0.6, 0.7), train_seconds=2.0) for number in range(8)}
    desk = make_desk(
        {**plan, 8: Act(accuracies=(0.5, 0.6, 0.7), train_seconds=50.0)},
        trials=9,
        objectives=objectives,
        pruner={"name": "pareto"},
    )
    assert desk.run() is Ending.DONE
    assert "breaks its limit of at most 10 s" in desk.trials()[8].reason
    (stopped,) = desk.study.optuna.get_trials(states=(optuna.trial.TrialState.PRUNED,))
    of_accuracy, of_memory, of_time = stopped.system_attrs["constraints"]
    assert of_accuracy == 0  # nobody knows it
    assert of_memory < 0 < of_time


def test_trial_processes_die_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from tests.search.desk import Desk, make_spec\n"
        "from tests.search.stub_trials import Act\n"
        f"Desk(Path({str(tmp_path)!r}), make_spec(), {{n: Act('hang') for n in range(9)}}, n_slots=2).run()\n"
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
    desk = Desk(tmp_path, make_spec(), {}, worker_id="bert")
    queue.sweep(desk.study, ["anna"])
    assert desk.run() is Ending.DONE
    assert desk.states() == ["complete"] * 4
    assert [trial.n_attempts for trial in desk.trials()] == [2, 2, 1, 1]


def _n_epochs(folder: Path) -> int:
    from tunefront.storage import curves, studies

    store = open_store(f"sqlite:///{folder / 'tunefront.db'}")
    return len(curves.load(studies.list_all(store)[0]))


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_supervisor_ends_with_a_message_when_its_study_is_deleted(make_desk: MakeDesk) -> None:
    # optuna-dashboard can delete a study at any time.
    desk = make_desk({number: Act(pause_seconds=0.1) for number in range(4)}, n_slots=2)
    deleted: list[str] = []

    def delete() -> bool:
        if desk.view.lines and not deleted:
            deleted.append("digits")
            optuna.delete_study(study_name="digits", storage=desk.store.optuna)
        return False

    with pytest.raises(StoreError, match="digits"):
        desk.run(delete)
    assert desk.living_trials() == []


# Several supervisors


def test_a_supervisor_takes_over_what_another_one_left_when_it_has_nothing_else_to_do(make_desk: MakeDesk) -> None:
    desk = make_desk(trials=2)
    study = desk.study
    with desk.store.exclusively():
        assert queue.lease_next(study, 2, "lost", "cpu0")
    with desk.store.engine.begin() as connection:
        connection.execute(schema.leases.update().values(expires_at=0.0))
    assert desk.run() is Ending.DONE
    assert "trial 0: its worker was lost; back in the queue" in desk.view.lines
    assert desk.states() == ["complete", "complete"]
    assert [trial.n_attempts for trial in desk.trials()] == [2, 1]


# Models


def test_only_models_on_the_front_are_kept(make_desk: MakeDesk) -> None:
    plan = {
        0: Act(accuracies=(0.5, 0.5, 0.5)),  # beaten by 1
        1: Act(accuracies=(0.9, 0.9, 0.9)),
        2: Act(accuracies=(0.8, 0.8, 0.8)),  # never on the front
        3: Act(accuracies=(0.4, 0.4, 0.4), model_bytes=10.0),
    }
    desk = make_desk(plan)
    desk.run()
    assert desk.kept_models() == ["trial-1.keras", "trial-3.keras"]
    paths = [Path(trial.model_path).name for trial in desk.trials()]
    assert paths == ["", "trial-1.keras", "", "trial-3.keras"]
    assert (desk.out / "models" / "trial-1.keras").read_text() == "model of trial 1"
    assert "latency_seconds" in desk.trials()[1].measurements
    assert "latency_seconds" not in desk.trials()[2].measurements


def test_a_model_stays_when_another_supervisor_is_about_to_record_its_trial(make_desk: MakeDesk) -> None:
    # Two supervisors on one machine share a results folder. The other one has published its model and
    # has not told the store yet, and a running trial is not beaten.
    desk = make_desk(trials=2)
    study = desk.study
    with desk.store.exclusively():
        assert queue.lease_next(study, 2, "bert", "cpu0")
    models = desk.out / "models"
    models.mkdir(parents=True)
    (models / "trial-0.keras").write_text("model of trial 0")
    desk.run(lambda: len(desk.view.lines) == 1)
    assert desk.states() == ["running", "complete"]
    assert desk.kept_models() == ["trial-0.keras", "trial-1.keras"]
