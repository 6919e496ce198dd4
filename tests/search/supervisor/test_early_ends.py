"""Studies that end before they have all their trials: the front no longer grows, or time is up."""

from __future__ import annotations

import pytest

from tests.search.stub_trials import StubTrial
from tests.search.supervisor.choice_fixture import MakeFixture
from tests.search.supervisor_fixture import LeapingClock
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import queue, studies
from tunefront.storage.counts import finished_numbers
from tunefront.storage.outcomes import Outcome

pytestmark = pytest.mark.usefixtures("fork_server")


def test_a_search_stops_when_its_front_no_longer_grows(make_fixture: MakeFixture) -> None:
    plan = {
        0: StubTrial(accuracies=(0.5, 0.5, 0.5)),
        1: StubTrial(accuracies=(0.4, 0.4, 0.4)),  # beaten by 0
        2: StubTrial(accuracies=(0.6, 0.6, 0.6)),  # grows
        3: StubTrial(accuracies=(0.6, 0.6, 0.6)),  # as good as 2: the hypervolume stays
        4: StubTrial(accuracies=(0.1, 0.1, 0.1)),
        5: StubTrial("fail"),  # does not count
        6: StubTrial(accuracies=(0.2, 0.2, 0.2)),
        7: StubTrial(accuracies=(0.9, 0.9, 0.9)),
    }
    fixture = make_fixture(plan, trials=20, stop={"patience": 3})
    assert fixture.run() is Ending.NO_GROWTH
    assert len(fixture.trials()) == 7
    study = fixture.study.optuna
    assert study.user_attrs["ending"].startswith("none of the last 3 finished trials came on the front")
    assert make_fixture(plan, trials=20, stop={"patience": 3}).run() is Ending.NO_GROWTH
    assert make_fixture(plan, trials=9, stop={"patience": 4}).run() is Ending.DONE
    assert study.user_attrs["ending"] == ""


def test_what_runs_may_still_make_the_front_grow(make_fixture: MakeFixture) -> None:
    slow = StubTrial(accuracies=(0.9, 0.9, 0.9), pause_seconds=0.4)
    plan = {0: StubTrial(), 1: slow} | {number: StubTrial(accuracies=(0.1, 0.1, 0.1)) for number in range(2, 9)}
    fixture = make_fixture(plan, n_slots=2, trials=20, stop={"patience": 3})
    assert fixture.run() is Ending.NO_GROWTH
    assert fixture.states() == ["complete"] * len(fixture.trials())
    order = list(finished_numbers(fixture.study))
    assert 3 <= len(order) - 1 - order.index(1) <= 4  # when 1 ended, it grew; three more, and what ran beside


def test_what_runs_elsewhere_may_still_make_the_front_grow(make_fixture: MakeFixture) -> None:
    plan = {number: StubTrial(accuracies=(0.1, 0.1, 0.1)) for number in range(20)}
    fixture = make_fixture(plan, trials=20, stop={"patience": 3})
    study = fixture.study
    with fixture.store.exclusively():
        leased = queue.lease_next(study, 20, "bert", "cpu0")
    assert leased is not None
    n_idle = 0

    def bert_ends_while_this_one_idles() -> bool:
        nonlocal n_idle
        n_idle += fixture.counts().complete == 4
        if n_idle == 3:
            queue.finish(study, leased[0], Outcome.COMPLETE, values=[0.99, 1.0, 0.1])
        return False

    assert fixture.run(bert_ends_while_this_one_idles) is Ending.NO_GROWTH
    assert n_idle >= 3
    assert fixture.states() == ["complete"] * 8  # one, three without growth, bert's, and three more


def test_a_study_that_goes_on_is_not_called_done_early_although_it_is_killed(make_fixture: MakeFixture) -> None:
    assert make_fixture(trials=9, stop={"patience": 1}, sampler={"name": "random"}).run() is Ending.NO_GROWTH
    fixture = make_fixture(trials=9, stop={"patience": 9}, sampler={"name": "random"})
    study = fixture.study.optuna
    assert study.user_attrs["ending"]
    n_before = len(fixture.trials())

    def killed() -> bool:
        if len(fixture.trials()) > n_before:
            raise MemoryError
        return False

    with pytest.raises(MemoryError):
        fixture.run(killed)
    assert study.user_attrs["ending"] == ""


def test_a_search_stops_at_its_time_limit_and_goes_on_with_a_larger_one(make_fixture: MakeFixture) -> None:
    plan = {number: StubTrial(pause_seconds=0.1) for number in range(9)} | {2: StubTrial("hang once")}
    first = make_fixture(plan, trials=4, stop={"time_limit": 60.0})
    first.clock = clock = LeapingClock((first.out / "models" / ".partial-2.hung").exists)
    assert first.run(clock.look) is Ending.TIME_LIMIT
    assert first.trials()[2].reason == "out of time"
    assert first.states() == ["complete", "complete", "waiting"]
    assert first.living_trials() == []
    assert first.study.optuna.user_attrs["ending"].startswith("its time is used up")
    more = make_fixture(plan, trials=4, stop={"time_limit": 60.0})
    assert more.run() is Ending.DONE
    assert more.states() == ["complete"] * 4
    assert make_fixture(plan, trials=4, stop={"time_limit": 0.001}).run() is Ending.DONE  # it has all its trials


def test_a_run_shorter_than_a_renewal_counts_for_the_time_limit(make_fixture: MakeFixture) -> None:
    plan = {number: StubTrial(pause_seconds=0.2) for number in range(9)}
    first = make_fixture(plan, trials=4, stop={"time_limit": 1.0})
    studies.register_worker(first.study, "anna", "host", 1, {})
    assert first.run() is Ending.TIME_LIMIT
    n_trials = len(first.trials())
    again = make_fixture(plan, trials=4, stop={"time_limit": 1.0}, worker_id="bert")
    studies.register_worker(again.study, "bert", "host", 2, {})
    assert again.run() is Ending.TIME_LIMIT
    assert len(again.trials()) == n_trials
