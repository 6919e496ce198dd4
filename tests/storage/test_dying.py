"""A worker that dies at any statement: the database has only what was committed before.

Taking, ending and giving back a trial are several transactions of Optuna's and ours. Wherever they
are interrupted, a sweep must find the trial in its old or its new state.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from tests.storage.conftest import dispose
from tests.storage.study_fixture import MEASUREMENTS, VALUES, StudyFixture
from tunefront.storage.database import schema
from tunefront.storage.outcomes import Outcome

MAX_STATEMENTS = 60


@pytest.fixture
def fixture(tmp_path: Path, sqlite_template: Path) -> Iterator[StudyFixture]:
    """A study without trials, on SQLite alone because the order of statements is the same elsewhere."""
    made = StudyFixture.make(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'tunefront.db')}")
    yield made
    dispose(made.store)


class DiedError(BaseException):
    """The stand-in for kill -9: for a database it has the same effect, since open transactions are lost."""


@contextlib.contextmanager
def dying_at(engine: Engine, n_statements: int) -> Iterator[list[str]]:
    """Die before the statement of that number, counted from 0; yields the statements up to it."""
    statements: list[str] = []

    def before(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if len(statements) == n_statements:
            raise DiedError
        statements.append(statement)

    sa.event.listen(engine, "before_cursor_execute", before)
    try:
        yield statements
    except DiedError:
        pass
    finally:
        sa.event.remove(engine, "before_cursor_execute", before)


def n_open(fixture: StudyFixture) -> int:
    """Count the leases and the open attempts."""
    attempts = schema.attempts
    with fixture.store.engine.connect() as connection:
        n_leases = connection.execute(sa.select(sa.func.count()).select_from(schema.leases)).scalar_one()
        query = sa.select(sa.func.count()).select_from(attempts).where(attempts.c.ending == "running")
        return n_leases + connection.execute(query).scalar_one()


def constraints_of(fixture: StudyFixture, number: int) -> list[float]:
    return list(fixture.study.optuna.get_trials(deepcopy=False)[number].constraints.values())


@pytest.mark.slow
@pytest.mark.parametrize("outcome", [Outcome.COMPLETE, Outcome.REFUSED, Outcome.RETURNED])
def test_a_trial_is_as_it_was_or_as_it_shall_be_when_its_worker_dies_while_it_ends_it(
    fixture: StudyFixture, outcome: Outcome
) -> None:
    state = "waiting" if outcome is Outcome.RETURNED else outcome.value
    found = []
    for n_statements in range(MAX_STATEMENTS):
        worker = f"worker{n_statements}"
        leased = fixture.lease(worker)
        number = leased[0].number
        with dying_at(fixture.store.engine, n_statements) as statements:
            fixture.finish(leased, outcome, violations=[0.5], reason="because", model_path="/trial.keras")
        has_died = len(statements) == n_statements
        fixture.sweep(worker)
        assert n_open(fixture) == 0
        trial = fixture.trials()[number]
        found.append(trial.state)
        assert trial.state in (state, "waiting"), f"after {statements[-1]}"
        if trial.state == "complete":
            assert (trial.values, trial.measurements) == (VALUES, MEASUREMENTS)
            assert constraints_of(fixture, number) == [0.5]
            assert (trial.reason, trial.model_path) == ("because", "/trial.keras"), f"after {statements[-1]}"
        if trial.state == "waiting":  # the trial can be run again, and ends like any other
            assert fixture.finish(fixture.lease("next"), violations=[-0.25])
            again = fixture.trials()[number]
            assert (again.state, again.reason) == ("complete", ""), f"after {statements[-1]}"
            assert constraints_of(fixture, number) == [-0.25], f"after {statements[-1]}"
        if not has_died:
            break
    assert not has_died, "there are more statements than this test tries"
    assert found[0] == "waiting"
    assert found[-1] == state


@pytest.mark.slow
def test_a_trial_can_be_taken_when_a_worker_died_while_it_took_it(fixture: StudyFixture) -> None:
    for n_statements in range(MAX_STATEMENTS):
        worker = f"worker{n_statements}"
        with dying_at(fixture.store.engine, n_statements) as statements:
            fixture.lease(worker)
        has_died = len(statements) == n_statements
        fixture.sweep(worker)
        assert n_open(fixture) == 0
        assert fixture.counts().running == 0
        n_waiting = fixture.counts().waiting
        assert n_waiting in (0, 1)
        if n_waiting:
            assert fixture.finish(fixture.lease("next"))
        if not has_died:
            break
    assert not has_died
    numbers = [trial.number for trial in fixture.trials()]
    assert numbers == list(range(len(numbers)))
    assert {trial.state for trial in fixture.trials()} == {"complete"}


@pytest.mark.slow
def test_a_result_is_recorded_once_when_it_is_told_again_after_an_outage_at_any_statement(
    fixture: StudyFixture,
) -> None:
    for n_statements in range(MAX_STATEMENTS):
        leased = fixture.lease("anna")
        with dying_at(fixture.store.engine, n_statements) as statements:
            fixture.finish(leased, violations=[0.5], model_path="/trial.keras")
        assert fixture.finish(leased, violations=[0.5], model_path="/trial.keras") is True, f"after {statements[-1:]}"
        trial = fixture.trials()[-1]
        assert (trial.number, trial.state, trial.n_attempts) == (n_statements, "complete", 1)
        assert (trial.values, trial.measurements, trial.model_path) == (VALUES, MEASUREMENTS, "/trial.keras")
        assert constraints_of(fixture, trial.number) == [0.5]
        assert n_open(fixture) == 0
        if len(statements) < n_statements:
            break
    assert len(statements) < n_statements
