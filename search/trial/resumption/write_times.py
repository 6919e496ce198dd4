"""When a checkpoint is due: often enough that little is trained again, and seldom enough that it costs little."""

from __future__ import annotations

from collections.abc import Callable

_WRITES_APART = 50  # a checkpoint for each so many times of what writing one takes: less than 2 % of all time
_LEAST_SECONDS = 2.0  # between checkpoints of short epochs
_FIXED_SECONDS, _BYTES_PER_SECOND = 0.02, 2e8  # what a write is expected to take before one was measured


class WriteTimes:
    """The times of a training's checkpoints.

    One is due after each epoch that takes as long as 50 writes; of shorter epochs, when 50 writes and 2 seconds have
    passed since the last one. A write is taken to last as long as the last one did.

    Args:
        n_bytes: The size of a checkpoint, from which the first write is guessed.
    """

    def __init__(self, n_bytes: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._write_seconds = _FIXED_SECONDS + n_bytes / _BYTES_PER_SECOND
        self._written_at = self._epoch_began = clock()

    def is_due(self) -> bool:
        """Return whether a checkpoint is due after the epoch that has just ended."""
        now = self._clock()
        epoch_seconds, since_written = now - self._epoch_began, now - self._written_at
        self._epoch_began = now
        apart = _WRITES_APART * self._write_seconds
        return epoch_seconds >= apart or since_written >= max(apart, _LEAST_SECONDS)

    def note_write(self, began: float) -> None:
        """Note that a write, or a try at one, has just ended that began at this time of the clock."""
        self._written_at = self._epoch_began = self._clock()
        self._write_seconds = self._written_at - began
