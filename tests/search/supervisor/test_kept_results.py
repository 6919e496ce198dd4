"""Results that cannot be told at once, on any database: they are kept, and delivered once or refused.

Leases and waits are shortened, so that seconds do for minutes.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.search.stub_trials import Plan, StubTrial
from tests.search.supervisor.outage_fixture import (
    WAITS,
    AwaySwitch,
    check_each_trained_once,
    lines_with,
    make,
    meanwhile,
    on_statement,
    spooled,
    wait_for_renewals,
    wait_until,
)
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.launching import machine
from tunefront.search.supervisor.contact.delivery import deliver_left_results
from tunefront.search.supervisor.contact.sweeper import take_over_left
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import queue
from tunefront.storage.database import schema
from tunefront.storage.outcomes import Outcome

pytestmark = pytest.mark.usefixtures("fork_server")


@pytest.mark.timeout(120)
def test_leases_are_renewed_while_a_supervisor_waits_for_the_lock(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tunefront.db'}"
    plan = {number: StubTrial(pause_seconds=0.3) for number in range(2)}
    anna = make(tmp_path, "anna", url, plan, 2)
    other = make(tmp_path, "other", url, plan, 2, replace(WAITS, lock_seconds=60.0))

    def hold_lock() -> None:
        wait_until(lambda: any(trial.epochs for trial in other.trials()))
        with other.study.exclusively():  # until the first result is kept, and a lease after that
            wait_until(lambda: bool(lines_with(anna, "kept until the storage is back")))
            wait_for_renewals(other.study)

    with meanwhile(hold_lock):
        assert anna.run() is Ending.DONE
    check_each_trained_once([anna], 2)
    assert len(lines_with(anna, "was not to be had for 0.5 s")) == 1
    assert len(lines_with(anna, "kept until the storage is back")) == 1


class OneWorker:
    """A supervisor on SQLite whose store can be switched off, and another one's view of the same store."""

    def __init__(self, folder: Path, plan: Plan, n_trials: int = 2) -> None:
        self.anna = make(folder, "anna", f"sqlite:///{folder / 'tunefront.db'}", plan, n_trials)
        self.switch = AwaySwitch(self.anna.store.engine)
        self.bert = make(folder, "bert", self.anna.url, {}, n_trials)

    def run_until_kept(self) -> None:
        """Run anna, whose store goes away in the first training, until she has kept its result; then she is ended."""

        def is_interrupted() -> bool:
            if not self.switch.is_away and any(trial.epochs for trial in self.bert.trials()):
                self.switch.is_away = True
            return bool(lines_with(self.anna, "; kept until the storage is back"))

        assert self.anna.run(is_interrupted) is Ending.INTERRUPTED


TRAINS_LONG_ENOUGH = {0: StubTrial(pause_seconds=0.4)}


@pytest.mark.timeout(120)
def test_a_kept_result_and_its_model_are_delivered_by_a_restarted_supervisor(tmp_path: Path) -> None:
    worker = OneWorker(tmp_path, TRAINS_LONG_ENOUGH)
    worker.run_until_kept()
    assert worker.bert.states() == ["running"]
    assert spooled(worker.anna) == [
        "trial-0-attempt-1.json",
        "trial-0-attempt-1.model.json",
        "trial-0-attempt-1.model.keras",
    ]
    assert worker.anna.kept_models() == []
    written = json.loads((worker.anna.out / "spool" / "trial-0-attempt-1.json").read_text())
    assert written["outcome"] == "complete"
    assert [epoch["epoch"] for epoch in written["epochs"]] == [2, 3]  # the store has the first

    worker.switch.is_away = False
    lines: list[str] = []
    deliver_left_results(worker.bert.study, worker.anna.out, lines.append)  # as a restarted supervisor begins
    assert lines == ["trial 0: complete: its result, which was kept until it could be told, is delivered"]
    (trial,) = worker.bert.trials()
    assert (trial.state, trial.values, trial.n_attempts, trial.worker_id) == ("complete", (0.7, 1000.0, 3.0), 1, "anna")
    assert [epoch.accuracy for epoch in trial.epochs] == [0.5, 0.6, 0.7]
    assert Path(trial.model_path).read_text() == "model of trial 0"
    assert json.loads(Path(trial.model_path).with_suffix(".json").read_text())["trial"] == 0
    assert spooled(worker.anna) == []
    deliver_left_results(worker.bert.study, worker.anna.out, lines.append)
    assert len(lines) == 1


