"""What an architecture is to a space: a name, ranges for its settings, and a way to build it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from spaces.candidate import Settings
from spaces.settings import Setting


@dataclass(frozen=True)
class Architecture:
    """A family of models.

    Attributes:
        name: As specs and parameters name it.
        settings: Each with its default range; a spec may give others.
        build: ``(settings, image_shape, n_classes)`` -> an uncompiled ``keras.Model`` from raw pixels
            (0 to 255, shape ``(batch, height, width, channels)``) to class probabilities of shape
            ``(batch, n_classes)``.
    """

    name: str
    settings: Mapping[str, Setting]
    build: Callable[[Settings, tuple[int, int, int], int], Any]
