from __future__ import annotations

import sqlite3
from types import SimpleNamespace

import optuna
import pytest
import sqlalchemy as sa

from tunefront.storage.database import patience
from tunefront.storage.database.locks import StoreError
from tunefront.storage.database.patience import patiently

# Waiting for a database that cannot be reached, on a clock that only sleeping moves


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that `patiently` made; none takes real time."""
    pauses: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: sum(pauses), sleep=pauses.append)
    monkeypatch.setattr(patience, "time", clock)
    return pauses


def away() -> sa.exc.OperationalError:
    return sa.exc.OperationalError("SELECT 1", None, sqlite3.OperationalError("database is locked"))


class ReadOnlyError(Exception):
    """An error as psycopg has it of a server that only reads, with PostgreSQL's code."""

    sqlstate = "25006"


def test_patiently_returns_at_once_when_all_is_well(slept: list[float]) -> None:
    assert patiently(lambda: 7) == 7
    assert slept == []


@pytest.mark.parametrize(
    "error",
    [
        away(),
        sa.exc.InterfaceError("SELECT 1", None, Exception("connection already closed")),
        sa.exc.InternalError("UPDATE trials", None, ReadOnlyError("cannot execute UPDATE")),
        optuna.exceptions.StorageInternalError("An exception is raised during the commit"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_patiently_tries_again_while_the_database_is_away(slept: list[float], error: Exception) -> None:
    errors = [error] * 5

    def operation() -> str:
        if errors:
            raise errors.pop()
        return "done"

    assert patiently(operation) == "done"
    assert slept == [0.05, 0.1, 0.2, 0.4, 0.8]


def test_patiently_gives_up_before_a_lease_is_over(slept: list[float]) -> None:
    def operation() -> None:
        raise away()

    with pytest.raises(sa.exc.OperationalError):
        patiently(operation)
    assert 40 < sum(slept) <= 45
    assert max(slept) == 2.0


@pytest.mark.parametrize("error", [ValueError("no"), KeyError("no"), StoreError("no")])
def test_patiently_passes_other_errors_on_at_once(slept: list[float], error: Exception) -> None:
    def operation() -> None:
        raise error

    with pytest.raises(type(error)):
        patiently(operation)
    assert slept == []
