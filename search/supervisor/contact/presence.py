"""The presence of this process in the store: its name, host and devices, for as long as it works."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator, Sequence

from tunefront.search.launching import machine
from tunefront.search.launching.gpus import Gpu
from tunefront.search.launching.slots import Slot
from tunefront.storage.control.processes import note_ended, register_process
from tunefront.storage.database.connection import Store
from tunefront.storage.database.locks import in_turn
from tunefront.storage.database.patience import is_of_database


@contextlib.contextmanager
def present(
    store: Store, slots: Sequence[Slot], gpus: Sequence[Gpu], say: Callable[[str], None], name: str = ""
) -> Iterator[str]:
    """Register this process, whose identifier is that of its open store, and yield the name by which people steer it.

    Args:
        say: Tells a person who holds the store's lock, if that takes long.
        name: What people are to call it; the host's name and the process's number if empty.
    """
    devices = [machine.device_kind(slot, gpus) for slot in slots]
    place = machine.host_key(), socket.gethostname(), os.getpid()
    registered = in_turn(lambda: register_process(store, store.worker_id, *place, devices, name), say)
    try:
        yield registered
    finally:
        try:
            note_ended(store, store.worker_id)
        except Exception as error:  # the store is away: whoever looks sees that it is not seen any more
            if not is_of_database(error):
                raise
