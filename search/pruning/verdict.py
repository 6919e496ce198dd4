"""The verdict on a trial: whether it goes on, and if not, why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Verdict:
    """A verdict on a trial: whether it goes on, and if not, why.

    Attributes:
        brief: The reason in a few words, such as ``"trial 5 is better"``.
        violations: Measure -> by how much the trial would break its limit even at best, above 0.
    """

    goes_on: bool
    reason: str = ""
    violations: Mapping[str, float] = field(default_factory=dict, hash=False)
    brief: str = ""


GO_ON = Verdict(True)
