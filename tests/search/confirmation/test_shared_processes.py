"""Seeds of a candidate that follow one another in one process, and what becomes of the others when it ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial

import pytest

from tests.search.confirmation.searched import confirm, plan, queued
from tests.search.stub_trials import StubTrial
from tests.search.supervisor.contact.test_wishes import has_begun, run_with, until
from tests.search.supervisor_fixture import SupervisorFixture
from tunefront.search.launching.spare_children import SpareChildren
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import studies
from tunefront.storage.control import study_control
from tunefront.storage.database.waits import Waits

pytestmark = pytest.mark.usefixtures("fork_server")


@pytest.fixture(autouse=True)
def _enough_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes wait also where other tests leave less than half of the memory."""
    monkeypatch.setattr("tunefront.search.supervisor.starter.SpareChildren", partial(SpareChildren, lambda: 1.0))


def processes(fixture: SupervisorFixture) -> dict[int, list[int]]:
    """Return the number of each training -> the processes that have run it."""
    found: dict[int, list[int]] = {}
    for path in fixture.notes.glob("*.pid"):
        number, pid = map(int, path.stem.split("-"))
        found.setdefault(number, []).append(pid)
    return dict(sorted(found.items()))


def test_each_candidate_has_a_process_and_each_training_its_own_log(search: SupervisorFixture) -> None:
    fixture = confirm(search, plan(search, n_seeds=3, n_near=0))
    assert queued(fixture) == [(0, 0), (2, 0), (0, 1), (2, 1), (0, 2), (2, 2)]
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["complete"] * 6
    one, other, *rest = (pid for (pid,) in processes(fixture).values())
    assert one != other
    assert rest == [one, other] * 2
    for number in range(6):
        assert (fixture.out / "logs" / f"trial-{number}.log").read_text() == f"trial {number} prints\n"
    assert fixture.living_trials() == []
    assert [trial.n_attempts for trial in fixture.trials()] == [1] * 6


def test_a_kill_costs_the_training_that_runs_and_no_other(search: SupervisorFixture) -> None:
    fixture = confirm(search, plan(search, n_seeds=3, n_near=0), t2=StubTrial("crash by SIGKILL"))
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["complete", "complete", "failed", "complete", "complete", "complete"]
    pids = [pid for (pid,) in processes(fixture).values()]
    assert pids[2] == pids[0] != pids[4]
    assert pids[1] == pids[3] == pids[5]
    counts = fixture.counts()
    assert (counts.complete, counts.failed, counts.waiting, counts.running) == (5, 1, 0, 0)
    assert fixture.living_trials() == []


def test_a_process_that_dies_while_it_waits_costs_nothing(search: SupervisorFixture) -> None:
    fixture = confirm(search, plan(search, n_seeds=2, n_near=0), t1=StubTrial(pause_seconds=0.1))

    def kill_the_first_when_the_second_runs() -> bool:
        found = processes(fixture)
        if 1 in found and found[0][0] in fixture.living_trials():
            os.kill(found[0][0], signal.SIGKILL)
        return False

    assert fixture.run(kill_the_first_when_the_second_runs) is Ending.DONE
    assert fixture.states() == ["complete"] * 4
    pids = [pid for (pid,) in processes(fixture).values()]
    assert pids[2] != pids[0]
    assert pids[3] == pids[1]


def test_no_process_waits_longer_than_its_supervisor(search: SupervisorFixture) -> None:
    fixture = confirm(search, plan(search, n_seeds=3, n_near=0), t3=StubTrial("hang"))
    assert fixture.run(lambda: 3 in processes(fixture)) is Ending.INTERRUPTED
    assert fixture.states() == ["complete"] * 3 + ["waiting"] * 3
    assert fixture.living_trials() == []


@pytest.mark.parametrize("limited", ["peak_bytes", "compile_seconds"])
def test_where_the_search_limits_what_a_process_measures_each_training_has_its_own(
    search: SupervisorFixture, limited: str
) -> None:
    found = plan(search, n_seeds=2, n_near=0)
    spec = search.spec.as_json()
    studies.update_spec(search.study, {**spec, "limits": {limited: 1e12}})
    fixture = confirm(search, found)
    assert fixture.run() is Ending.DONE
    assert len({pid for (pid,) in processes(fixture).values()}) == 4


def test_no_process_waits_while_the_study_is_paused(search: SupervisorFixture) -> None:
    queue, look_often = confirm(search, plan(search, n_seeds=2, n_near=0)), Waits(look_seconds=0.0)
    plans = {1: StubTrial(pause_seconds=0.3)}
    fixture = SupervisorFixture(queue.folder, queue.spec, plans, url=search.url, waits=look_often)

    def person() -> Iterator[None]:
        yield from until(has_begun(fixture, 1))
        study_control.pause(fixture.study, "bert")
        yield from until(lambda: fixture.states()[1] == "complete")  # it goes on to its end
        yield from until(lambda: fixture.living_trials() == [])
        study_control.resume(fixture.study, "bert")

    assert run_with(fixture, person()) is Ending.DONE
    assert len({pid for (pid,) in processes(fixture).values()}) == 4
    assert fixture.states() == ["complete"] * 4
