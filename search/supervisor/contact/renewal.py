"""The threads that renew a worker's leases, whatever its supervisor waits for, and end a wait for a silent server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from tunefront.storage import queue
from tunefront.storage.database.connection import Store
from tunefront.storage.database.patience import is_away
from tunefront.storage.queue import Outage

_RETRY_SECONDS = 1.0  # the pause after a renewal that failed


class Renewal:
    """The renewal of one worker's leases, four times while a lease lasts.

    Attributes:
        n_renewals: The number of renewals that succeeded.
        outages: When this worker could not renew, from the last renewal before to the first one after.

    Args:
        numbers: Returns the numbers of the trials whose leases the worker knows of; it is called in the thread.
    """

    def __init__(self, store: Store, worker_id: str, numbers: Callable[[], Sequence[int]]) -> None:
        self.n_renewals = 0
        self.outages: list[Outage] = []
        self._store = store
        self._worker_id = worker_id
        self._numbers = numbers
        self._lease_seconds = store.waits.lease_seconds
        self._since = self._last = float("nan")  # the first renewal after the last outage, and the last renewal
        self._has_failed = False
        self._error: Exception | None = None
        self._one_at_a_time = threading.Lock()
        self._is_wanted = threading.Event()
        self._heard_at = time.monotonic()
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for target, name in ((self._run, "renewal of leases"), (self._watch, "watch for silence"))
        ]

    def start(self) -> None:
        """Start the threads."""
        self._heard_at = time.monotonic()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads. One that waits for a silent server is left alone, because it can write nothing more."""
        self._stopped.set()
        self._is_wanted.set()
        for thread in self._threads:
            thread.join(timeout=_RETRY_SECONDS)

    def hurry(self) -> None:
        """Let the thread renew at once: whether that succeeds tells whether the store can be reached."""
        self._is_wanted.set()

    def check(self) -> None:
        """Raise the error that ended the thread, if one did that no waiting can mend."""
        if self._error is not None:
            raise self._error

    def renew(self) -> None:
        """Renew the leases now.

        A renewal that comes late on the database's clock ends an outage, whatever was the cause: the store was away,
        this process was paused, or the clock was set. As far as this worker knows, nobody could renew until then.
        """
        with self._one_at_a_time:
            try:
                now = queue.renew(self._store, self._worker_id, self._numbers())
            except Exception:
                self._has_failed = True
                raise
            is_first = self.n_renewals == 0
            if is_first or self._has_failed or not abs(now - self._last) <= self._lease_seconds / 2:
                self._since = now
                if not is_first:
                    self.outages.append((self._last, now))
            self._last = now
            self._heard_at = time.monotonic()
            self._has_failed = False
            self.n_renewals += 1

    @property
    def renewed_at(self) -> float:
        """When the last renewal succeeded, on the database's clock."""
        return self._last

    def is_steady(self) -> bool:
        """Return whether the worker has renewed for one whole lease without an error, so that all others could too."""
        return not self._has_failed and self._last - self._since >= self._lease_seconds

    def _run(self) -> None:
        while not self._stopped.is_set():
            pause = self._lease_seconds / 4
            try:
                self.renew()
            except Exception as error:  # noqa: BLE001 - it goes to the supervisor, see `check`
                if not is_away(error):
                    self._error = error
                    return
                pause = min(pause, _RETRY_SECONDS)
            self._is_wanted.wait(pause)
            self._is_wanted.clear()

    def _watch(self) -> None:
        """Break the open connections when no renewal has succeeded for a lease.

        The server has then fallen silent, or what lies between, and this worker's threads may wait for an answer for
        hours. While renewals get through, whatever takes long is left alone.
        """
        while not self._stopped.wait(self._lease_seconds / 4):
            if time.monotonic() - self._heard_at > self._lease_seconds and self._store.connections is not None:
                self._store.connections.break_all()
