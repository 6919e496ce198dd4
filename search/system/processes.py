"""Processes of this machine: how many it can run at a time, and children that end with their parent."""

from __future__ import annotations

import multiprocessing
import os
import threading

CPUS_VARIABLE = "TUNEFRONT_CPUS"  # the cores that are this process's share, where the system tells it of all


def n_cpus() -> int:
    """Return the number of CPU cores that this process may use; TUNEFRONT_CPUS may say that it is fewer.

    A container with a limit of 4 cores sees all of its machine, and so does a worker that Ray gave 4.
    """
    n_seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = os.environ.get(CPUS_VARIABLE, "")
    return min(n_seen, max(int(share), 1)) if share.isdecimal() else n_seen


def end_with_parent() -> None:
    """Have this child process end as soon as its parent does, however that ends."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
