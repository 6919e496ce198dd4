"""Whether a supervisor can reach its store, which may be away for any time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tunefront.search.supervisor.contact.renewal import Renewal
from tunefront.storage.database.locks import LockBusyError
from tunefront.storage.database.patience import is_away, patiently

T = TypeVar("T")
D = TypeVar("D")


class StoreAwayError(Exception):
    """The store cannot be reached now; what was to be done can be tried again later."""


class Contact:
    """A supervisor's contact with its store. All its operations go through here, so that none waits for an outage.

    While the store is away, operations fail at once, until a renewal of the leases shows that it is back.

    Args:
        away_seconds: See :class:`Waits`.
        say: Tells a person that the store is away, and that it is back.
        clock: The supervisor's clock, in seconds.
    """

    def __init__(
        self, renewal: Renewal, away_seconds: float, say: Callable[[str], None], clock: Callable[[], float]
    ) -> None:
        self._renewal = renewal
        self._away_seconds = away_seconds
        self._say = say
        self._clock = clock
        self._lost_at: float | None = None
        self._why = ""
        self._n_renewals = -1  # before the last failure

    @property
    def is_lost(self) -> bool:
        """Whether the last operation failed, so that the store is away as far as this supervisor knows."""
        return self._lost_at is not None

    def ask(self, operation: Callable[[], T]) -> T:
        """Run an operation on the store, which may run twice, and return its answer.

        Raises:
            StoreAwayError: If the store cannot be reached, or one of its locks is not to be had.
        """
        self._renewal.check()
        if self.is_lost and self._renewal.n_renewals == self._n_renewals:
            raise StoreAwayError(self._why)
        try:
            answer = patiently(operation, self._away_seconds)
        except Exception as error:
            if not is_away(error) and not isinstance(error, LockBusyError):
                raise
            self._note_loss(error)
            raise StoreAwayError(self._why) from error
        self._note_return()
        return answer

    def ask_or(self, operation: Callable[[], T], otherwise: D) -> T | D:
        """Run an operation on the store, and return its answer; `otherwise` while the store is away."""
        try:
            return self.ask(operation)
        except StoreAwayError:
            return otherwise

    def notice(self, n_kept: int) -> str:
        """Return what a person who watches is to know now; empty while all is well.

        Args:
            n_kept: The number of results that are kept until the store is back.
        """
        if self._lost_at is None:
            return ""
        kept = f"; {n_kept} result{'s are' if n_kept > 1 else ' is'} kept until it is back" if n_kept else ""
        return f"the storage is away for {_describe_time(self._clock() - self._lost_at)} ({self._why}){kept}"

    def _note_loss(self, error: Exception) -> None:
        self._n_renewals = self._renewal.n_renewals
        self._renewal.hurry()
        why = _describe_cause(error)
        if self._lost_at is None:
            self._lost_at = self._clock()
            if why != self._why:  # a lock that is not to be had again and again is told once
                self._say(
                    f"the storage is away ({why}): trainings go on without being stopped early, "
                    "and results are kept until it is back"
                )
        self._why = why

    def _note_return(self) -> None:
        if self._lost_at is not None:
            self._say(f"the storage is back after {_describe_time(self._clock() - self._lost_at)}")
            self._lost_at = None


def _describe_cause(error: Exception) -> str:
    if isinstance(error, LockBusyError):
        return error.why
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    lines = str(getattr(cause, "orig", None) or cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__


def _describe_time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
