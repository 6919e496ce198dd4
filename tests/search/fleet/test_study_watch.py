"""What the store tells of a study that others work on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.stub_trials import StubTrial
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.fleet.study_watch import StudyWatch, stored_ending
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage.control import study_control

pytestmark = pytest.mark.processes


def test_a_watch_tells_each_end_once_and_shows_the_front(tmp_path: Path) -> None:
    plan = {1: StubTrial("fail"), 2: StubTrial(accuracies=(0.5, 0.6, 0.9), model_bytes=500.0)}
    fixture = SupervisorFixture(tmp_path, make_spec(trials=3), plan)
    times = [0.0, 30.0, 30.0]
    watch = StudyWatch(fixture.study, fixture.spec, clock=lambda: times[0])
    assert watch.snapshot().seconds_left is None
    assert fixture.run() is Ending.DONE
    times.pop(0)
    news = watch.news()
    assert watch.news() == []
    assert [line.split(": ")[:2] for line in news] == [
        ["trial 0", "complete"],
        ["trial 1", "failed"],
        ["trial 2", "complete"],
        ["trial 3", "complete"],
    ]
    assert "90.00 %, 500 B, 3 s" in news[2]
    assert [line.endswith("; new on the front") for line in news] == [False, False, True, False]
    snapshot = watch.snapshot("told")
    assert (snapshot.counts.complete, snapshot.counts.failed, snapshot.notice) == (3, 1, "told")
    assert snapshot.front is not None
    assert [number for number, _ in snapshot.front] == [2]
    assert (snapshot.seconds, snapshot.seconds_left) == (30.0, 0.0)
    assert snapshot.slots == []
    assert StudyWatch(fixture.study, fixture.spec).news() == []  # what had ended before is no news
    assert stored_ending(fixture.study, fixture.spec) is Ending.DONE


def test_the_reason_of_an_end_is_found_in_the_store(tmp_path: Path) -> None:
    spec = make_spec(trials=5, max_failures=1)
    fixture = SupervisorFixture(tmp_path, spec, {number: StubTrial("fail") for number in range(9)})
    assert fixture.run() is Ending.TOO_MANY_FAILURES
    assert stored_ending(fixture.study, spec) is Ending.TOO_MANY_FAILURES
    study_control.stop(fixture.study, "ada@home")
    assert stored_ending(fixture.study, spec) is Ending.STOPPED


@pytest.mark.parametrize(
    ("stop", "expected"), [({"patience": 2}, Ending.NO_GROWTH), ({"time_limit": "0.001 s"}, Ending.TIME_LIMIT)]
)
def test_an_early_end_is_found_in_the_store(tmp_path: Path, stop: dict[str, object], expected: Ending) -> None:
    spec = make_spec(trials=50, stop=stop)
    fixture = SupervisorFixture(tmp_path, spec, {})
    assert fixture.run() is expected
    assert stored_ending(fixture.study, spec) is expected


def test_a_pause_is_told_with_its_remedy(tmp_path: Path) -> None:
    fixture = SupervisorFixture(tmp_path, make_spec(), {})
    watch = StudyWatch(fixture.study, fixture.spec)
    assert watch.pause() == ""
    study_control.pause(fixture.study, "ada@home")
    assert watch.pause() == "paused by ada@home: 'tunefront resume digits' goes on"
    study_control.resume(fixture.study, "ada@home")
    assert watch.pause() == ""
