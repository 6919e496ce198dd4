"""The segments of a phase: the stretches of epochs in which no setting changes."""

from __future__ import annotations

from dataclasses import dataclass

from tunefront.search.trial.trainable import Phase
from tunefront.spaces.candidate import Candidate


@dataclass(frozen=True)
class Segment:
    """A stretch of epochs, counted from 1, of one phase.

    Attributes:
        candidate: The candidate that it trains.
        begins_phase: Whether it is the phase's first one.
    """

    first_epoch: int
    last_epoch: int
    candidate: Candidate
    begins_phase: bool


def segments(candidate: Candidate, phase: Phase) -> list[Segment]:
    """Divide a phase at the epochs from which another candidate goes on."""
    course = [(1, candidate), *candidate.later]
    current = [one for first, one in course if first <= phase.first_epoch][-1]
    within = [(first, one) for first, one in course if phase.first_epoch < first <= phase.last_epoch]
    starts = [(phase.first_epoch, current), *within]
    ends = [first - 1 for first, _ in within] + [phase.last_epoch]
    return [
        Segment(first, last, one, begins_phase=first == phase.first_epoch)
        for (first, one), last in zip(starts, ends, strict=True)
    ]
