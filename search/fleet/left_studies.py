"""The studies that a machine leaves to others, and what it has said of them."""

from __future__ import annotations

import math
from collections.abc import Callable

StudyKey = tuple[int, float]  # a study's key, which may be used again after a deletion, and when it was made


class LeftStudies:
    """The studies that one machine leaves to others, for a while or for good.

    Args:
        say: Tells a person a line on a study.
        clock: A clock in seconds.
    """

    def __init__(self, say: Callable[[str, str], None], clock: Callable[[], float]) -> None:
        self._say = say
        self._clock = clock
        self._left: dict[StudyKey, tuple[str, float]] = {}  # why, and from when on it is tried again, on the clock

    def __contains__(self, key: StudyKey) -> bool:
        """Return whether a study is left to others now."""
        return key in self._left and self._clock() < self._left[key][1]

    def add(self, name: str, key: StudyKey, why: str, seconds: float = math.inf) -> None:
        """Leave a study to others for so long, and say why, unless that was said last."""
        if key not in self._left or self._left[key][0] != why:
            self._say(name, f"this machine leaves the study to others: {why}")
        self._left[key] = (why, self._clock() + seconds)
