"""Snapshots of a running study, for a person who watches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tunefront.objectives.measures import MEASURES
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.live_front import LiveFront
from tunefront.search.supervisor.running_trial import RunningTrials
from tunefront.search.supervisor.view import SlotState, Snapshot
from tunefront.storage.counts import Counts
from tunefront.storage.curves import epochs_saved


class Snapshots:
    """The maker of snapshots of one supervisor's study.

    Args:
        clock: The supervisor's clock, in seconds.
    """

    def __init__(
        self, assignment: Assignment, running: RunningTrials, live_front: LiveFront, clock: Callable[[], float]
    ) -> None:
        self._assignment = assignment
        self._running = running
        self._live_front = live_front
        self._clock = clock
        self._started_at = clock()
        self._saved = (0, 0)  # stopped trials, and the epochs that these saved

    def take(self, counts: Counts, seconds_a_trial: Sequence[float]) -> Snapshot:
        """Return counts, slots, the front so far, and what time and epochs were spent, saved and are left.

        Args:
            seconds_a_trial: The seconds of the trials that this supervisor has finished; without any, the time left is
                unknown.
        """
        assignment, measure = self._assignment, MEASURES[self._assignment.spec.accuracy_measure]
        remaining = max(assignment.spec.trials - counts.finished, 0)
        mean = sum(seconds_a_trial) / len(seconds_a_trial) if seconds_a_trial else None
        running = [(slot, self._running.on(slot)) for slot in assignment.slots]
        front = None if assignment.spec.confirms else self._live_front.front()
        return Snapshot(
            study=assignment.study.name,
            n_trials=assignment.spec.trials,
            counts=counts,
            slots=[SlotState(slot.name) if trial is None else trial.slot_state(measure) for slot, trial in running],
            objectives=self._live_front.objectives,
            front=front,
            seconds_left=None if mean is None else remaining * mean / len(assignment.slots),
            measure=measure,
            seconds=self._clock() - self._started_at,
            epochs_saved=self._epochs_saved(counts.pruned),
            guessing=frozenset(number for number, values in front or () if self._live_front.is_guessing(values)),
        )

    def _epochs_saved(self, n_stopped: int) -> int:
        """Return the epochs that all stopped trials saved; the store is read only when there are more of these."""
        if self._saved[0] != n_stopped:
            self._saved = (n_stopped, epochs_saved(self._assignment.study))
        return self._saved[1]
