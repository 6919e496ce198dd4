"""Snapshots of a running study, for a person who watches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tunefront.objectives.measures import MEASURES
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.contact.contact import Contact
from tunefront.search.supervisor.contact.spool import Spool
from tunefront.search.supervisor.live_front import LiveFront
from tunefront.search.supervisor.running_trial import RunningTrials
from tunefront.search.supervisor.view import SlotState, Snapshot, View
from tunefront.storage.counts import Counts, count
from tunefront.storage.curves import epochs_saved

_SHOW_SECONDS = 0.5


class Snapshots:
    """The snapshots of one supervisor's study, which a view shows.

    Args:
        spool: What waits to be told to the store, and goes wrong with it.
        notice: Returns what a person is to know while the store can be reached; empty while all is well.
        clock: The supervisor's clock, in seconds.
    """

    def __init__(
        self,
        assignment: Assignment,
        running: RunningTrials,
        live_front: LiveFront,
        view: View,
        contact: Contact,
        spool: Spool,
        notice: Callable[[], str],
        clock: Callable[[], float],
    ) -> None:
        self._notice = notice
        self._view = view
        self._contact = contact
        self._spool = spool
        self._shown_at = -_SHOW_SECONDS
        self._assignment = assignment
        self._running = running
        self._live_front = live_front
        self._clock = clock
        self._started_at = clock()
        self._last: Snapshot | None = None
        self._saved = (0, 0)  # stopped trials, and the epochs that these saved

    def show(self, seconds_a_trial: Sequence[float]) -> None:
        """Show a new snapshot, unless the last one is only a moment old.

        Args:
            seconds_a_trial: See :meth:`take`.
        """
        if self._clock() - self._shown_at < _SHOW_SECONDS:
            return
        self._shown_at = self._clock()
        for problem in self._spool.take_problems():
            self._view.say(problem)
        told = self._notice()
        snapshot = self._contact.ask_or(lambda: self.take(count(self._assignment.study), seconds_a_trial, told), None)
        if snapshot is None:
            snapshot = self.take_without_store(self._contact.notice(len(self._spool)))
        if snapshot is not None:
            self._view.show(snapshot)

    def take(self, counts: Counts, seconds_a_trial: Sequence[float], notice: str = "") -> Snapshot:
        """Return counts, slots, the front so far, and what time and epochs were spent, saved and are left.

        Args:
            seconds_a_trial: The seconds of the trials that this supervisor has finished; without any, the time left is
                unknown.
            notice: See :class:`Snapshot`; the store can be reached.
        """
        assignment, measure = self._assignment, MEASURES[self._assignment.spec.accuracy_measure]
        remaining = max(assignment.spec.trials - counts.finished, 0)
        mean = sum(seconds_a_trial) / len(seconds_a_trial) if seconds_a_trial else None
        front = None if assignment.spec.confirms else self._live_front.front()
        self._last = Snapshot(
            study=assignment.study.name,
            n_trials=assignment.spec.trials,
            counts=counts,
            slots=self._slots(),
            objectives=self._live_front.objectives,
            front=front,
            seconds_left=None if mean is None else remaining * mean / len(assignment.slots),
            measure=measure,
            seconds=self._clock() - self._started_at,
            epochs_saved=self._epochs_saved(counts.pruned),
            guessing=frozenset(number for number, values in front or () if self._live_front.is_guessing(values)),
            notice=notice,
        )
        return self._last

    def take_without_store(self, notice: str) -> Snapshot | None:
        """Return the last snapshot with what has changed on this machine, and a notice; None if there is none yet."""
        if self._last is None:
            return None
        return replace(self._last, slots=self._slots(), seconds=self._clock() - self._started_at, notice=notice)

    def _slots(self) -> list[SlotState]:
        measure = MEASURES[self._assignment.spec.accuracy_measure]
        running = [(slot, self._running.on(slot)) for slot in self._assignment.slots]
        return [SlotState(slot.name) if trial is None else trial.slot_state(measure) for slot, trial in running]

    def _epochs_saved(self, n_stopped: int) -> int:
        """Return the epochs that all stopped trials saved; the store is read only when there are more of these."""
        if self._saved[0] != n_stopped:
            self._saved = (n_stopped, epochs_saved(self._assignment.study))
        return self._saved[1]
