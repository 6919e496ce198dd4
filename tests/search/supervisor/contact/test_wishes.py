"""A supervisor obeys what people wish while it runs: stub trials, and wishes made as commands make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.search.stub_trials import Plan, StubTrial
from tests.search.supervisor.choice_fixture import MakeFixture
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.supervisor.notes import forget_ending, note_stopped
from tunefront.storage.control import cancellation, processes, study_control
from tunefront.storage.control.wishes import wishes_for
from tunefront.storage.database.waits import Waits

pytestmark = pytest.mark.usefixtures("fork_server")
BERT = "bert@south"
PAUSED = "paused by bert@south: no new trials, and what runs {}; 'tunefront resume digits' goes on"


@pytest.fixture
def make_fixture(tmp_path: Path) -> MakeFixture:
    """Make supervised studies whose supervisors look at each step, so that tests wait for little."""

    def make(plan: Plan | None = None, *, worker_id: str = "anna", **changes: Any) -> SupervisorFixture:
        waits = Waits(look_seconds=0.0)
        return SupervisorFixture(tmp_path, make_spec(**changes), plan or {}, worker_id=worker_id, waits=waits)

    return make


def run_with(fixture: SupervisorFixture, person: Iterator[None]) -> Ending:
    """Run the study while a person acts: each step of the iterator is taken when the supervisor asks for Ctrl-C."""

    def ask() -> bool:
        next(person, None)
        return False

    return fixture.run(ask)


def until(is_so: Callable[[], bool]) -> Iterator[None]:
    while not is_so():
        yield


def has_begun(fixture: SupervisorFixture, number: int) -> Callable[[], bool]:
    return lambda: any(trial.number == number and bool(trial.epochs) for trial in fixture.trials())


def test_a_paused_study_ends_what_runs_and_starts_nothing_until_it_is_resumed(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({1: StubTrial(pause_seconds=1.0)}, trials=3)
    study = fixture.study
    states: list[list[str]] = []

    def person() -> Iterator[None]:
        yield from until(lambda: bool(fixture.view.snapshots))
        assert fixture.trials() == []  # it was paused before the run began
        study_control.resume(study, BERT)
        yield from until(has_begun(fixture, 1))
        yield from until(lambda: fixture.view.snapshots[-1].notice == "")  # it is shown every half second
        study_control.pause(study, BERT)
        yield from until(lambda: fixture.states() == ["complete"] * 2)
        n_shown = len(fixture.view.snapshots)
        yield from until(lambda: len(fixture.view.snapshots) > n_shown + 2)
        states.append(fixture.states())
        study_control.resume(study, BERT)

    study_control.pause(study, BERT)
    assert run_with(fixture, person()) is Ending.DONE
    assert states == [["complete"] * 2]
    assert fixture.states() == ["complete"] * 3
    assert [trial.n_attempts for trial in fixture.trials()] == [1, 1, 1]
    said = [PAUSED.format("goes on to its end"), "resumed by bert@south"]
    assert [line for line in fixture.view.lines if BERT in line] == said * 2
    assert {"", "paused by bert@south"} == {snapshot.notice for snapshot in fixture.view.snapshots}


def test_a_pause_at_once_gives_back_what_runs(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({0: StubTrial("hang once")}, trials=2)
    study = fixture.study
    given_back: list[tuple[str, str, list[int]]] = []

    def person() -> Iterator[None]:
        yield from until(has_begun(fixture, 0))
        study_control.pause(study, BERT, now=True)
        yield from until(lambda: fixture.states() == ["waiting"])
        given_back.append((fixture.trials()[0].state, fixture.trials()[0].reason, fixture.living_trials()))
        study_control.resume(study, BERT)

    assert run_with(fixture, person()) is Ending.DONE
    assert given_back == [("waiting", "paused by bert@south", [])]
    assert fixture.states() == ["complete"] * 2
    assert [trial.n_attempts for trial in fixture.trials()] == [2, 1]
    assert PAUSED.format("is given back") in fixture.view.lines


def test_a_paused_study_is_done_when_what_ran_were_its_last_trials(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({1: StubTrial(pause_seconds=0.4)}, trials=2)

    def person() -> Iterator[None]:
        yield from until(has_begun(fixture, 1))
        study_control.pause(fixture.study, BERT)

    assert run_with(fixture, person()) is Ending.DONE
    assert fixture.states() == ["complete"] * 2


def test_a_stopped_study_is_over_until_it_is_opened_again(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({1: StubTrial("hang once")}, trials=2)
    study = fixture.study

    def person() -> Iterator[None]:
        yield from until(has_begun(fixture, 1))
        study_control.stop(study, BERT)

    assert run_with(fixture, person()) is Ending.STOPPED
    assert fixture.states() == ["complete", "waiting"]
    assert fixture.trials()[1].reason == "the study was stopped"
    assert fixture.living_trials() == []
    assert fixture.study.optuna.user_attrs["ending"] == "a person stopped it"
    assert fixture.run() is Ending.STOPPED  # another worker takes no trial
    assert [trial.n_attempts for trial in fixture.trials()] == [1, 1]
    study_control.resume(study, BERT)
    note_stopped(study)  # of a supervisor that ends late
    forget_ending(study)
    assert fixture.run() is Ending.DONE
    assert "resumed by bert@south" not in fixture.view.lines  # no news for a run that begins afterwards
    assert fixture.states() == ["complete"] * 2
    assert fixture.study.optuna.user_attrs["ending"] == ""


def test_cancelled_trials_end_and_others_take_their_places(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({0: StubTrial("hang")}, trials=3, max_failures=0)
    study = fixture.study
    for _ in range(2):
        study.optuna.enqueue_trial({})

    def person() -> Iterator[None]:
        yield from until(has_begun(fixture, 0))
        assert cancellation.cancel(study, 1, BERT)
        assert not cancellation.cancel(study, 0, BERT)

    assert run_with(fixture, person()) is Ending.DONE
    assert fixture.states() == ["cancelled", "cancelled", "complete", "complete", "complete"]
    assert [trial.reason for trial in fixture.trials()[:2]] == ["cancelled by bert@south"] * 2
    assert fixture.living_trials() == []
    assert "trial 0: cancelled by bert@south" in fixture.view.lines
    assert (fixture.counts().cancelled, fixture.counts().failed) == (2, 0)
    assert wishes_for(fixture.store, "", [study.study_id]).cancelled == {}


def test_a_worker_that_is_told_to_end_gives_its_trials_back(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({0: StubTrial("hang once")}, trials=1)
    name = processes.register_process(fixture.store, "anna", "boot", "north", 7, ["cpu"])

    def person() -> Iterator[None]:
        yield from until(has_begun(fixture, 0))
        processes.drain_worker(fixture.store, name, BERT)

    assert run_with(fixture, person()) is Ending.INTERRUPTED
    assert fixture.states() == ["waiting"]
    assert fixture.living_trials() == []
    assert "this worker was told to end by bert@south" in fixture.view.lines
    again = make_fixture(trials=1, worker_id="carl")
    assert again.run() is Ending.DONE  # the wish was that process's
