"""Where the training of a fold starts: at its first epoch, or after the last one of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tunefront.search.trial.epoch_watcher import Watcher
from tunefront.search.trial.resumption.trial_checkpoints import TrialCheckpoints
from tunefront.search.trial.stages.change import change
from tunefront.search.trial.stages.segments import Segment, segments
from tunefront.search.trial.timer import EpochTimer
from tunefront.search.trial.trainable import Phase, Trainable, compile_for


@dataclass(frozen=True)
class FitStart:
    """Where a training starts.

    Attributes:
        epoch: The last epoch that has been trained; 0 for none.
        is_over: Whether the training ended with that epoch, before its last one.
        counters: What Keras's callbacks counted in the phase of that epoch.
    """

    epoch: int = 0
    is_over: bool = False
    counters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def segments_left(self, of_phase: Sequence[Segment]) -> list[Segment]:
        """Return the segments of which an epoch is still to be trained, the first one from there on."""
        if self.is_over:
            return []
        return [
            replace(one, first_epoch=self.epoch + 1, begins_phase=False) if one.first_epoch <= self.epoch else one
            for one in of_phase
            if one.last_epoch > self.epoch
        ]


def fit_start(
    checkpoints: TrialCheckpoints,
    trainable: Trainable,
    phases: Sequence[Phase],
    n_train: int,
    timer: EpochTimer,
    watcher: Watcher,
    fold: int,
) -> FitStart:
    """Return where a training starts, and bring all that takes part in it to the state that it had there."""
    state = checkpoints.state_of(fold)
    if not state:
        return FitStart()
    start = FitStart(state["epoch"], state["is_over"], state["counters"])
    candidate = trainable.candidate
    phase = next(phase for phase in phases if phase.last_epoch >= start.epoch)
    segment = next(one for one in segments(candidate, phase) if one.last_epoch >= start.epoch)
    if segment.candidate is not candidate:
        change(trainable, segment.candidate, phase, segment.first_epoch, n_train, begins_phase=True)
    elif len(phases) > 1:
        compile_for(trainable, phase, n_train)
    weights = checkpoints.restore(trainable)
    watcher.follow(trainable.model)
    watcher.restore(state["watcher"], weights)
    begun = [one for phase in phases for one in segments(candidate, phase) if one.first_epoch <= start.epoch]
    is_within = start.epoch < segment.last_epoch and not start.is_over
    timer.restore(state["timer"], n_fits=len(begun) - is_within)
    return start
