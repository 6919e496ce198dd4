"""How often a trial waits for the disk of the database: once when it is taken, drawn, and ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.sampling.trial_source import TrialSource
from tunefront.storage import queue
from tunefront.storage.outcomes import Outcome

WRITES = ("INSERT", "UPDATE", "DELETE")


@contextmanager
def commits(engine: Engine) -> Iterator[Callable[[], int]]:
    """Count the transactions that write: each waits for the disk, and can be the last one of a worker that dies."""
    n_writes, n_commits = 0, 0

    def before_statement(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        nonlocal n_writes
        n_writes += statement.startswith(WRITES)

    def at_commit(_: Any) -> None:
        nonlocal n_writes, n_commits
        n_commits += n_writes > 0
        n_writes = 0

    sa.event.listen(engine, "before_cursor_execute", before_statement)
    sa.event.listen(engine, "commit", at_commit)
    yield lambda: n_commits
    sa.event.remove(engine, "before_cursor_execute", before_statement)
    sa.event.remove(engine, "commit", at_commit)


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("is_waiting", [False, True])
@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_trial_is_taken_drawn_and_ended_by_one_commit_each(
    tmp_path: Path, sampler: str, is_waiting: bool, repeats: bool
) -> None:
    """Where no candidate is to be trained twice, one more commit lets other workers know it at once."""
    chosen = {"name": sampler, "repeats": repeats}
    spec = make_spec(space={"adam": {"learning_rate": {"low": 0.001, "high": 0.1}}}, sampler=chosen)
    fixture = SupervisorFixture(tmp_path, spec, {})
    source = TrialSource(fixture.study, spec, spec.parsed_space(), "anna")
    if is_waiting:
        fixture.study.optuna.enqueue_trial({"adam.learning_rate": 0.01})
    with commits(fixture.study.store.engine) as n_commits:
        leased = source.lease("cpu0")
        assert leased is not None
        n_leases = 1 if repeats else 2
        assert n_commits() == n_leases
        source.suggest(leased[1])
        assert n_commits() == n_leases + 1
        values = [0.9 for _ in fixture.study.optuna.directions]
        assert queue.finish(fixture.study, leased[0], Outcome.COMPLETE, values=values, measurements={"accuracy": 0.9})
        assert n_commits() == n_leases + 2
    ended = fixture.study.optuna.get_trials()[0]
    assert (ended.values, ended.params) == (values, leased[1].params)
    assert len(ended.params) >= 1
