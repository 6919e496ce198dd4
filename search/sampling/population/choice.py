"""The choice of the member of a population that trains next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class MemberChoice:
    """The trial that is next.

    Attributes:
        waiting: A trial that waits; None for a new one.
    """

    waiting: FrozenTrial | None


class MemberChooser(Protocol):
    """What chooses the next trial, while it has the study's lock."""

    def choose(self, trials: Sequence[FrozenTrial]) -> MemberChoice | None:
        """Choose among a study's trials; None if none is to be trained here now."""
