"""The commands `store start`, `stop`, `backup` and `check`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunefront.commands.options import JsonOption, StorageOption
from tunefront.commands.screen.spinner import at_work
from tunefront.commands.terminal import say, show_json
from tunefront.study import DEFAULT_STORAGE

if TYPE_CHECKING:
    from tunefront.storage.server.server import RunningServer

store = typer.Typer(
    name="store",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Look after the database of the studies: start a server for several machines, back it up, check it.\n\n"
    "Without any of this, studies live in an SQLite file of one machine. `store start` starts a PostgreSQL server, "
    "installed by `pip install 'tunefront[server]'`, whose studies workers on several machines share.",
)

DataOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the store.  [default: ~/.local/share/tunefront/store; for root /var/lib/tunefront/store]",
        show_default=False,
        readable=False,  # what may not be read has an error of its own
    ),
]


@store.command()
def start(
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Address of this machine at which others reach the store; 0.0.0.0 means all of its addresses. They "
            "need the password, and nothing is encrypted.  [default: that of the last start, at first 127.0.0.1]",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Port.  [default: that of the last start, at first 5432]", show_default=False
        ),
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start a database server that runs on by itself, and print its address and how to use it.

    The first start makes the folder, and a password in a file that only you can read. The address names that file, and
    has no password in it. If the store runs already, its address is printed again. Started by root it runs as the user
    `tunefront`, if there is one, else as `nobody`. After a reboot start it again.
    """
    from tunefront.storage.server.server import start_server
    from tunefront.storage.server.store_folder import default_folder

    with at_work("starting the store"):
        running = start_server(data or default_folder(), listen, port)
    if as_json:
        show_json(
            {
                "address": running.address,
                "password_file": str(running.folder.password_file),
                "data": str(running.folder.path),
                "version": running.version,
                "is_started": running.is_started,
            }
        )
        return
    _explain(running, data)


def _explain(running: RunningServer, data: Path | None) -> None:
    """Say where the store is, and how this and other machines use it."""
    listening, folder = running.listening, running.folder
    argument = "" if data is None else f" --data {shlex.quote(str(folder.path))}"
    is_new = "runs" if running.is_started else "runs already"
    say(f"the store {is_new}: PostgreSQL {running.version}, as user {running.user}, data in {folder.path}")
    if running.has_new_password:
        say("its password file was gone, so it has a new password: copies of the old file are of no use any more")
    say("\nits address, which has no password in it:")
    say(f"  {running.address}", is_prose=False)
    say("\nto use it:")
    say(f"  tunefront run spec.toml --storage {shlex.quote(running.address)}", is_prose=False)
    say("or, for all commands of this shell:")
    say(f"  export TUNEFRONT_STORAGE={shlex.quote(running.address)}", is_prose=False)
    if listening.is_local:
        say("\nonly this machine reaches it. For others, stop it, and start it with --listen 0.0.0.0")
    else:
        copy = "/home/you/tunefront-passfile"
        host = running.host
        say("\non another machine, copy the password file, for yourself alone, and name the copy:")
        say(f"  scp {host}:{shlex.quote(str(folder.password_file))} {copy} && chmod 600 {copy}", is_prose=False)
        say(f"  tunefront run spec.toml --storage {shlex.quote(running.address_with(copy))}", is_prose=False)
        say(
            f"\ntunefront: warning: whoever reaches port {listening.port} of {host} may try passwords, and what is "
            "sent is not encrypted. Keep it in a network that you trust, or leave --listen away and forward the port: "
            f"ssh -N -L {listening.port}:127.0.0.1:{listening.port} {host}"
        )
    say("\nto stop it:")
    say(f"  tunefront store stop{argument}", is_prose=False)


@store.command()
def stop(data: DataOption = None) -> None:
    """Stop the server that `store start` started. Studies under way wait until it is started again.

    The exit code is 1 if it did not run.
    """
    from tunefront.storage.server.server import stop_server
    from tunefront.storage.server.store_folder import default_folder

    folder = data or default_folder()
    with at_work("stopping the store"):
        is_stopped = stop_server(folder)
    if not is_stopped:
        say(f"the store in {folder} did not run")
        raise typer.Exit(1)
    argument = "" if data is None else f" --data {shlex.quote(str(data))}"
    say(f"the store in {folder} is stopped. Runs that use it wait until it is started again:")
    say(f"  tunefront store start{argument}", is_prose=False)


@store.command()
def backup(
    to: Annotated[
        Path | None,
        typer.Option(
            help="File to write.  [default: tunefront-DATE-TIME.db or .dump in the current folder]", show_default=False
        ),
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    as_json: JsonOption = False,
) -> None:
    """Write all studies of a storage into one file, and say how to put them back. Runs go on meanwhile.

    Everything is of one moment. Of SQLite it is a copy of the file, of PostgreSQL a dump by pg_dump, also of a server
    that `store start` has not started. Models and reports lie in results folders, and are not in it.
    """
    from tunefront.storage.backup.backup import back_up

    with at_work("writing the backup"):
        made = back_up(storage, to)
    if as_json:
        show_json({"path": str(made.path), "bytes": made.n_bytes, "restore": list(made.restore)})
        return
    say(f"wrote {made.path} ({made.n_bytes:,} bytes). Models and reports, which lie in results folders, are not in it")
    say("\n".join(["", *made.restore]), is_prose=False)


@store.command()
def check(storage: StorageOption = DEFAULT_STORAGE, as_json: JsonOption = False) -> None:
    """Count what a storage has, and say what is wrong with it and what to do. Nothing is changed.

    It finds leases that have run out, running trials that nobody works on, rows of studies and trials that are gone,
    files of kept models that are missing, here or in artifacts, artifacts that belong to no trial, tables of mixed
    versions and a damaged SQLite file. Workers may be at work meanwhile. The exit code is 1 if something is wrong.
    """
    from tunefront.commands.store.check_text import check_json, describe_check
    from tunefront.storage.check.store_check import check_store
    from tunefront.storage.database.connection import open_store

    with at_work("checking the storage"):
        checked = check_store(open_store(storage))
    if as_json:
        show_json(check_json(checked))
    else:
        say(describe_check(checked, storage))
    if checked.defects:
        raise typer.Exit(1)
