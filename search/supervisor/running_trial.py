"""A running trial on one of a supervisor's slots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import optuna

from tunefront.search.launching.fork_server import Child
from tunefront.search.launching.slots import Slot
from tunefront.search.supervisor.view import SlotState
from tunefront.spaces.candidate import Candidate
from tunefront.storage.answers import Answers
from tunefront.storage.attempts import Lease
from tunefront.storage.curves import Epoch


@dataclass
class RunningTrial:
    """A running trial as its supervisor knows it.

    Attributes:
        started_at: The start on the supervisor's clock.
        stop_reason: Why the trial was told to stop; empty while it goes on.
        violations: Measure -> by how much the stopped trial would have broken its limit.
        is_trained: Whether only the model is still being saved.
        other_slots_busy: The number of other busy slots at each epoch.
        answers: Split -> the model's answers to its images, in a confirmation.
    """

    lease: Lease
    trial: optuna.Trial
    candidate: Candidate
    slot: Slot
    child: Child
    started_at: float
    curve: list[Epoch] = field(default_factory=list)
    measurements: dict[str, float] = field(default_factory=dict)
    stop_reason: str = ""
    violations: Mapping[str, float] = field(default_factory=dict)
    is_trained: bool = False
    other_slots_busy: list[int] = field(default_factory=list)
    answers: Mapping[str, Answers] = field(default_factory=dict)

    def slot_state(self) -> SlotState:
        """Return the trial's state for a person who watches."""
        best = max((epoch.accuracy for epoch in self.curve), default=None)
        summary = self.candidate.summary(self.trial.params)
        return SlotState(self.slot.name, self.lease.number, summary, len(self.curve), best)


Running = dict[str, RunningTrial]  # name of the slot -> what it runs
