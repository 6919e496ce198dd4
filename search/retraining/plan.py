"""The plan of a retraining: which candidate, on which images, for how many epochs, with which learning rates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tunefront.mistakes import TunefrontError
from tunefront.objectives.quantities import significant
from tunefront.search.confirmation.candidates_again import read_stored_spec, remake_candidates
from tunefront.search.confirmation.searches import check_is_search
from tunefront.search.confirmation.trainings import confirmed_trainings
from tunefront.search.sampling.seeds import trial_seed
from tunefront.search.spec.study_spec import StudySpec
from tunefront.spaces.candidate import Candidate
from tunefront.storage import trials
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.trials import TrialRecord

Part = Literal["train", "train+validation"]
_HAS_NO_BEST_EPOCH = {
    "pruned": "was stopped early",
    "failed": "failed",
    "cancelled": "was cancelled",
    "refused": "was refused before training",
}


class RetrainingError(TunefrontError):
    """A trial cannot be trained again: why, and what to do."""


@dataclass(frozen=True)
class RetrainingPlan:
    """A retraining, planned.

    Attributes:
        number: The number of the search's trial.
        candidate: Its candidate; its own number of epochs is the length of the schedule.
        part: The images to train on.
        epochs: The epochs to train, which may be fewer than those of the schedule.
        why_epochs: Where that number is from, for people.
        rates: The learning rate of each epoch, as the search recorded it; empty if the schedule tells it.
        seed: The seed of weights, order and augmentation.
        is_confirmed: Whether a confirmation was scored on the test images before.
    """

    spec: StudySpec
    number: int
    candidate: Candidate
    part: Part
    epochs: int
    why_epochs: str
    rates: Sequence[float]
    seed: int
    is_confirmed: bool

    def describe(self) -> str:
        """Describe what is going to happen, in a line or two for a person."""
        what = "training and validation images" if self.part == "train+validation" else "training images"
        if self.part == "train" and self.spec.data.folds:
            what += " of the first fold"
        length = f"{self.epochs} epoch{'' if self.epochs == 1 else 's'}"
        lines = [f"training trial {self.number} of {self.spec.name} again on its {what}, {length}: {self.why_epochs}"]
        if self.rates:
            lines.append(
                "the learning rate of each epoch is that of the search, where a plateau of validation lowered it"
            )
        elif self.candidate.schedule == "reduce_on_plateau":
            lines.append("the search did not record the learning rates of its plateaus, so that the first one stays")
        changes = [str(first) for first, _ in self.candidate.later if first <= self.epochs]
        if changes:
            lines.append(
                f"its settings change with epoch {', '.join(changes)} as in the search, where other trials' weights "
                "came in; here all epochs are its own"
            )
        if self.candidate.steps_per_epoch:
            lines.append(
                f"an epoch is {self.candidate.steps_per_epoch} steps, as in the search, however many images there are"
            )
        return "\n".join(lines)


def plan_retraining(
    search: OpenStudy, number: int, part: Part, epochs: int | None = None, seed: int | None = None
) -> RetrainingPlan:
    """Plan to train a trial's candidate again. Writes nothing.

    Args:
        epochs: The epochs to train; None takes the candidate's best epoch: the mean over its confirmed trainings where
            there are any, else that of the search.
        seed: None takes the trial's own.

    Raises:
        NotASearchError: If the study is a confirmation.
        RetrainingError: If there is no such trial, or nothing tells how long to train.
        RemakingError: If the study's spec cannot be read, or its space no longer makes the candidate.
    """
    record = search.record
    check_is_search(record, "retrain", f" {number}")
    spec = read_stored_spec(record)
    records = trials.load(search)
    trial = _find(records, number, record.name)
    confirmed = confirmed_trainings(search, records)
    chosen, why = (epochs, "as you said") if epochs is not None else _best_epoch(trial, confirmed.get(number, []))
    candidate = remake_candidates(record, spec.parsed_space(), {number: trial.parameters}, {number: trial.stages})[
        number
    ]
    length = max(spec.training.epochs_of(candidate), chosen)
    return RetrainingPlan(
        spec=spec,
        number=number,
        candidate=replace(candidate, epochs=length),
        part=part,
        epochs=chosen,
        why_epochs=why,
        rates=_recorded_rates(trial) if candidate.schedule == "reduce_on_plateau" else (),
        seed=trial_seed(spec.seed, number) if seed is None else seed,
        is_confirmed=any("test_loss" in one.measurements for found in confirmed.values() for one in found),
    )


def _find(records: Sequence[TrialRecord], number: int, name: str) -> TrialRecord:
    found = next((trial for trial in records if trial.number == number), None)
    if found is None:
        there = f"its trials are 0 to {records[-1].number}" if records else "it has no trial yet"
        raise RetrainingError(f"study {name!r} has no trial {number}: {there}")
    if found.state in ("waiting", "running"):
        raise RetrainingError(f"trial {number} of study {name!r} is still {found.state}: let it end first")
    return found


def _best_epoch(trial: TrialRecord, trainings: Sequence[TrialRecord]) -> tuple[int, str]:
    """Return the epochs to train, and where the number is from."""
    bests = [int(one.measurements["best_epoch"]) for one in trainings if "best_epoch" in one.measurements]
    if bests:
        mean = sum(bests) / len(bests)
        listed = ", ".join(map(str, bests))
        if len(bests) == 1:
            return bests[0], "its best epoch when it was confirmed"
        return max(
            math.floor(mean + 0.5), 1
        ), f"the mean of its best epochs with {len(bests)} seeds ({listed}) is {significant(mean, 3)}"
    if trial.state != "complete":
        raise RetrainingError(
            f"trial {trial.number} {_HAS_NO_BEST_EPOCH[trial.state]}, so that its best epoch is not known: choose a "
            "complete trial, or say how long to train with --epochs"
        )
    if "best_epoch" not in trial.measurements:
        raise RetrainingError(f"trial {trial.number} has no best epoch noted: say how long to train with --epochs")
    return int(trial.measurements["best_epoch"]), "its best epoch in the search"


def _recorded_rates(trial: TrialRecord) -> tuple[float, ...]:
    """Return the learning rate of each epoch in the search; empty if not all were recorded."""
    recorded: list[Mapping[str, float]] = [epoch.metrics for epoch in trial.epochs]
    if not all("learning_rate" in metrics for metrics in recorded):
        return ()
    return tuple(metrics["learning_rate"] for metrics in recorded)
