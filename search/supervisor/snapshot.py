"""The snapshot of a running study, for a person who watches."""

from __future__ import annotations

from collections.abc import Sequence

from tunefront.objectives.measures import MEASURES
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.live_front import LiveFront
from tunefront.search.supervisor.running_trial import RunningTrials
from tunefront.search.supervisor.view import SlotState, Snapshot
from tunefront.storage.counts import Counts


def take_snapshot(
    assignment: Assignment,
    counts: Counts,
    running: RunningTrials,
    live_front: LiveFront,
    seconds_a_trial: Sequence[float],
) -> Snapshot:
    """Return counts, slots, the front so far and the time left.

    Args:
        seconds_a_trial: The seconds of the trials that this supervisor has finished; without any, the time left is
            unknown.
    """
    remaining = max(assignment.spec.trials - counts.finished, 0)
    mean = sum(seconds_a_trial) / len(seconds_a_trial) if seconds_a_trial else None
    return Snapshot(
        study=assignment.study.name,
        n_trials=assignment.spec.trials,
        counts=counts,
        slots=[
            SlotState(slot.name) if trial is None else trial.slot_state(MEASURES[assignment.spec.accuracy_measure])
            for slot, trial in ((slot, running.on(slot)) for slot in assignment.slots)
        ],
        objectives=live_front.objectives,
        front=live_front.front(),
        seconds_left=None if mean is None else remaining * mean / len(assignment.slots),
        measure=MEASURES[assignment.spec.accuracy_measure],
    )
