"""The view of a running study: the data that it shows, and the interface of the screen, which is made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import Axis, Measure
from tunefront.storage.counts import Counts


@dataclass(frozen=True)
class SlotState:
    """The state of a slot; `number` is None while it waits, and `accuracy` is the trial's best score so far.

    Attributes:
        parameters: The sampled parameters of the trial by full name; what is fixed in the study is not among them.
        epochs: The epochs of the trial's whole training.
    """

    name: str
    number: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    epoch: int = 0
    epochs: int = 0
    accuracy: float | None = None


@dataclass(frozen=True)
class Snapshot:
    """The state of a study at one moment.

    Attributes:
        front: Number and values of each trial on the front so far, the best in the first objective first; None for a
            confirmation, whose single trainings have no front of their own.
        seconds_left: The estimated seconds left; None while nothing is known.
        measure: That of the scores of slots.
        seconds: The seconds since this run began.
        epochs_saved: The epochs that stopped trials were not trained for.
        guessing: The numbers of the trials on the front that are no better than guessing.
        notice: What a person is to know now, such as that the storage is away; empty while all is well. The other
            content may then be as it was last known, but for the slots.
    """

    study: str
    n_trials: int
    counts: Counts
    slots: Sequence[SlotState]
    objectives: Mapping[Axis, Objective]
    front: Sequence[tuple[int, tuple[float, ...]]] | None
    seconds_left: float | None
    measure: Measure
    seconds: float = 0.0
    epochs_saved: int = 0
    guessing: frozenset[int] = frozenset()
    notice: str = ""


class View(Protocol):
    """A screen that shows a study while it runs."""

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot, if it is worth drawing; this is called often."""

    def say(self, line: str) -> None:
        """Print a line on something that happened; it stays on the screen."""

    def warn(self, text: str) -> None:
        """Print a few sentences, never cut off, on numbers to come that may mislead."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Show how far some long work before the first trial has come; this is called often."""

    def close(self) -> None:
        """Close the view; nothing more will be shown."""
