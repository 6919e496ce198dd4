"""The segments of a training: the stretches of epochs of one phase in which no setting changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tunefront.search.trial.trainable import Phase
from tunefront.spaces.candidate import Candidate


@dataclass(frozen=True)
class Segment:
    """A stretch of epochs, counted from 1.

    Attributes:
        candidate: The candidate that it trains.
    """

    phase: Phase
    first_epoch: int
    last_epoch: int
    candidate: Candidate

    @property
    def begins_phase(self) -> bool:
        """Whether it is its phase's first one, which has an optimizer and callbacks of its own."""
        return self.first_epoch == self.phase.first_epoch


def segments(candidate: Candidate, phases: Sequence[Phase]) -> list[Segment]:
    """Divide phases, which follow one another, at the epochs from which another candidate goes on."""
    found = []
    for phase in phases:
        within = [(first, one) for first, one in candidate.later if phase.first_epoch < first <= phase.last_epoch]
        starts = [(phase.first_epoch, candidate.at(phase.first_epoch)), *within]
        ends = [first - 1 for first, _ in within] + [phase.last_epoch]
        found += [Segment(phase, first, last, one) for (first, one), last in zip(starts, ends, strict=True)]
    return found
