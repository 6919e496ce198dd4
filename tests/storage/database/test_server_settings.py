"""Connections that were lost while nobody used them, by an engine of any database."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from tunefront.storage.database import server_settings


def ask(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(sa.text("SELECT 7")).scalar_one())


def lose(engine: sa.Engine) -> None:
    """Break the pooled connection as a server does that restarts: the next statement on it fails."""
    connection = engine.raw_connection()
    assert connection.dbapi_connection is not None
    lost = connection.dbapi_connection
    connection.close()
    lost.close()


def test_a_connection_is_asked_for_its_life_after_a_pause_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'any.db'}", pool_size=1, max_overflow=0)
    server_settings.ping_after_pauses(engine)
    assert ask(engine) == 7
    monkeypatch.setattr(server_settings, "_PAUSE_SECONDS", 0.0)
    lose(engine)
    assert ask(engine) == 7  # on a new one
    monkeypatch.setattr(server_settings, "_PAUSE_SECONDS", 3600.0)
    lose(engine)
    with pytest.raises(sa.exc.ProgrammingError, match="closed"):
        ask(engine)
    engine.dispose()
