"""A running trial on one of a supervisor's slots, and all of them together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

import optuna

from tunefront.objectives.measures import Measure
from tunefront.search.launching.fork_server import Child
from tunefront.search.launching.slots import Slot
from tunefront.search.launching.spare_children import SpareChildren
from tunefront.search.supervisor.view import SlotState
from tunefront.spaces.candidate import Candidate
from tunefront.storage.answers import Answers
from tunefront.storage.attempts import Lease, Progress
from tunefront.storage.curves import Epoch


@dataclass
class RunningTrial:
    """A running trial as its supervisor knows it.

    Attributes:
        started_at: The start on the supervisor's clock.
        stop_reason: Why the trial was told to stop; empty while it goes on.
        stop_brief: The same in a few words.
        violations: Measure -> by how much the stopped trial would have broken its limit.
        is_trained: Whether only the model is still being saved.
        n_noted: The number of epochs that the store has been told of; the last ones may have to wait.
        other_slots_busy: The number of other busy slots at each epoch.
        answers: Split -> the model's answers to its images, in a confirmation or if the model is kept.
        seconds_before: The seconds of earlier attempts that it goes on from, without what they trained in vain.
        devices: The kinds of devices that have trained it.
        resumed: What it really goes on from, if that is less than its lease says, until the store is told.
        checkpoint_epochs: The epochs up to its newest checkpoint, those of all folds together; 0 without one.
        noted_epochs: The same, as far as the store has been told.
        takes_next: Whether its process then waits for another seed of its candidate.
        spares: Where it waits; None if it may not.
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
    stop_brief: str = ""
    violations: Mapping[str, float] = field(default_factory=dict)
    is_trained: bool = False
    n_noted: int = 0
    other_slots_busy: list[int] = field(default_factory=list)
    answers: Mapping[str, Answers] = field(default_factory=dict)
    seconds_before: float = 0.0
    devices: frozenset[str] = frozenset()
    resumed: Progress | None = None
    checkpoint_epochs: int = 0
    noted_epochs: int = 0
    takes_next: bool = False
    spares: SpareChildren | None = None

    @classmethod
    def begun(
        cls,
        lease: Lease,
        trial: optuna.Trial,
        candidate: Candidate,
        slot: Slot,
        child: Child,
        started_at: float,
        curve: list[Epoch],
        device: str,
    ) -> RunningTrial:
        """Return a trial whose process has been started on a kind of device, with the epochs that it goes on after."""
        running = cls(lease, trial, candidate, slot, child, started_at, curve, n_noted=len(curve))
        # Until its process tells what it goes on from, this is known of its checkpoint.
        running.checkpoint_epochs = running.noted_epochs = lease.resumed_from
        running.devices = frozenset([device])
        return running

    @property
    def is_noted(self) -> bool:
        """Whether the store has been told of all its epochs and checkpoints."""
        is_told = self.resumed is None and self.noted_epochs == self.checkpoint_epochs
        return is_told and self.n_noted == len(self.curve)

    def release_child(self) -> None:
        """Let its process wait for the next seed, or else wait until it has ended: it has sent its last message."""
        kind = kind_of_process(self.candidate, self.slot)
        if not (self.takes_next and self.spares is not None and self.spares.keep(kind, self.child)):
            self.child.reap()

    def seconds(self, now: float) -> float:
        """Return how long it has been trained in all its attempts, at a time on the supervisor's clock."""
        return self.seconds_before + now - self.started_at

    def resume(self, progress: Progress, seconds: float, devices: Collection[str]) -> None:
        """Take over what its process says that it goes on from; later epochs are void.

        Args:
            seconds: How long it was trained until then.
            devices: The kinds of devices that have trained it.
        """
        self.devices |= frozenset(devices)
        if progress.epoch != len(self.curve):
            self.resumed = progress
            del self.curve[progress.epoch :]
            self.n_noted = len(self.curve)
        self.seconds_before = seconds
        self.checkpoint_epochs = self.noted_epochs = progress.n_epochs

    def slot_state(self, measure: Measure) -> SlotState:
        """Return the trial's state for a person who watches, with its best score by `measure`."""
        best = measure.best(epoch.accuracy for epoch in self.curve) if self.curve else None
        parameters = self.trial.params
        return SlotState(self.slot.name, self.lease.number, parameters, len(self.curve), self.candidate.epochs, best)


def kind_of_process(candidate: Candidate, slot: Slot) -> tuple[Candidate, int]:
    """Return what two trials of a study that run in one process, on a CPU, must have in common."""
    return candidate, slot.n_threads


class RunningTrials:
    """The trials that run on one supervisor's slots, at most one on each."""

    def __init__(self) -> None:
        self._by_slot: dict[str, RunningTrial] = {}

    def __len__(self) -> int:
        return len(self._by_slot)

    def __iter__(self) -> Iterator[RunningTrial]:
        """Iterate over the trials that run now; their slots may be freed meanwhile."""
        return iter(list(self._by_slot.values()))

    @property
    def numbers(self) -> list[int]:
        """The numbers of the trials in the study."""
        return [trial.lease.number for trial in self]

    def on(self, slot: Slot) -> RunningTrial | None:
        """Return the trial that runs on the slot; None if the slot is free."""
        return self._by_slot.get(slot.name)

    def by_connection(self) -> dict[Connection, RunningTrial]:
        """Return the trials by the connections to their processes."""
        return {trial.child.connection: trial for trial in self}

    def start(self, trial: RunningTrial) -> None:
        """Add a trial that was started on its slot.

        Raises:
            ValueError: If its slot is not free.
        """
        if trial.slot.name in self._by_slot:
            raise ValueError(f"slot {trial.slot.name} already runs trial {self._by_slot[trial.slot.name].lease.number}")
        self._by_slot[trial.slot.name] = trial

    def free(self, trial: RunningTrial) -> None:
        """Free the slot of a trial that has ended.

        Raises:
            KeyError: If its slot is free.
        """
        del self._by_slot[trial.slot.name]
