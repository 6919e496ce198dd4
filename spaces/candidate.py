"""A candidate: one sampled choice of everything that may vary. Plain values, no Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spaces.ranges import Value

Settings = Mapping[str, Value]


@dataclass(frozen=True)
class Candidate:
    """What one trial trains.

    Attributes:
        architecture: Name of the architecture; `architecture_settings` are its own.
        optimizer: Name of the optimizer; `optimizer_settings` hold at least ``learning_rate``.
        augmentation: Name of the augmentation level.
        batch_size: Images a training step.
    """

    architecture: str
    architecture_settings: Settings
    optimizer: str
    optimizer_settings: Settings
    augmentation: str
    batch_size: int

    def summary(self) -> str:
        """The candidate in a line, for people: ``plain_cnn, adam, batch 32, learning_rate=0.001, ...``."""
        what = f"{self.architecture}, {self.optimizer}, batch {self.batch_size}, augmentation {self.augmentation}"
        settings = {**self.optimizer_settings, **self.architecture_settings}
        return f"{what}, {_show(settings)}"


def _show(settings: Settings) -> str:
    return ", ".join(
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}" for name, value in settings.items()
    )
