"""The work of this machine on the studies of a store, until they are over or it is interrupted."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tunefront.mistakes import TunefrontError
from tunefront.search.fleet.here import Here
from tunefront.search.fleet.open_studies import OpenStudies
from tunefront.search.fleet.unfit import Trust
from tunefront.search.fleet.worker import Worker
from tunefront.search.launching import machine
from tunefront.search.launching.asker import Asker
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.launching.gpu_shares import PerGpu
from tunefront.search.launching.gpus import Gpu, list_gpus, visible
from tunefront.search.launching.slots import describe_gpu_memory, make_slots
from tunefront.search.supervisor.contact.presence import present
from tunefront.search.supervisor.view import View
from tunefront.search.system.optuna_log import quiet_optuna
from tunefront.search.system.processes import n_cpus
from tunefront.search.system.signals import interruptible
from tunefront.storage.database.connection import open_store
from tunefront.storage.database.locks import in_turn


class FleetView(Protocol):
    """A screen that shows several studies while they run."""

    def of(self, study: str) -> View:
        """Return the view of one study; closing it takes the study off the screen."""

    def say(self, study: str, line: str) -> None:
        """Print a line on a study, or with an empty name on the worker."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Show how far some preparation has come; an empty text takes it off the screen."""

    def close(self) -> None:
        """Close the view."""


@dataclass(frozen=True)
class WorkRequest:
    """The request of a person that this machine works.

    Attributes:
        n_slots: The number of slots; None lets the machine decide.
        gpus: The indices or UUIDs of the GPUs to use, separated by commas; empty for all.
        only: The one study to work on, until it is over; empty for all that are open.
        until_idle: Whether to end when no study is open.
        seconds: The time after which the worker drains; None for no limit.
        out: The folder for the results folders of studies.
        launcher: The starter of trial processes, which may be loading already.
        scratch: An empty folder that exists as long as the work.
        name: What people call the worker; empty for its host's name and the process's number.
        per_gpu: The number of slots on each GPU, which divide its memory, in place of `n_slots`.
    """

    url: str = field(repr=False)
    n_slots: int | None
    gpus: str
    only: str
    until_idle: bool
    seconds: float | None
    out: Path
    launcher: Launcher
    scratch: Path
    trust: Trust
    name: str = ""
    per_gpu: PerGpu | None = None


@dataclass(frozen=True)
class WorkDone:
    """What is left when a worker has ended.

    Attributes:
        unfinished: The names of the studies that are not over.
        worked_on: The names of those that it worked on.
        is_known: Whether the store could be asked; else `unfinished` is what was known before.
    """

    unfinished: Sequence[str]
    worked_on: Sequence[str]
    is_known: bool


class GpuError(TunefrontError):
    """A GPU that was named is not there."""


@quiet_optuna()  # the view reports what happens
def work_here(request: WorkRequest, view: FleetView) -> WorkDone:
    """Work on open studies, until they are over or the work is interrupted.

    Raises:
        GpuError, GpuShareError: If this machine has no such GPU, or it cannot be divided as requested.
        StoreError: If the storage cannot be opened.
    """
    gpus = choose_gpus(list_gpus(), request.gpus)
    slots = make_slots(request.n_slots, gpus, n_cpus(), machine.memory_bytes(), request.per_gpu)
    process_id = uuid.uuid4().hex
    store = in_turn(
        lambda: open_store(request.url, is_writer=True, worker_id=process_id), lambda line: view.say("", line)
    )
    with interruptible(lambda line: view.say("", line)) as is_interrupted:
        is_over = _until(request.seconds, is_interrupted, lambda line: view.say("", line))
        asker = Asker(request.launcher, slots[0], request.scratch / "prepare.log", view.progress)
        here = Here(store, slots, gpus, request.out, asker, request.trust, view.of, is_over)
        duty = OpenStudies(here, view.say, only=request.only, until_idle=request.until_idle)
        slot_names = ", ".join(slot.name for slot in slots)
        with present(store, slots, gpus, lambda line: view.say("", line), request.name) as name:
            memory = describe_gpu_memory(slots)
            n_slots = f"{len(slots)} slot{'s' if len(slots) > 1 else ''} ({slot_names})"
            n_slots += f", up to {memory} of GPU memory each" if memory else ""
            view.say("", f"worker {name}: {n_slots}. Ctrl-C gives back what runs")
            try:
                Worker(slots, duty, is_over).work()
            finally:
                duty.end()
        return WorkDone(duty.unfinished(), duty.worked_on, duty.is_known)


def choose_gpus(gpus: Sequence[Gpu], wanted: str) -> list[Gpu]:
    """Return the GPUs that a person names by index or UUID, separated by commas; all if none is named.

    Raises:
        GpuError: If one of them is not there.
    """
    if not wanted:
        return list(gpus)
    found = visible(gpus, wanted)
    if len(found) < len(wanted.split(",")):
        there = f"it has {len(gpus)}, numbered from 0" if gpus else "it has none"
        raise GpuError(f"--gpus {wanted}: this machine has no GPU {wanted.split(',')[len(found)].strip()!r}; {there}")
    if len({gpu.uuid for gpu in found}) < len(found):
        raise GpuError(f"--gpus {wanted} names a GPU twice: name each once, and let --slots-per-gpu share it")
    return found


def _until(seconds: float | None, is_interrupted: Callable[[], bool], say: Callable[[str], None]) -> Callable[[], bool]:
    """Return a function that tells whether the work is interrupted, or its time is up, which is told once."""
    if seconds is None:
        return is_interrupted
    deadline, is_told = time.monotonic() + seconds, False

    def is_over() -> bool:
        nonlocal is_told
        if time.monotonic() >= deadline and not is_told:
            is_told = True
            say("the time limit is reached: running trials go back to the queue ...")
        return is_told or is_interrupted()

    return is_over
