from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from tests.postgres import PostgresServer
from tests.silent_proxy import SilentProxy
from tests.storage.conftest import dispose
from tests.storage.study_fixture import StudyFixture
from tunefront.storage import studies
from tunefront.storage.database import schema
from tunefront.storage.database.connection import Store, open_store
from tunefront.storage.database.locks import LockBusyError, in_turn
from tunefront.storage.database.patience import is_away
from tunefront.storage.database.waits import Waits

WAITS = Waits(lock_seconds=0.3, command_seconds=0.3)


def as_worker(url: str, worker_id: str = "", waits: Waits = WAITS) -> StudyFixture:
    """Open the study's store as another process would."""
    return StudyFixture.on(open_store(url, is_writer=True, worker_id=worker_id, waits=waits))


def take(store: Store, study_id: int | None = None) -> None:
    with store.exclusively(study_id):
        pass


# The lock


def test_exclusively_keeps_a_second_opener_out(fixture: StudyFixture) -> None:
    other = as_worker(fixture.store.url)
    with fixture.store.exclusively(), pytest.raises(LockBusyError, match=r"lock.*not to be had for 0\.3 s.*Ctrl-Z"):
        take(other.store)
    take(other.store)  # free again
    dispose(other.store)


def test_exclusively_frees_the_lock_when_its_block_raises(fixture: StudyFixture) -> None:
    store = replace(fixture.store, waits=WAITS)
    with pytest.raises(KeyError), store.exclusively():
        raise KeyError
    take(store)


def test_a_study_and_the_whole_store_keep_each_other_out(fixture: StudyFixture) -> None:
    other = as_worker(fixture.store.url)
    for held, wanted in ((fixture.study.study_id, None), (None, fixture.study.study_id)):
        with fixture.store.exclusively(held), pytest.raises(LockBusyError):
            take(other.store, wanted)
        take(other.store, wanted)
    dispose(other.store)


def test_in_turn_waits_for_a_lock_for_longer_than_anybody_waits_for_it_once(fixture: StudyFixture) -> None:
    other = as_worker(fixture.store.url, "bert")
    lines: list[str] = []
    held = fixture.study.exclusively()
    held.__enter__()

    def say(line: str) -> None:
        lines.append(line)
        if len(lines) == 2:
            held.__exit__(None, None, None)

    in_turn(lambda: take(other.store, other.study.study_id), say)
    assert len(lines) == 2
    assert all(line.startswith("waiting: the lock of ") and "Ctrl-Z" not in line for line in lines)
    dispose(other.store)


# On a server


@pytest.fixture
def served(postgres: PostgresServer) -> Iterator[StudyFixture]:
    """A study on a server, as worker anna has it."""
    with postgres.database() as url:
        made = as_worker(url, "anna")
        studies.register_worker(made.study, "anna", "host", 1, {})
        yield made
        dispose(made.store)


def was_last_seen_ago(fixture: StudyFixture, seconds: float) -> None:
    with fixture.store.engine.begin() as connection:
        connection.execute(schema.workers.update().values(seen_at=schema.database_now() - seconds))


@pytest.mark.server
def test_two_studies_of_a_server_do_not_wait_for_each_other(served: StudyFixture) -> None:
    other = as_worker(served.store.url)
    second = StudyFixture.on(other.store, "second")
    with served.study.exclusively(), second.study.exclusively(), pytest.raises(LockBusyError):
        take(other.store, served.study.study_id)
    dispose(other.store)


@pytest.mark.server
def test_whoever_waits_for_a_lock_gets_it_in_turn(served: StudyFixture) -> None:
    """The server queues them: nobody polls, and nobody who came later is first."""
    waits = replace(WAITS, lock_seconds=20.0, command_seconds=20.0)
    others = [as_worker(served.store.url, waits=waits) for _ in range(3)]
    served_in_turn: list[int] = []

    def take_in_turn(number: int) -> None:
        with others[number].study.exclusively():
            served_in_turn.append(number)

    threads = [threading.Thread(target=take_in_turn, args=(number,)) for number in range(3)]
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with served.study.exclusively():
        for n_waiting, thread in enumerate(threads, start=1):
            thread.start()
            with served.store.engine.connect() as connection:
                while connection.execute(waiting).scalar_one() < n_waiting:
                    time.sleep(0.01)
    for thread in threads:
        thread.join()
    assert served_in_turn == [0, 1, 2]
    for other in others:
        dispose(other.store)


