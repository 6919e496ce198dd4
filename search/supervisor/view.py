"""What a running study tells of itself, and to whom: the screen is made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import Axis
from tunefront.storage.counts import Counts


@dataclass(frozen=True)
class SlotState:
    """What a slot does now; `number` is None if it waits."""

    name: str
    number: int | None = None
    candidate: str = ""
    epoch: int = 0
    accuracy: float | None = None


@dataclass(frozen=True)
class Snapshot:
    """A study at one moment.

    Attributes:
        front: Number and values of each trial on the front so far, best accuracy first.
        seconds_left: Estimate; None before anything is known.
    """

    study: str
    n_trials: int
    epochs: int
    counts: Counts
    slots: Sequence[SlotState]
    objectives: Mapping[Axis, Objective]
    front: Sequence[tuple[int, tuple[float, ...]]]
    seconds_left: float | None


class View(Protocol):
    """Shows a study while it runs."""

    def show(self, snapshot: Snapshot) -> None:
        """Called often; draws what is worth drawing."""

    def say(self, line: str) -> None:
        """Something happened: one line that stays."""

    def warn(self, text: str) -> None:
        """Numbers to come may mislead: a few sentences, never cut off."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Some long work before the first trial has come so far. Called often."""

    def close(self) -> None:
        """No more to come."""