@pytest.mark.timeout(120)
def test_a_kept_result_is_refused_when_the_trial_was_taken_over(tmp_path: Path) -> None:
    worker = OneWorker(tmp_path, TRAINS_LONG_ENOUGH)
    worker.run_until_kept()
    queue.sweep(worker.bert.study, ["anna"])
    with worker.bert.study.exclusively():
        leased = queue.lease_next(worker.bert.study, 2, "bert", "cpu0")
    assert leased is not None
    models = worker.anna.out / "models"
    (models / "trial-0.keras").write_text("model of the second attempt")

    worker.switch.is_away = False
    lines: list[str] = []
    deliver_left_results(worker.bert.study, worker.anna.out, lines.append)
    assert lines == ["trial 0: result refused: another worker has taken the trial over, or a person ended it"]
    assert spooled(worker.anna) == []
    assert (models / "trial-0.keras").read_text() == "model of the second attempt"
    assert worker.bert.trials()[0].epochs == []
    assert queue.finish(worker.bert.study, leased[0], Outcome.COMPLETE, values=[0.9, 1.0, 1.0])


@pytest.mark.timeout(120)
def test_a_supervisor_delivers_what_an_earlier_one_of_its_folder_left(tmp_path: Path) -> None:
    worker = OneWorker(tmp_path, TRAINS_LONG_ENOUGH)
    worker.run_until_kept()
    worker.switch.is_away = False
    assert worker.anna.run() is Ending.DONE
    assert worker.bert.states() == ["complete", "complete"]
    assert [trial.n_attempts for trial in worker.bert.trials()] == [1, 1]
    assert worker.anna.kept_models() == ["trial-0.keras", "trial-1.keras"]


@pytest.mark.timeout(120)
def test_a_supervisor_delivers_what_another_one_of_its_folder_leaves_when_it_ends(tmp_path: Path) -> None:
    worker = OneWorker(tmp_path, TRAINS_LONG_ENOUGH)
    worker.run_until_kept()
    worker.switch.is_away = False
    anna, spool, aside = worker.anna, worker.anna.out / "spool", tmp_path / "aside"
    spool.rename(aside)
    carl = SupervisorFixture(anna.folder, anna.spec, {}, anna.url, worker_id="carl", waits=WAITS)
    ended = subprocess.Popen(["true"])
    ended.wait()

    def anna_ends_after_carl_began() -> bool:
        if aside.exists():
            aside.rename(spool)
            with carl.store.engine.begin() as connection:
                connection.execute(schema.workers.update().values(host=machine.host_key(), pid=ended.pid))
        return False

    assert carl.run(anna_ends_after_carl_began) is Ending.DONE
    check_each_trained_once([carl], 2)
    assert [trial.worker_id for trial in carl.trials()] == ["anna", "carl"]
    assert len(lines_with(carl, "is delivered")) == 1
    assert carl.kept_models() == ["trial-0.keras", "trial-1.keras"]
    assert spooled(carl) == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("ends_before", ["FROM tunefront_workers", "FROM tunefront_leases"])
def test_a_result_is_not_lost_when_its_supervisor_ends_while_another_one_starts(
    tmp_path: Path, ends_before: str
) -> None:
    worker = OneWorker(tmp_path, TRAINS_LONG_ENOUGH)
    worker.run_until_kept()
    worker.switch.is_away = False
    anna, bert, spool, aside = worker.anna, worker.bert, worker.anna.out / "spool", tmp_path / "aside"
    spool.rename(aside)
    process = subprocess.Popen(["sleep", "600"])
    with bert.store.engine.begin() as connection:
        about = json.dumps({"process_started_at": time.time()})
        of_anna = schema.workers.update().where(schema.workers.c.worker_id == "anna")
        connection.execute(of_anna.values(host=machine.host_key(), pid=process.pid, machine=about))

    def anna_ends() -> None:
        aside.rename(spool)
        process.kill()
        process.wait()

    with on_statement(bert.store.engine, ends_before, anna_ends) as ended:
        take_over_left(bert.study, anna.out, bert.view.say)
    assert ended
    take_over_left(bert.study, anna.out, bert.view.say)  # by the next one that starts
    (trial,) = bert.trials()
    assert (trial.state, trial.values, trial.n_attempts) == ("complete", (0.7, 1000.0, 3.0), 1)
    assert Path(trial.model_path).read_text() == "model of trial 0"
    assert len(lines_with(bert, "is delivered")) == 1