@pytest.mark.server
@pytest.mark.parametrize("is_whole_store", [False, True])
def test_the_connection_of_a_silent_worker_is_ended_by_whoever_waits_for_its_lock(
    served: StudyFixture, is_whole_store: bool
) -> None:
    study_id = None if is_whole_store else served.study.study_id
    bert = as_worker(served.store.url, "bert")
    with SilentProxy(served.store.url) as proxy:
        anna = as_worker(proxy.url, "anna")
        with anna.store.exclusively(study_id) as check:
            check()
            was_last_seen_ago(served, seconds=30.0)  # less than a lease
            with pytest.raises(LockBusyError, match="tunefront:anna holds it"):
                take(bert.store, study_id)
            proxy.swallow()  # from now on, nothing from or to anna arrives, and no connection breaks
            was_last_seen_ago(served, seconds=59.6)  # when bert looks, so little is left that he waits for it
            take(bert.store, study_id)
            proxy.speak()
            with pytest.raises(sa.exc.DBAPIError) as lost:  # so she does not write what relies on the lock
                check()
            assert is_away(lost.value)
        take(anna.store, study_id)
        dispose(anna.store)
    dispose(bert.store)


@pytest.mark.server
def test_a_command_that_holds_the_lock_is_not_ended(served: StudyFixture) -> None:
    command = as_worker(served.store.url)
    was_last_seen_ago(served, seconds=100)
    with command.study.exclusively() as check:
        with pytest.raises(LockBusyError, match="tunefront holds it"):
            take(served.store, served.study.study_id)
        check()
    dispose(command.store)


# The settings of connections


@pytest.mark.server
def test_each_connection_to_a_server_has_the_settings_that_end_silence(served: StudyFixture) -> None:
    expected = {
        "application_name": "tunefront:anna",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "30s",
    }
    lent = [served.store.engine.connect() for _ in range(3)]
    try:
        take(served.store)  # which changes a setting of its own connection, and puts it back
        for connection in (*lent, served.store.engine.connect()):
            found = {name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in expected}
            assert found == expected
            connection.close()
    finally:
        for connection in lent:
            connection.close()


@pytest.mark.server
def test_a_connection_over_a_network_gives_up_a_silent_server(served: StudyFixture) -> None:
    with SilentProxy(served.store.url) as proxy:
        store = open_store(f"{proxy.url}?keepalives_idle=7")
        with store.engine.connect() as connection:
            info = connection.connection.dbapi_connection.info.get_parameters()  # type: ignore[union-attr]
            found = [info[name] for name in ("keepalives_idle", "keepalives_interval", "keepalives_count")]
            assert found == ["7", "5", "3"]  # the first is a person's own choice
            assert info["tcp_user_timeout"] == "25000"
            assert info["application_name"] == "tunefront"
        dispose(store)


@pytest.mark.server
def test_a_statement_does_not_wait_for_a_locked_row_for_long(served: StudyFixture) -> None:
    other = as_worker(served.store.url, waits=replace(WAITS, row_seconds=0.2))
    update = schema.workers.update().values(pid=2)
    with served.store.engine.begin() as holder:
        holder.execute(update)
        with (
            pytest.raises(sa.exc.OperationalError, match="lock timeout") as raised,
            other.store.engine.begin() as waiter,
        ):
            waiter.execute(update)
    assert is_away(raised.value)
    dispose(other.store)


@pytest.mark.server
def test_a_transaction_in_which_nothing_happens_is_ended(served: StudyFixture) -> None:
    paused = as_worker(served.store.url, waits=replace(WAITS, idle_seconds=0.2))
    update = schema.workers.update().values(pid=2)
    with contextlib.suppress(sa.exc.SQLAlchemyError), paused.store.engine.begin() as connection:
        connection.execute(update)
        with served.store.engine.begin() as other:  # waits for the row, which the paused worker keeps for 0.2 s
            other.execute(update)
        with pytest.raises(sa.exc.DBAPIError) as raised:
            connection.execute(update)
        assert is_away(raised.value)
    dispose(paused.store)
