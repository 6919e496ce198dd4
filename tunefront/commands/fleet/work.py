"""The command `work`, which runs trials of the open studies of a storage on this machine."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from tunefront.commands.options import DataRootOption, OwnCodeOption, SlotsOption, SlotsPerGpuOption, StorageOption
from tunefront.commands.screen.spinner import at_work
from tunefront.commands.session import interrupted_early, trust_in
from tunefront.commands.terminal import UserError, make_console, say, storage_argument, suggest, writable_folder
from tunefront.study import DEFAULT_STORAGE, find_study

UNFINISHED = 75  # the exit code when studies are left: EX_TEMPFAIL, so that whoever started the worker starts another
_LONGEST_NAME = 100  # of a worker


def work(
    storage: StorageOption = DEFAULT_STORAGE,
    study: Annotated[
        str, typer.Option(help="The one study to work on, until it is over.  [default: all that were submitted]")
    ] = "",
    slots: SlotsOption = None,
    slots_per_gpu: SlotsPerGpuOption = "",
    gpus: Annotated[
        str, typer.Option(metavar="0,2", help="GPUs to use, by number or UUID.  [default: all]", show_default=False)
    ] = "",
    until_idle: Annotated[bool, typer.Option("--until-idle", help="End when no study is open.")] = False,
    time_limit: Annotated[
        str,
        typer.Option(
            metavar="3h", help="Give running trials back and end after this time.  [default: none]", show_default=False
        ),
    ] = "",
    out: Annotated[Path, typer.Option(help="Folder for the results folders of the studies.")] = Path("results"),
    data_root: DataRootOption = None,
    allow_own_code: OwnCodeOption = False,
    name: Annotated[
        str, typer.Option(help="What others call this worker.  [default: its host and process]", show_default=False)
    ] = "",
) -> None:
    """Run trials of all studies that were submitted to the storage, by priority, then fairly.

    The specs come from the storage, the data from where these say. It goes on until Ctrl-C or SIGTERM, which give
    running trials back to the queue with their checkpoints.

    The exit code is 0 when the studies are over, and 75 when trials are left.
    """
    with at_work("reading the storage"):
        from tunefront.search.launching.fork_server import Launcher
        from tunefront.search.launching.gpu_shares import read_slots_per_gpu
        from tunefront.search.system.backend import check_backend

        check_backend()
        per_gpu = read_slots_per_gpu(slots_per_gpu, slots)
        seconds = _read_seconds(time_limit)
        if len(name) > _LONGEST_NAME:
            raise UserError(f"--name {name}: {len(name)} characters are too many. Give at most {_LONGEST_NAME}")
        if study:
            find_study(storage, study)
        trust = trust_in(data_root, allow_own_code)
    folder = writable_folder(out)
    with interrupted_early(storage, False), tempfile.TemporaryDirectory(prefix="tunefront-") as scratch_name:
        scratch = Path(scratch_name)
        launcher = Launcher(scratch / "forkserver.log")
        launcher.load()  # takes many seconds, so everything else is imported meanwhile
        from tunefront.commands.screen.fleet_views import make_fleet_view
        from tunefront.search.fleet.work import WorkRequest, work_here

        view = make_fleet_view(make_console())
        try:
            done = work_here(
                WorkRequest(
                    storage,
                    slots,
                    gpus,
                    study,
                    until_idle,
                    seconds,
                    folder,
                    launcher,
                    scratch,
                    trust,
                    name,
                    per_gpu,
                ),
                view,
            )
        finally:
            view.close()
    where = storage_argument(storage)
    left = done.unfinished
    if left:
        shown = ", ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
        say(f"not over: {shown}. Every finished trial is kept, and trainings go on from their last checkpoint")
        suggest(f"tunefront work{where}", f"tunefront status{where}")
        raise typer.Exit(UNFINISHED)
    if not done.is_known:
        say("the storage is away, so nobody knows whether trials are left: what was not told yet waits in the results")
        suggest(f"tunefront work{where}", f"tunefront status{where}")
        raise typer.Exit(UNFINISHED)
    say("no study is left with trials to run")
    suggest(*(f"tunefront report {each}{where}" for each in done.worked_on[:5]), f"tunefront status{where}")


def _read_seconds(text: str) -> float | None:
    """Return a time in seconds; None without one.

    Raises:
        UserError: If it is no time.
    """
    from tunefront.objectives.quantities import parse_quantity

    if not text:
        return None
    try:
        seconds = parse_quantity(text, "seconds")
    except ValueError as error:
        raise UserError(f"--time-limit {text}: {error}") from None
    if seconds <= 0:
        raise UserError(f"--time-limit {text}: give a time above 0, such as 3h or 90min")
    return seconds
