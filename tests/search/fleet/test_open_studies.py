"""What happens to a worker's studies while it works: they are forged, deleted, paused, or their store goes away."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest

from tests.search.fleet.fleet_fixture import FleetFixture, check_exact
from tests.search.fleet.test_worker import rewrite_spec
from tests.search.supervisor.outage_fixture import AwaySwitch
from tunefront.storage.artifacts.study_artifacts import ADDRESS
from tunefront.storage.control import study_control
from tunefront.storage.database.connection import Store
from tunefront.storage.open_study import OpenStudy

pytestmark = pytest.mark.usefixtures("fork_server")


@pytest.fixture
def fixture(tmp_path: Path) -> FleetFixture:
    return FleetFixture(tmp_path)


def steps(*each: Callable[[], bool]) -> Callable[[], bool]:
    """Return what a worker calls often: it calls the first of these until that returns True, then the next one."""
    left = list(each)
    deadline = time.monotonic() + 120

    def call() -> bool:
        if left and left[0]():
            left.pop(0)
        return time.monotonic() > deadline

    return call


def done(action: Callable[[], object]) -> bool:
    """Do something, and return True."""
    action()
    return True


def test_a_place_for_artifacts_that_the_store_names_later_needs_approval(fixture: FleetFixture, tmp_path: Path) -> None:
    study, elsewhere = fixture.submit("photos", 3), tmp_path / "of somebody else"
    fixture.pause_seconds = 1.0

    def name_it() -> bool:
        if fixture.attempts(study):
            fixture.store.optuna.set_study_user_attr(study.study_id, ADDRESS, str(elsewhere))
        return bool(fixture.attempts(study))

    assert fixture.work(1, steps(name_it)) == []
    check_exact(fixture, [(study, 3)])
    (told,) = fixture.view.lines_with("photos: the artifacts that another worker has named are not used here")
    assert f"its place for artifacts is {elsewhere}, which lies below no --data-root" in told
    assert not elsewhere.exists()


def test_a_forged_confirmation_writes_nothing_outside_of_the_results(fixture: FleetFixture, tmp_path: Path) -> None:
    study = fixture.submit("forged", 1)
    rewrite_spec(study, confirms="../../outside")
    assert fixture.work() == ["forged"]
    assert not (tmp_path.parent / "outside").exists()
    (told,) = fixture.view.lines_with("forged: this machine leaves the study to others")
    assert "this tunefront cannot read its spec (confirms: " in told


@pytest.mark.parametrize("other_first", [True, False])
def test_a_study_that_is_deleted_and_made_anew_is_another_one(fixture: FleetFixture, other_first: bool) -> None:
    """The other studies go on. The new one may have the deleted one's number, whose spec makes no trial of it for long.

    The new one is not worked on here, because the results folder is that of the deleted one.
    """
    fixture.pause_seconds = 0.7  # a trial takes longer than the second between two looks
    made: dict[str, OpenStudy] = {}
    for name in ("other", "doomed") if other_first else ("doomed", "other"):
        made[name] = fixture.submit(name, 2 if name == "other" else 50, priority=3 if name == "doomed" else 0)

    def replace() -> bool:
        if not fixture.attempts(made["doomed"]):
            return False
        optuna.delete_study(study_name="doomed", storage=fixture.store.optuna)
        made["doomed"] = fixture.submit("doomed", 3, seed=5)
        return True

    assert fixture.work(1, steps(replace)) == ["doomed"]
    check_exact(fixture, [(made["other"], 2)])
    assert len(fixture.attempts(made["doomed"])) <= 1
    told = fixture.view.lines_with("doomed: this machine leaves the study to others: ")
    assert ["the study 'doomed' was deleted" in told[0], "holds the results of another study" in told[1]] == [True] * 2


def test_a_long_preparation_holds_up_no_prepared_study_and_ends_with_its_study(fixture: FleetFixture) -> None:
    fixture.never_prepared = "huge"
    ready = fixture.submit("ready", 2)
    made: dict[str, OpenStudy] = {}

    def make_huge() -> bool:
        if fixture.states(ready)["complete"] < 1:
            return False
        study_control.pause(ready, "anna@north")
        made["huge"] = fixture.submit("huge", 1, priority=9)
        return True

    def resume() -> bool:
        if not (fixture.folder / "preparing").exists():
            return False
        if fixture.states(ready)["running"] == 0:
            study_control.resume(ready, "anna@north")
            return True
        return False

    def pause_huge() -> bool:
        if not fixture.is_over(ready):
            return False
        study_control.pause(made["huge"], "anna@north")
        made["small"] = fixture.submit("small", 1)
        return True

    fixture.pause_seconds = 0.4
    assert fixture.work(1, steps(make_huge, resume, pause_huge)) == ["huge"]
    check_exact(fixture, [(ready, 2), (made["small"], 1)])


def test_a_long_preparation_keeps_no_slot_from_a_study_that_could_have_it(fixture: FleetFixture) -> None:
    """Nothing is prepared yet, and the study that comes first takes for ever: after a while the next one is."""
    fixture.never_prepared = "huge"
    fixture.clock = lambda: 30 * time.monotonic()
    huge, small = fixture.submit("huge", 1, priority=9), fixture.submit("small", 2)

    def pause_huge() -> bool:
        if not fixture.is_over(small):
            return False
        study_control.pause(huge, "anna@north")
        return True

    assert fixture.work(1, steps(pause_huge)) == ["huge"]
    assert (fixture.folder / "preparing").exists()
    check_exact(fixture, [(small, 2)])


def test_a_worker_of_one_study_waits_while_that_is_paused(fixture: FleetFixture) -> None:
    study = fixture.submit("photos", 1)
    study_control.pause(study, "anna@north")

    def resume() -> bool:
        if not fixture.view.lines_with("photos: paused by anna@north: this worker waits"):
            return False
        study_control.resume(study, "anna@north")
        return True

    assert fixture.work(1, only="photos") == ["photos"]  # with --until-idle nothing is waited for
    assert fixture.view.lines == []
    assert fixture.work(1, steps(resume), only="photos", until_idle=False) == []
    check_exact(fixture, [(study, 1)])


def test_a_worker_does_not_take_the_work_for_done_while_the_store_is_away(fixture: FleetFixture) -> None:
    switches: list[AwaySwitch] = []
    made: list[OpenStudy] = []
    fixture.on_store = lambda store: switches.append(AwaySwitch(store.engine))
    calls = 0

    def go_away() -> bool:  # the worker has looked once, and found nothing to do
        nonlocal calls
        calls += 1
        switches[0].is_away = calls > 1
        return calls > 6

    def come_back() -> bool:
        made.append(fixture.submit("late", 1))
        switches[0].is_away = False
        return True

    assert fixture.work(1, steps(go_away, come_back)) == []
    assert fixture.is_known
    check_exact(fixture, [(made[0], 1)])


def test_a_worker_that_ends_while_the_store_is_away_does_not_say_that_nothing_is_left(fixture: FleetFixture) -> None:
    stores: list[Store] = []
    fixture.on_store = stores.append
    calls = 0

    def interrupt() -> bool:
        nonlocal calls
        calls += 1
        if calls == 3:
            AwaySwitch(stores[0].engine).is_away = True
        return calls > 4

    assert fixture.work(1, interrupt, until_idle=False) == []
    assert not fixture.is_known
