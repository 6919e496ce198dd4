"""This machine: its description for the report, and whether a supervisor on it still runs."""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from tunefront.search.launching.gpus import Gpu
from tunefront.search.launching.slots import Slot, describe_gpu_memory
from tunefront.search.system.processes import n_cpus

BUSY = 1.5  # processes that want each CPU core; above this, times are mostly waiting


def memory_bytes() -> int:
    """Return the bytes of memory that are available without swapping."""
    return int(psutil.virtual_memory().available)


def free_memory_share() -> float:
    """Return the share of this machine's memory that is available without swapping."""
    memory = psutil.virtual_memory()
    return float(memory.available / memory.total)


def load_average() -> float:
    """Return the number of processes that wanted a CPU in the last minute, divided by the number of cores."""
    return float(psutil.getloadavg()[0]) / n_cpus()


def describe(slots: Sequence[Slot], gpus: Sequence[Gpu], versions: Mapping[str, str], precision: str) -> dict[str, Any]:
    """Return hardware, versions and slots, as the report states them."""
    return {
        "host_name": socket.gethostname(),
        "cpu": _cpu_name(),
        "n_cpus": n_cpus(),
        "memory_bytes": int(psutil.virtual_memory().total),
        "gpus": [gpu.name for gpu in gpus],
        "os": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **versions,
        "optuna": version("optuna"),
        "tunefront": version("tunefront"),
        "precision": precision,
        "slots": [slot.name for slot in slots],
        "threads_per_slot": slots[0].n_threads,
        **({"gpu_memory_per_slot": memory} if (memory := describe_gpu_memory(slots)) else {}),
        **({"niceness": niceness} if (niceness := os.nice(0)) > 0 else {}),
        "process_started_at": psutil.Process().create_time(),  # on this machine's clock, for is_alive
        **_process_ticks(os.getpid()),
    }


def device_kind(slot: Slot, gpus: Sequence[Gpu]) -> str:
    """Return what two slots must share for their times to be compared.

    It is the GPU's name with the number of slots that have it together, or the CPU's name with its threads.
    """
    names = [gpu.name for gpu in gpus if gpu.uuid == slot.gpu_uuid]
    if not names:
        return f"{_cpu_name()}, {slot.n_threads} thread{'s' * (slot.n_threads > 1)}"
    return names[0] if slot.share is None else f"{names[0]}, shared by {slot.share.n_slots}"


def host_key() -> str:
    """Return a name of this boot of this machine and its process namespace, within which process numbers are unique."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    namespace = Path("/proc/self/ns/pid")
    if not boot.exists():
        return f"{socket.gethostname()} {psutil.boot_time():.0f}"
    return f"{boot.read_text().strip()} {os.readlink(namespace)}"


def is_alive(pid: int, description: Mapping[str, Any]) -> bool:
    """Return whether the process `pid`, which described itself so on this machine, still runs.

    A younger process has only got the number of one that ended.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:  # it has ended, but its parent has not read its exit code yet
            return False
        if "process_ticks" in description:
            return _process_ticks(pid) == {"process_ticks": description["process_ticks"]}
        # Described by an older tunefront, or not on Linux.
        return bool(process.create_time() <= description["process_started_at"] + 5)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _process_ticks(pid: int) -> dict[str, int]:
    """Return when a process started, in clock ticks since the machine did; nothing where a system does not tell it.

    Seconds on a clock would not do: when the clock is set, the same process seems to have started at another time.
    """
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2]
        return {"process_ticks": int(after_name.split()[19])}
    except (OSError, IndexError, ValueError):
        return {}


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
