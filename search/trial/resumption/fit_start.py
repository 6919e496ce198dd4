"""Where the training of a fold starts: at its first epoch, or after the last one of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tunefront.search.trial.epoch_watcher import LossWatcher, Watcher
from tunefront.search.trial.resumption.trial_checkpoints import TrialCheckpoints
from tunefront.search.trial.stages.change import enter_epoch
from tunefront.search.trial.stages.segments import Segment
from tunefront.search.trial.timer import EpochTimer
from tunefront.search.trial.trainable import Trainable, compile_for


@dataclass(frozen=True)
class FitStart:
    """Where a training starts.

    Attributes:
        epoch: The last epoch that has been trained; 0 for none.
        is_over: Whether the training ended with that epoch, before its last one.
        counters: Name of a Keras callback -> what it counted in the phase of that epoch.
    """

    epoch: int = 0
    is_over: bool = False
    counters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def segments_left(self, course: Sequence[Segment]) -> list[Segment]:
        """Return the segments of which an epoch is still to be trained."""
        return [] if self.is_over else [segment for segment in course if segment.last_epoch > self.epoch]

    def is_within(self, segment: Segment) -> bool:
        """Return whether the start is in the middle of a segment, so that nothing is built for it."""
        return segment.first_epoch <= self.epoch < segment.last_epoch


def fit_start(
    checkpoints: TrialCheckpoints,
    trainable: Trainable,
    course: Sequence[Segment],
    n_train: int,
    timer: EpochTimer,
    watcher: Watcher | LossWatcher,
    fold: int,
) -> FitStart:
    """Return where a training starts, and bring all that takes part in it to the state that it had there."""
    state = checkpoints.state_of(fold)
    if not state:
        return FitStart()
    start = FitStart(state["epoch"], state["is_over"], state["counters"])
    segment = next(segment for segment in course if segment.last_epoch >= start.epoch)
    enter_epoch(trainable, start.epoch)
    if course[0].phase != course[-1].phase:
        compile_for(trainable, segment.phase, n_train)
    kept = checkpoints.restore(trainable)
    watcher.restore(state["watcher"], kept or trainable.model.get_weights())
    timer.restore(state["timer"], n_fits=course.index(segment) + (segment not in start.segments_left(course)))
    return start
