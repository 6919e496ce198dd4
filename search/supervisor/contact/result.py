"""The result of a trial's attempt, as plain data that can be kept in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from tunefront.storage.answers import Answers
from tunefront.storage.attempts import Lease, Progress
from tunefront.storage.curves import Epoch
from tunefront.storage.outcomes import Outcome


@dataclass(frozen=True)
class TrialResult:
    """How an attempt at a trial ended, with all that the store is to be told of it.

    Attributes:
        reason: Why the trial was stopped, refused or returned, or why it failed.
        measurements: Name with unit -> value.
        stop_violations: Measure -> by how much the stopped trial would have broken its limit.
        answers: Split -> the model's answers to its images.
        epochs: The last epochs, which the store has not been told of.
        resumed: What the attempt really went on from, if that is less than its lease says and the store has not been
            told; later epochs of earlier attempts are void.
        model_path: The path of the kept model; empty if none was kept.
    """

    lease: Lease
    outcome: Outcome
    reason: str = ""
    measurements: Mapping[str, float] = field(default_factory=dict)
    stop_violations: Mapping[str, float] = field(default_factory=dict)
    answers: Mapping[str, Answers] = field(default_factory=dict)
    epochs: Sequence[Epoch] = ()
    model_path: str = ""
    resumed: Progress | None = None

    @property
    def name(self) -> str:
        """A name for files of the result, which no other attempt has."""
        return f"trial-{self.lease.number}-attempt-{self.lease.attempt}"

    def as_text(self) -> str:
        """Return the result as JSON, with every digit of its numbers."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def of_text(cls, text: str) -> TrialResult:
        """Read what :meth:`as_text` wrote.

        Raises:
            ValueError, TypeError, KeyError: If it is no such text.
        """
        fields = json.loads(text)
        return cls(
            **{
                **fields,
                "lease": Lease(**fields["lease"]),
                "outcome": Outcome(fields["outcome"]),
                "answers": {split: Answers.of_fields(found) for split, found in fields["answers"].items()},
                "epochs": [Epoch(**epoch) for epoch in fields["epochs"]],
                "resumed": Progress(**fields["resumed"]) if fields.get("resumed") else None,
            }
        )
