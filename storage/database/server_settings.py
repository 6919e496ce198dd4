"""The settings of each connection to a database server, so that neither side waits for one that has fallen silent.

A machine that loses its power or its network does not say so. By default a client waits a quarter of an hour for such a
server, and a server keeps the locks of such a client for two hours.
"""

from __future__ import annotations

import math
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from tunefront.storage.database.waits import Waits

APPLICATION = "tunefront"  # followed by a colon and the worker's identifier, where a worker connects
_LIBPQ_DRIVERS = ("psycopg", "psycopg2")
_CONNECT_SECONDS = 10
# A silent peer is given up after idle + count * interval = 25 seconds, which is well within a lease.
_IDLE_SECONDS, _INTERVAL_SECONDS, _COUNT = 10, 5, 3
_UNANSWERED_MILLISECONDS = 25_000
_PAUSE_SECONDS = 1.0  # after which a connection may have been lost without a statement that failed


def connect_arguments(url: URL, worker_id: str = "") -> dict[str, Any]:
    """Return the client's settings for a PostgreSQL server; those that the URL names itself are left out."""
    if url.get_backend_name() != "postgresql" or url.get_driver_name() not in _LIBPQ_DRIVERS:
        return {}
    settings = {
        "connect_timeout": _CONNECT_SECONDS,
        "keepalives": 1,
        "keepalives_idle": _IDLE_SECONDS,
        "keepalives_interval": _INTERVAL_SECONDS,
        "keepalives_count": _COUNT,
        "tcp_user_timeout": _UNANSWERED_MILLISECONDS,
    }
    chosen = {name: value for name, value in settings.items() if name not in url.query}
    # Whoever waits for a lock finds its holder by this name, so a name in the URL does not count.
    return {**chosen, "application_name": f"{APPLICATION}:{worker_id}" if worker_id else APPLICATION}


def server_side_settings(waits: Waits) -> dict[str, str]:
    """Return PostgreSQL's settings for how long it waits for a client, but for locks."""
    return {
        "idle_in_transaction_session_timeout": _milliseconds(waits.idle_seconds),
        "tcp_keepalives_idle": str(_IDLE_SECONDS),
        "tcp_keepalives_interval": str(_INTERVAL_SECONDS),
        "tcp_keepalives_count": str(_COUNT),
        "tcp_user_timeout": str(_UNANSWERED_MILLISECONDS),
    }


def set_server_side(engine: Engine, waits: Waits) -> None:
    """Let each new connection of the engine tell a PostgreSQL server how long to wait."""
    if engine.dialect.name != "postgresql":
        return
    settings = {"lock_timeout": _milliseconds(waits.row_seconds), **server_side_settings(waits)}
    calls = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in settings.items())

    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SELECT {calls}")
        cursor.close()
        connection.commit()  # a rollback would undo the settings


def ping_after_pauses(engine: Engine) -> None:
    """Ask whether a connection is still alive before it is used again after a pause, and make another one if it is not.

    SQLAlchemy's own way asks each time, which a busy worker would do as often as it asks for anything else.
    """

    @sa.event.listens_for(engine, "checkin")
    def note(connection: Any, record: sa.pool.ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def ping(connection: Any, record: sa.pool.ConnectionPoolEntry, proxy: Any) -> None:
        if time.monotonic() - record.info.get("used_at", math.inf) < _PAUSE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except Exception as error:  # of any driver
            raise sa.exc.InvalidatePoolError from error


def _milliseconds(seconds: float) -> str:
    return str(round(1000 * seconds))
