"""The time in which the artifacts cannot be used, as a person is told of it."""

from __future__ import annotations

import time


class Absence:
    """Whether the artifacts are away as far as a supervisor knows.

    Attributes:
        why: Why they are; empty while they can be used.
        lines: What a person is to be told and was not yet.
    """

    def __init__(self) -> None:
        self.why = ""
        self.lines: list[str] = []
        self._lost_at = 0.0

    def begin(self, why: str) -> None:
        """Note that the last upload failed."""
        if not self.why:
            self._lost_at = time.monotonic()
            self.lines.append(f"artifacts: {why}. Trainings go on, and results are kept until that is mended")
        self.why = why

    def end(self) -> None:
        """Note that the last upload did not fail."""
        if self.why:
            self.lines.append(f"artifacts: they can be written again after {time.monotonic() - self._lost_at:.0f} s")
        self.why = ""
