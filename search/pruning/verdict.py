"""Whether a trial goes on, and if not, why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Verdict:
    """Whether a trial goes on, and if not, why.

    Attributes:
        violations: Limits that it would break even at best: measure -> by how much, above 0.
    """

    goes_on: bool
    reason: str = ""
    violations: Mapping[str, float] = field(default_factory=dict, hash=False)


GO_ON = Verdict(True)
