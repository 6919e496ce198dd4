"""A worker that dies at any statement or commit: the database has only what was committed before.

Taking, renewing, ending and giving back a trial are few transactions of Optuna's and ours, and were more in an older
tunefront. Wherever they are interrupted, a sweep must find the trial in its old or its new state.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
import sqlalchemy as sa
from optuna.trial import TrialState

from tests.storage.death import Death
from tests.storage.study_fixture import MEASUREMENTS, VALUES, StudyFixture, epoch
from tunefront.storage import constraints, curves, queue
from tunefront.storage.attempts import Lease, Progress, read_leases
from tunefront.storage.database import schema
from tunefront.storage.measurements import replace_measurements
from tunefront.storage.outcomes import Outcome

pytestmark = pytest.mark.slow

KILLED = pytest.param("killed", marks=[pytest.mark.chaos, pytest.mark.timeout(1200)])


@pytest.fixture(params=["broken off", KILLED])
def death(request: pytest.FixtureRequest, fixture: StudyFixture, fork_server: None) -> Death:
    """A way to die: killed before every statement and commit, or broken off before each commit, which is cheaper."""
    is_real = request.param == "killed"
    return Death(fixture, is_real, only_at_commits=not is_real)


def each_step() -> Iterator[int]:
    """Count until the loop ends by itself, because what was to die has ended before."""
    yield from range(150)
    raise AssertionError("there are more steps than this test tries")


def take(fixture: StudyFixture, worker: str) -> None:
    fixture.lease(worker)


def up_to_the_second(number: int, n_epochs: int) -> Progress:
    """Go on from a checkpoint after the second epoch."""
    return Progress(2, 2)


def take_over(fixture: StudyFixture, worker: str) -> None:
    fixture.lease(worker, progress=up_to_the_second)


def renew(fixture: StudyFixture, worker: str) -> None:
    queue.renew(fixture.store, worker)


def sweep(fixture: StudyFixture, worker: str) -> None:
    fixture.sweep(worker)


def end(fixture: StudyFixture, lease: Lease, outcome: Outcome = Outcome.COMPLETE) -> bool:
    values = VALUES if outcome is Outcome.COMPLETE else None
    told = {"violations": [0.5], "reason": "because", "model_path": "/trial.keras"}
    return queue.finish(fixture.study, lease, outcome, values=values, measurements=MEASUREMENTS, **told)  # type: ignore[arg-type]


def tell_only(fixture: StudyFixture, lease: Lease) -> None:
    """Write what a worker of an older tunefront has written when it dies between telling Optuna and ending the attempt.

    It wrote all this in transactions of their own.
    """
    attempts, trial_id = schema.attempts, fixture.study.trial_id(lease.number)
    with fixture.store.engine.begin() as connection:
        replace_measurements(connection, lease, MEASUREMENTS)
        is_open = (attempts.c.number == lease.number) & (attempts.c.ending == "running")
        intended = {"intended": "complete", "reason": "because", "model_path": "/trial.keras"}
        connection.execute(attempts.update().where(is_open).values(**intended))
        constraints.write(connection, trial_id, [0.5])
    fixture.store.optuna.set_trial_user_attr(trial_id, queue.REASON, "because")
    fixture.store.optuna.set_trial_state_values(trial_id, TrialState.COMPLETE, VALUES)


def n_open(fixture: StudyFixture) -> int:
    """Count the leases and the open attempts."""
    attempts = schema.attempts
    with fixture.store.engine.connect() as connection:
        n_leases = connection.execute(sa.select(sa.func.count()).select_from(schema.leases)).scalar_one()
        query = sa.select(sa.func.count()).select_from(attempts).where(attempts.c.ending == "running")
        return n_leases + connection.execute(query).scalar_one()


def constraints_of(fixture: StudyFixture, number: int) -> list[float]:
    return list(fixture.study.optuna.get_trials(deepcopy=False)[number].constraints.values())


def check_whole(fixture: StudyFixture, number: int, where: str) -> None:
    """Check that a trial has all that `end` told of it, and nothing of it is open."""
    trial = fixture.trials()[number]
    assert (trial.number, trial.state) == (number, "complete"), where
    assert (trial.values, trial.measurements) == (VALUES, MEASUREMENTS), where
    assert (trial.reason, trial.model_path) == ("because", "/trial.keras"), where
    assert constraints_of(fixture, number) == [0.5], where


@pytest.mark.parametrize("outcome", [Outcome.COMPLETE, Outcome.REFUSED, Outcome.RETURNED])
def test_a_trial_is_as_it_was_or_as_it_shall_be_when_its_worker_dies_while_it_ends_it(
    death: Death, outcome: Outcome
) -> None:
    fixture, found = death.fixture, []
    state = "waiting" if outcome is Outcome.RETURNED else outcome.value
    for n_steps in each_step():
        worker = f"worker{n_steps}"
        lease, _ = fixture.lease(worker)
        where = death.at_step(n_steps, partial(end, lease=lease, outcome=outcome))
        fixture.sweep(worker)
        assert n_open(fixture) == 0
        trial = fixture.trials()[lease.number]
        found.append(trial.state)
        assert trial.state in (state, "waiting"), where
        if trial.state == "complete":
            check_whole(fixture, lease.number, where)
        if trial.state == "waiting":  # the trial can be run again, and ends like any other
            assert fixture.finish(fixture.lease("next"), violations=[-0.25])
            again = fixture.trials()[lease.number]
            assert (again.state, again.reason) == ("complete", ""), where
            assert constraints_of(fixture, lease.number) == [-0.25], where
        if not where:
            break
    assert found[0] == "waiting"
    assert found[-1] == state


def test_a_trial_can_be_taken_when_a_worker_died_while_it_took_it(death: Death) -> None:
    fixture = death.fixture
    for n_steps in each_step():
        worker = f"worker{n_steps}"
        where = death.at_step(n_steps, partial(take, worker=worker))
        fixture.sweep(worker)
        assert n_open(fixture) == 0
        assert fixture.counts().running == 0
        n_waiting = fixture.counts().waiting
        assert n_waiting in (0, 1), where
        if n_waiting:
            assert fixture.finish(fixture.lease("next"))
        if not where:
            break
    numbers = [trial.number for trial in fixture.trials()]
    assert numbers == list(range(len(numbers)))
    assert {trial.state for trial in fixture.trials()} == {"complete"}


def test_the_epochs_up_to_a_checkpoint_stay_when_a_worker_dies_while_it_takes_the_trial_over(death: Death) -> None:
    fixture, found = death.fixture, []
    for n_steps in each_step():
        first = fixture.lease("first")
        for number in (1, 2, 3):
            assert curves.append(fixture.store, first[0], epoch(number))
        fixture.finish(first, Outcome.RETURNED, measurements={})
        where = death.at_step(n_steps, partial(take_over, worker=f"worker{n_steps}"))
        fixture.sweep(f"worker{n_steps}")
        found.append([each.epoch for each in fixture.trials()[first[0].number].epochs])
        assert found[-1] in ([1, 2, 3], [1, 2]), where
        lease, trial = fixture.lease("next", progress=up_to_the_second)
        assert (lease.number, lease.resumed_from) == (first[0].number, 2), where
        assert curves.append(fixture.store, lease, epoch(3))
        assert [each.epoch for each in fixture.trials()[lease.number].epochs] == [1, 2, 3], where
        assert fixture.finish((lease, trial))
        if not where:
            break
    assert (found[0], found[-1]) == ([1, 2, 3], [1, 2])


def test_all_leases_of_a_worker_are_renewed_or_none_when_it_dies_while_it_renews_them(death: Death) -> None:
    fixture = death.fixture
    leases = [fixture.lease("anna")[0] for _ in range(2)]
    for n_steps in each_step():
        fixture.expire("anna")
        where = death.at_step(n_steps, partial(renew, worker="anna"))
        assert [lease.is_expired for lease in read_leases(fixture.study).values()] == [bool(where)] * 2, where
        if not where:
            break
    assert fixture.sweep() == []
    for lease in leases:  # what a dead worker had renewed can still be ended, by whoever has its results
        assert end(fixture, lease)
        check_whole(fixture, lease.number, "")
    assert n_open(fixture) == 0


def test_the_next_sweep_does_the_rest_when_a_worker_dies_while_it_sweeps(death: Death) -> None:
    fixture = death.fixture
    for n_steps in each_step():
        worker = f"worker{n_steps}"
        told, left = (fixture.lease(worker, 1000)[0] for _ in range(2))
        tell_only(fixture, told)
        taken = fixture.study.optuna.ask().number  # its worker died before it had the lease
        where = death.at_step(n_steps, partial(sweep, worker=worker))
        fixture.sweep(worker)
        assert n_open(fixture) == 0, where
        check_whole(fixture, told.number, where)
        assert [fixture.trials()[number].state for number in (left.number, taken)] == ["waiting"] * 2, where
        again = [fixture.lease("next", 1000)[0] for _ in range(2)]
        assert [lease.number for lease in again] == [left.number, taken]
        for lease in again:
            assert end(fixture, lease), where
            check_whole(fixture, lease.number, where)
        if not where:
            break
    assert fixture.counts().finished == len(fixture.trials()) == 3 * (n_steps + 1)
    assert {trial.n_attempts for trial in fixture.trials()[0::3]} == {1}


def test_a_result_is_recorded_once_when_it_is_told_again_after_an_outage_at_any_step(death: Death) -> None:
    fixture = death.fixture
    for n_steps in each_step():
        lease, _ = fixture.lease("anna")
        where = death.at_step(n_steps, partial(end, lease=lease))
        assert end(fixture, lease), where
        assert (lease.number, fixture.trials()[-1].n_attempts) == (n_steps, 1)
        check_whole(fixture, lease.number, where)
        assert n_open(fixture) == 0
        if not where:
            break
