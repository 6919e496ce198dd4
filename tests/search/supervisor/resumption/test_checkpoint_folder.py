"""Checkpoints that cannot be written, and those that stay in the folder or leave it."""

from __future__ import annotations

import pytest

from tests.search.checkpointed_trials import StubTraining
from tests.search.supervisor.choice_fixture import MakeFixture
from tests.search.supervisor.outage_fixture import AwaySwitch, lines_with
from tests.search.supervisor.resumption.checkpointed_runs import WHOLE, curve, has_checkpoint, left, trained
from tunefront.search.checkpoints.trial_folder import folder_of, newest_whole
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import queue

pytestmark = [pytest.mark.usefixtures("fork_server"), pytest.mark.timeout(60)]


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
