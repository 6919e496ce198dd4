"""Outages of the store that last longer than a lease: nobody leaves, nothing is lost, and nothing is trained twice.

Leases and waits are shortened, so that seconds do for minutes.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.postgres import PostgresServer
from tests.search.stub_trials import Plan, StubTrial
from tests.search.supervisor.outage_fixture import (
    AwaySwitch,
    SetClock,
    meanwhile,
    on_statement,
    run_together,
    wait_until,
)
from tests.search.supervisor.paused_worker import run_paused
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tests.silent_proxy import SilentProxy
from tests.storage.conftest import dispose
from tunefront.search.launching import machine
from tunefront.search.supervisor.contact.delivery import deliver_left_results
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import queue, studies
from tunefront.storage.attempts import read_leases
from tunefront.storage.database import schema
from tunefront.storage.database.waits import Waits
from tunefront.storage.outcomes import Outcome

pytestmark = pytest.mark.usefixtures("fork_server")

WAITS = Waits(lease_seconds=1.6, away_seconds=0.3, lock_seconds=0.5, row_seconds=0.5, idle_seconds=1.0)
PARETO = {"name": "pareto", "min_epochs": 1}


def make(folder: Path, name: str, url: str, plan: Plan, n_trials: int, waits: Waits = WAITS) -> SupervisorFixture:
    """Make the fixture of a supervisor with a results folder of its own, as on another machine."""
    own = folder / name
    own.mkdir()
    spec = make_spec(trials=n_trials, pruner=PARETO)
    made = SupervisorFixture(own, spec, plan, url=url, worker_id=name, waits=waits)
    studies.register_worker(made.study, name, f"host of {name}", 1, {})
    return made


def check_each_trained_once(fixtures: list[SupervisorFixture], n_trials: int) -> None:
    """Check that each trial is complete and whole, and was trained by one process in all."""
    trials = fixtures[0].trials()
    assert [trial.state for trial in trials] == ["complete"] * n_trials
    assert {trial.n_attempts for trial in trials} == {1}
    for trial in trials:
        assert [(epoch.epoch, epoch.accuracy) for epoch in trial.epochs] == [(1, 0.5), (2, 0.6), (3, 0.7)]
        assert (trial.values, trial.measurements["validation_seconds"]) == ((0.7, 1000.0, 3.0), 0.75)
    trained = sorted(int(path.stem.split("-")[0]) for fixture in fixtures for path in fixture.notes.glob("*.pid"))
    assert trained == list(range(n_trials))


def lines_with(fixture: SupervisorFixture, words: str) -> list[str]:
    return [line for line in fixture.view.lines if words in line]


def _numbers(fixture: SupervisorFixture, words: str) -> list[int]:
    """Return the numbers of the trials that lines with these words are on."""
    return [int(line.removeprefix("trial ").partition(":")[0]) for line in lines_with(fixture, words)]


def spooled(fixture: SupervisorFixture) -> list[str]:
    return sorted(path.name for path in (fixture.out / "spool").glob("*"))


# A real server that is stopped hard


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as made:
        yield made


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(60)
def test_trainings_go_on_while_the_server_is_away_for_longer_than_a_lease(
    tmp_path: Path, postgres: PostgresServer, url: str
) -> None:
    plan = {number: StubTrial(pause_seconds=0.5) for number in range(4)}
    fixtures = [make(tmp_path, name, url, plan, 4) for name in ("anna", "bert")]

    def crash() -> None:
        wait_until(lambda: all(any(trial.epochs for trial in fixture.trials()) for fixture in fixtures))
        postgres.stop_hard()
        time.sleep(3)
        postgres.start()

    with meanwhile(crash):
        assert run_together(*fixtures) == [Ending.DONE, Ending.DONE]
    check_each_trained_once(fixtures, 4)
    kept = [number for fixture in fixtures for number in _numbers(fixture, "; kept until the storage is back")]
    assert kept  # one worker may have told its result just before
    assert kept == [number for fixture in fixtures for number in _numbers(fixture, "is delivered")]
    notices = {snapshot.notice for fixture in fixtures for snapshot in fixture.view.snapshots}
    assert any("1 result is kept" in notice for notice in notices)
    for fixture in fixtures:
        assert lines_with(fixture, "the storage is away (")
        assert lines_with(fixture, "the storage is back after")
        assert spooled(fixture) == []
        dispose(fixture.store)
    assert sorted(name for fixture in fixtures for name in fixture.kept_models()) == [
        f"trial-{number}.keras" for number in range(4)
    ]


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_result_is_told_once_when_the_server_goes_away_while_it_is_told(
    tmp_path: Path, postgres: PostgresServer, url: str
) -> None:
    fixture = make(tmp_path, "anna", url, {}, 3)
    restarts: list[threading.Timer] = []

    def crash() -> None:
        postgres.stop_hard()
        restarts.append(threading.Timer(2.5, postgres.start))
        restarts[0].start()

    with on_statement(fixture.store.engine, "UPDATE trials SET state", crash) as told:
        assert fixture.run() is Ending.DONE
    restarts[0].join()
    assert told
    check_each_trained_once([fixture], 3)
    assert lines_with(fixture, "refused") == []
    dispose(fixture.store)


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_lease_is_renewed_while_its_trials_end_is_told(tmp_path: Path, url: str) -> None:
    fixture = make(tmp_path, "anna", url, {}, 1, replace(WAITS, idle_seconds=20.0))
    other = make(tmp_path, "bert", url, {}, 1)
    expired: list[bool] = []

    def take_long() -> None:
        for _ in range(12):  # for one and a half leases
            time.sleep(0.2)
            expired.append(read_leases(other.study)[0].is_expired)

    with on_statement(fixture.store.engine, "INSERT INTO tunefront_measurements", take_long):
        assert fixture.run() is Ending.DONE
    assert expired == [False] * 12
    dispose(fixture.store)
    dispose(other.store)


# A server that falls silent, or waits


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(60)
def test_others_go_on_when_a_machine_falls_silent_while_it_holds_the_lock(tmp_path: Path, url: str) -> None:
    plan = {number: StubTrial(pause_seconds=0.1) for number in range(4)}
    bert = make(tmp_path, "bert", url, plan, 4)
    with SilentProxy(url) as proxy:
        anna = make(tmp_path, "anna", proxy.url, plan, 4)

        def end_silence() -> None:
            wait_until(lambda: bert.counts().finished == 4)
            proxy.speak()
            proxy.cut()  # her connections break only now

        # She has asked Optuna for a trial, and is about to write that she has it.
        with on_statement(anna.store.engine, "INSERT INTO tunefront_leases", proxy.swallow), meanwhile(end_silence):
            assert run_together(anna, bert) == [Ending.DONE, Ending.DONE]
        assert bert.states() == ["complete"] * 4
        assert {trial.worker_id for trial in bert.trials()} == {"bert"}
        assert bert.counts().running == 0
        dispose(anna.store)
    dispose(bert.store)


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(60)
def test_trainings_go_on_when_a_connection_falls_silent_that_nothing_breaks(tmp_path: Path, url: str) -> None:
    plan = {number: StubTrial(pause_seconds=0.3) for number in range(2)}
    with SilentProxy(url) as proxy:
        anna = make(tmp_path, "anna", f"{proxy.url}?connect_timeout=2", plan, 2)

        def fall_silent() -> None:
            wait_until(lambda: any(slot.epoch for shown in anna.view.snapshots for slot in shown.slots))
            proxy.swallow()
            wait_until(lambda: bool(lines_with(anna, "; kept until the storage is back")))
            proxy.speak()

        with meanwhile(fall_silent):
            assert anna.run() is Ending.DONE
        check_each_trained_once([anna], 2)
        dispose(anna.store)


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("fragment", ["INSERT INTO tunefront_leases", "UPDATE trials SET state"])
def test_a_worker_that_was_paused_while_it_held_the_lock_changes_nothing_of_others(
    tmp_path: Path, url: str, fragment: str
) -> None:
    bert = make(tmp_path, "bert", url, {}, 3)
    folder = tmp_path / "paul"
    folder.mkdir()
    context = multiprocessing.get_context("forkserver")
    paul = context.Process(target=run_paused, args=(str(folder), url, 3, WAITS, fragment))
    paul.start()
    try:
        wait_until((folder / "paused").exists)
        assert bert.run() is Ending.DONE
        before = bert.trials()
        assert [trial.state for trial in before] == ["complete"] * 3
        assert {trial.worker_id for trial in before} == {"bert"}
        assert paul.pid is not None
        os.kill(paul.pid, signal.SIGCONT)
        paul.join(20)
        assert paul.exitcode == 0
    finally:
        paul.kill()
    assert bert.trials() == before
    dispose(bert.store)


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(60)
def test_trainings_go_on_while_rows_are_locked(tmp_path: Path, url: str) -> None:
    plan = {number: StubTrial(pause_seconds=0.2) for number in range(3)}
    fixture = make(tmp_path, "anna", url, plan, 3)
    server = sa.create_engine(url)

    def lock_rows() -> None:
        wait_until(lambda: any(trial.epochs for trial in fixture.trials()))
        with server.begin() as connection:
            for table in ("trials", "tunefront_workers"):
                connection.execute(sa.text(f"SELECT * FROM {table} FOR UPDATE"))
            time.sleep(3)

    with meanwhile(lock_rows):
        assert fixture.run() is Ending.DONE
    check_each_trained_once([fixture], 3)
    server.dispose()
    dispose(fixture.store)


# Any database


@pytest.mark.timeout(30)
def test_leases_are_renewed_while_a_supervisor_waits_for_the_lock(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tunefront.db'}"
    plan = {number: StubTrial(pause_seconds=0.3) for number in range(2)}
    anna, other = (make(tmp_path, name, url, plan, 2) for name in ("anna", "other"))
    expired: list[int] = []

    def hold_lock() -> None:
        wait_until(lambda: any(trial.epochs for trial in other.trials()))
        with other.study.exclusively():
            for _ in range(16):  # for two leases; meanwhile the first result is to be told
                time.sleep(0.2)
                expired.extend(number for number, lease in read_leases(other.study).items() if lease.is_expired)

    with meanwhile(hold_lock):
        assert anna.run() is Ending.DONE
    check_each_trained_once([anna], 2)
    assert expired == []
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


@pytest.mark.timeout(30)
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
    assert lines == ["trial 0: complete: its result, which was kept while the storage was away, is delivered"]
    (trial,) = worker.bert.trials()
    assert (trial.state, trial.values, trial.n_attempts, trial.worker_id) == ("complete", (0.7, 1000.0, 3.0), 1, "anna")
    assert [epoch.accuracy for epoch in trial.epochs] == [0.5, 0.6, 0.7]
    assert Path(trial.model_path).read_text() == "model of trial 0"
    assert json.loads(Path(trial.model_path).with_suffix(".json").read_text())["trial"] == 0
    assert spooled(worker.anna) == []
    deliver_left_results(worker.bert.study, worker.anna.out, lines.append)
    assert len(lines) == 1


@pytest.mark.timeout(30)
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


@pytest.mark.timeout(30)
def test_a_supervisor_delivers_what_an_earlier_one_of_its_folder_left(tmp_path: Path) -> None:
    worker = OneWorker(tmp_path, TRAINS_LONG_ENOUGH)
    worker.run_until_kept()
    worker.switch.is_away = False
    assert worker.anna.run() is Ending.DONE
    assert worker.bert.states() == ["complete", "complete"]
    assert [trial.n_attempts for trial in worker.bert.trials()] == [1, 1]
    assert worker.anna.kept_models() == ["trial-0.keras", "trial-1.keras"]


@pytest.mark.timeout(30)
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


@pytest.mark.timeout(30)
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


@pytest.mark.timeout(30)
def test_a_trial_whose_start_was_cut_off_starts_when_the_store_is_back(tmp_path: Path) -> None:
    worker = OneWorker(tmp_path, {}, n_trials=1)

    def go_away() -> None:
        worker.switch.is_away = True
        threading.Timer(1.2, lambda: setattr(worker.switch, "is_away", False)).start()

    with on_statement(worker.anna.store.engine, "INSERT INTO trial_params", go_away) as cut_off:
        assert worker.anna.run() is Ending.DONE
    assert cut_off
    check_each_trained_once([worker.anna], 1)


@pytest.mark.timeout(20)
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
    with on_statement(anna.store.engine, "INSERT INTO trial_params", go_away) as cut_off:
        assert anna.run(bert_ends_two_meanwhile) is Ending.NO_GROWTH
    assert cut_off
    assert anna.states() == ["waiting", "complete", "complete"]


@pytest.mark.timeout(30)
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


@pytest.mark.timeout(30)
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


# Sweeping


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_nobody_sweeps_a_healthy_trial_when_the_clock_is_set(tmp_path: Path) -> None:
    clock = SetClock()
    url = f"sqlite:///{tmp_path / 'tunefront.db'}"
    plan = {number: StubTrial(pause_seconds=1.5) for number in range(2)}
    fixtures = [make(tmp_path, name, url, plan, 2) for name in ("anna", "bert")]
    for fixture in fixtures:
        clock.use_in(fixture.store.engine)

    def set_clock() -> None:
        wait_until(lambda: fixtures[0].counts().running == 2)
        time.sleep(1.0)
        clock.step_seconds = 3600.0

    with meanwhile(set_clock):
        assert run_together(*fixtures) == [Ending.DONE, Ending.DONE]
    check_each_trained_once(fixtures, 2)
    for fixture in fixtures:
        assert lines_with(fixture, "lost") == []


@pytest.mark.timeout(30)
def test_a_supervisor_waits_for_a_lease_before_it_sweeps_others(tmp_path: Path) -> None:
    fixture = make(tmp_path, "anna", f"sqlite:///{tmp_path / 'tunefront.db'}", {}, 1)
    with fixture.study.exclusively():
        assert queue.lease_next(fixture.study, 1, "lost", "cpu0")
    with fixture.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tunefront_leases SET expires_at = 0.0")
    started_at = time.monotonic()
    assert fixture.run() is Ending.DONE
    assert time.monotonic() - started_at >= WAITS.lease_seconds
    assert "trial 0: its worker was lost; back in the queue" in fixture.view.lines
    assert [(trial.state, trial.n_attempts) for trial in fixture.trials()] == [("complete", 2)]
