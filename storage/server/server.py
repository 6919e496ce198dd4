"""Starting and stopping the server of a folder. It runs on by itself until it is stopped, or its machine is."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL

from tunefront.storage.database.password_file import check_password_file
from tunefront.storage.database.passwords import written
from tunefront.storage.files import replace_file
from tunefront.storage.server.configuration import access, configuration
from tunefront.storage.server.data import make_data, read_major, replace_password
from tunefront.storage.server.programs import Programs, ServerError, server_programs
from tunefront.storage.server.server_user import ServerUser, choose_user
from tunefront.storage.server.store_folder import DATABASE, LOOPBACK, ROLE, Listening, StoreFolder

_START_SECONDS = 300  # after a hard stop of a large store it first recovers
_NO_SERVER = 3  # what `pg_ctl status` exits with
_PROBE_SECONDS = 2.0
_LOG_LINES = 5
_REMEDY_DATA = "Name a folder that it may enter: --data /var/lib/tunefront/store"
_REMEDY_PROGRAMS = "Install tunefront where every user may read it, such as below /opt, or run this as another user"


@dataclass(frozen=True)
class RunningServer:
    """A server that runs.

    Attributes:
        version: PostgreSQL's, such as ``16.14``.
        user: The name of the user it runs as.
        is_started: Whether it was started just now, and did not run before.
        has_new_password: Whether copies of an earlier password file are of no use any more.
    """

    folder: StoreFolder
    listening: Listening
    version: str
    user: str
    is_started: bool
    has_new_password: bool = False

    @property
    def host(self) -> str:
        """The name by which clients reach this machine: its own, if the server listens at every address."""
        return socket.gethostname() if self.listening.host in ("0.0.0.0", "::") else self.listening.host

    @property
    def address(self) -> str:
        """The URL for `--storage`, which names the file of the password."""
        return self.address_with(str(self.folder.password_file))

    def address_with(self, password_file: str) -> str:
        """Return the URL for a machine that has its copy of the password file elsewhere."""
        return written(_url(self.host, self.listening.port, password_file))


def start_server(path: Path, host: str | None = None, port: int | None = None) -> RunningServer:
    """Start the server of a folder, which is made if it is missing, or find it running.

    Args:
        host: The address of this machine to listen at; None for that of the last start.
        port: None for that of the last start.

    Raises:
        ServerError: If it cannot be started, if others may change its folder, or if it runs with another host or port
            than those given.
    """
    if host is not None and not host.strip():
        raise ServerError("--listen is empty. Name an address of this machine; 0.0.0.0 means all that it has")
    folder = StoreFolder(path.absolute())
    is_store = folder.check()
    programs = server_programs(read_major(folder))
    if find_spec("psycopg") is None:
        raise ServerError("psycopg, by which tunefront speaks to it, is not installed: pip install 'tunefront[server]'")
    user = choose_user(folder.data)
    user.check_reach(folder.data, _REMEDY_DATA)
    user.check_reach(Path(programs.path("postgres")), _REMEDY_PROGRAMS)
    folder.make(for_other_user=user.is_other)
    with folder.exclusively():
        listening = folder.read_listening() if is_store else Listening()
        wanted = Listening(listening.host if host is None else host, listening.port if port is None else port)
        if is_store and _is_running(folder, user, programs):
            if wanted != listening:
                raise ServerError(
                    f"the store in {folder.path} runs already, and listens at {listening.host}, port {listening.port}. "
                    "Stop it first, by 'tunefront store stop' with the same --data; runs wait until it is back"
                )
            if not folder.password_file.exists():
                raise ServerError(
                    f"the store in {folder.path} runs, but its password file {folder.password_file} is gone. Stop the "
                    "store and start it: it makes a new password"
                )
            return RunningServer(folder, listening, programs.version, user.name, is_started=False)
        _check_free(wanted)
        folder.write_listening(listening)  # from here on this is a store, also if what follows is cut off
        has_data = folder.data.exists()
        has_password = folder.password_file.exists()
        if not has_data:
            make_data(folder, user, programs)
        elif not has_password:
            replace_password(folder, user, programs)
        replace_file(folder.configuration, configuration(folder, wanted))
        replace_file(folder.access, access(wanted))
        for file in (folder.configuration, folder.access):
            file.chmod(0o644)  # no secrets, and the server's user reads them
        check_password_file(folder.password_file)
        folder.write_listening(wanted)  # before it runs: whoever is cut off next finds it there
        try:
            _launch(folder, user, programs)
        except ServerError:
            folder.write_listening(listening)
            raise
        _check_answer(folder, wanted)
    return RunningServer(
        folder, wanted, programs.version, user.name, is_started=True, has_new_password=has_data and not has_password
    )


def stop_server(path: Path) -> bool:
    """Stop the server of a folder; False if it did not run. Its clients lose their connections.

    Raises:
        ServerError: If there is no store in the folder, or it cannot be stopped.
    """
    folder = StoreFolder(path.absolute())
    if not folder.check():
        raise ServerError(f"there is no store in {folder.path}. Name its folder with --data")
    if not folder.data.exists():  # its first start was cut off
        return False
    user, programs = choose_user(folder.data), server_programs(read_major(folder))
    with folder.exclusively():
        if user.run([programs.path("pg_ctl"), "-D", str(folder.data), "status"]).returncode == _NO_SERVER:
            return False
        done = user.run([programs.path("pg_ctl"), "-D", str(folder.data), "-m", "fast", "-w", "stop"])
        if done.returncode:
            raise ServerError(f"the store in {folder.path} did not stop: {done.stdout.strip()}")
    return True


def _url(host: str, port: int, password_file: str) -> URL:
    query = {"passfile": password_file}
    return URL.create("postgresql+psycopg", ROLE, host=host, port=port, database=DATABASE, query=query)


def _is_running(folder: StoreFolder, user: ServerUser, programs: Programs) -> bool:
    """Return whether the server runs and answers.

    After a reboot another process may have the number that is noted of the server, so its port is asked too.
    """
    if user.run([programs.path("pg_ctl"), "-D", str(folder.data), "status"]).returncode != 0:
        return False
    try:
        with socket.create_connection((LOOPBACK, folder.read_listening().port), _PROBE_SECONDS):
            return True
    except OSError:
        return False


def _check_free(listening: Listening) -> None:
    """Check that the server can listen where it is to.

    Raises:
        ServerError: If another program listens there, or it is no address of this machine.
    """
    for host in dict.fromkeys((LOOPBACK, listening.host)):
        try:
            family, kind, _, _, address = socket.getaddrinfo(host, listening.port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(address)
        except OSError as error:
            remedies = {
                errno.EADDRINUSE: f"another program listens there. Name another port: --port {listening.port + 1}",
                errno.EADDRNOTAVAIL: "this machine has no such address. --listen 0.0.0.0 means all that it has",
                errno.EACCES: "no permission for a port below 1024. Name another port: --port 5432",
            }
            why = remedies.get(
                error.errno or 0, f"{error.strerror}. --listen 0.0.0.0 means all addresses of this machine"
            )
            raise ServerError(f"the store cannot listen at {host}, port {listening.port}: {why}") from None


def _launch(folder: StoreFolder, user: ServerUser, programs: Programs) -> None:
    begin = folder.log.stat().st_size if folder.log.exists() else 0
    # pg_ctl starts the server by a shell, and quotes paths badly: these have nothing to quote.
    ctl = [programs.path("pg_ctl"), "-D", ".", "-l", folder.log.name, "-t", str(_START_SECONDS), "-w", "start"]
    done = user.run(ctl, folder=folder.data)
    if done.returncode == 0:
        return
    said = folder.log.read_bytes()[begin:].decode(errors="replace").splitlines() if folder.log.exists() else []
    why = [line for line in said if "FATAL" in line or "ERROR" in line] or said or done.stdout.strip().splitlines()
    raise ServerError(f"the server did not start: {'; '.join(why[-_LOG_LINES:])}. More in {folder.log}")


def _check_answer(folder: StoreFolder, listening: Listening) -> None:
    engine = sa.create_engine(_url(LOOPBACK, listening.port, str(folder.password_file)))
    try:
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
    except sa.exc.OperationalError as error:
        why = str(error.orig).splitlines()[0]
        raise ServerError(
            f"the server runs, but refuses the password in {folder.password_file}: {why}. If that file was changed, "
            "stop the store, remove the file, and start the store: it makes a new password"
        ) from error
    finally:
        engine.dispose()