@pytest.mark.timeout(120)
def test_results_wait_in_memory_when_the_disk_is_full(tmp_path: Path) -> None:
    worker = OneWorker(tmp_path, {0: StubTrial(pause_seconds=0.2)})
    (worker.anna.out).mkdir()
    (worker.anna.out / "spool").write_text("no folder can be made here")
    is_over = False

    def go_away_and_come_back() -> bool:
        nonlocal is_over
        kept = bool(lines_with(worker.anna, "; kept until the storage is back"))
        if not is_over:
            worker.switch.is_away = any(trial.epochs for trial in worker.bert.trials()) and not kept
            is_over = kept
        return False

    assert worker.anna.run(go_away_and_come_back) is Ending.DONE
    assert len(lines_with(worker.anna, "trial-0-attempt-1.json cannot be written: ")) == 1
    assert worker.bert.states() == ["complete", "complete"]


@pytest.mark.timeout(120)
def test_a_trial_whose_start_was_cut_off_starts_when_the_store_is_back(tmp_path: Path) -> None:
    worker = OneWorker(tmp_path, {}, n_trials=1)

    def go_away() -> None:
        worker.switch.is_away = True
        threading.Timer(1.2, lambda: setattr(worker.switch, "is_away", False)).start()

    with on_statement(worker.anna.store.engine, "SELECT trial_params.distribution_json", go_away) as cut_off:
        assert worker.anna.run() is Ending.DONE
    assert cut_off
    check_each_trained_once([worker.anna], 1)


@pytest.mark.timeout(120)
def test_a_trial_whose_start_was_cut_off_does_not_hold_up_a_search_whose_front_has_stopped_growing(
    tmp_path: Path,
) -> None:
    anna = SupervisorFixture(tmp_path, make_spec(trials=9, stop={"patience": 1}), {}, waits=WAITS)
    switch, bert = AwaySwitch(anna.store.engine), make(tmp_path, "bert", anna.url, {}, 9).study

    def bert_ends_two_meanwhile() -> bool:
        for values in ([0.9, 1.0, 1.0], [0.1, 2.0, 2.0]) if switch.is_away else ():
            with bert.exclusively():
                leased = queue.lease_next(bert, 9, "bert", "cpu0")
            assert leased is not None
            assert queue.finish(bert, leased[0], Outcome.COMPLETE, values=values)
        switch.is_away = False
        return False

    go_away = partial(setattr, switch, "is_away", True)
    with on_statement(anna.store.engine, "SELECT trial_params.distribution_json", go_away) as cut_off:
        assert anna.run(bert_ends_two_meanwhile) is Ending.NO_GROWTH
    assert cut_off
    assert anna.states() == ["waiting", "complete", "complete"]


@pytest.mark.timeout(120)
def test_a_result_is_kept_when_the_database_refuses_it_with_an_error_that_no_waiting_mends(tmp_path: Path) -> None:
    anna = make(tmp_path, "anna", f"sqlite:///{tmp_path / 'tunefront.db'}", {}, 1)

    def refuse() -> None:
        raise sa.exc.ProgrammingError("INSERT", None, Exception("permission denied"))

    with (
        on_statement(anna.store.engine, "INSERT INTO tunefront_measurements", refuse),
        pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
    ):
        anna.run()
    deliver_left_results(anna.study, anna.out, anna.view.say)
    check_each_trained_once([anna], 1)
    assert anna.kept_models() == ["trial-0.keras"]


@pytest.mark.timeout(120)
def test_a_supervisor_that_ends_waits_once_for_a_lock_that_is_not_to_be_had(tmp_path: Path) -> None:
    plan = {number: StubTrial("hang") for number in range(3)}
    anna = SupervisorFixture(tmp_path, make_spec(trials=3), plan, n_slots=3, waits=WAITS)
    bert = make(tmp_path, "bert", anna.url, {}, 3)
    with contextlib.ExitStack() as held:

        def is_interrupted() -> bool:
            is_over = all(trial.epochs for trial in bert.trials()) and len(bert.trials()) == 3
            if is_over:
                held.enter_context(bert.study.exclusively())
            return is_over

        assert anna.run(is_interrupted) is Ending.INTERRUPTED
    assert len(lines_with(anna, "; kept until the storage is back")) == 3
    assert lines_with(anna, "the storage is back after") == []
    deliver_left_results(bert.study, anna.out, bert.view.say)
    assert bert.states() == ["waiting"] * 3
