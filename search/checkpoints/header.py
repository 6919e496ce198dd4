"""What a checkpoint says of itself, for those who do not load it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CheckpointHeader:
    """The facts of a checkpoint, which is written after an epoch.

    Attributes:
        epoch: The last epoch that was told before it, counted from 1; with folds, of the first one.
        n_epochs: The number of epochs that were trained before it, those of all folds together. It orders a trial's
            checkpoints.
        identity: What a training must be to go on from here: name -> value, such as its seed and candidate.
        devices: The kinds of device that have trained it, in the order in which they came first.
        peak_bytes: The peak of memory so far, over all attempts; 0 if nothing tells it.
        seconds: The seconds on the clock of all trial processes so far, from their starts to this checkpoint.
        digest: The SHA-256 of its file; empty while there is none.
        attempt: The attempt at the trial that wrote it, counted from 1; 0 if it came from another trial.
    """

    epoch: int
    n_epochs: int
    identity: Mapping[str, str]
    devices: tuple[str, ...] = ()
    peak_bytes: float = 0.0
    seconds: float = 0.0
    digest: str = ""
    attempt: int = 0

    @property
    def file_name(self) -> str:
        """The name of its file, which holds the digest: a file whose content has another one is torn."""
        return f"{self.n_epochs}-{self.digest}.npz"

    def difference(self, identity: Mapping[str, str]) -> str:
        """Return the first name whose value is another one there, with both values; empty if there is none."""
        for name in sorted({*self.identity, *identity}):
            old, new = (of.get(name, "") for of in (self.identity, identity))
            if old != new:
                return f"{name} was {old or 'not noted'} and is {new or 'not noted'}"
        return ""
