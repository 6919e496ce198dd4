"""The plan of a confirmation: train a search's finalists again, with several seeds each, as a study in the same store.

That study has the search's spec without what chooses and stops candidates, and its trials are queued: nothing is
sampled. Only it opens the test split. It runs like any other study, with workers, leases and resuming.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from optuna.trial import FrozenTrial

from tunefront.objectives.quantities import format_quantity
from tunefront.search.confirmation.candidates_again import read_stored_spec, remake_candidates
from tunefront.search.confirmation.finalists import Finalist, choose_finalists
from tunefront.search.confirmation.searches import check_is_search
from tunefront.search.spec.derived import SUFFIX, ConfirmationError, confirmation_spec
from tunefront.search.spec.study_spec import StudySpec
from tunefront.storage import studies, trials
from tunefront.storage.open_study import OpenStudy, StudyRecord
from tunefront.storage.population import stages
from tunefront.storage.trials import TrialRecord

Training = tuple[int, int]  # number of the search's trial, and number of its seed, from 0


@dataclass(frozen=True)
class ConfirmationPlan:
    """The trainings of a confirmation, planned.

    Attributes:
        spec: The spec of the confirming study.
        finalists: The finalists of the search as it stands now.
        n_new: Trainings to queue.
        n_done: Trainings that have ended already, including failed ones.
        seconds_each: The mean seconds of a finalist's trial in the search; None if unknown.
        is_search_unfinished: Whether trials of the search run or wait, so that its front may still change.
        has_test: Whether the data has a test split to score on.
    """

    spec: StudySpec
    finalists: Sequence[Finalist]
    n_seeds: int
    n_new: int
    n_done: int
    seconds_each: float | None
    is_search_unfinished: bool
    has_test: bool = True

    @property
    def n_to_train(self) -> int:
        """The number of trainings that are still to be done, including new ones."""
        return self.spec.trials - self.n_done

    def describe(self, n_slots: int) -> str:
        """Describe what is going to happen, in a few lines for a person."""
        front = [str(finalist.number) for finalist in self.finalists if finalist.is_on_front]
        near = [str(finalist.number) for finalist in self.finalists if not finalist.is_on_front]
        lines = [
            f"confirming {self.spec.confirms}: {len(front)} on the front ({_trials(front)}), "
            f"{len(near)} near {'miss' if len(near) == 1 else 'misses'}" + (f" ({_trials(near)})" if near else ""),
            f"{self.n_seeds} seeds each: {self.n_to_train} trainings to do, {self.n_done} are done"
            + self._duration(n_slots),
        ]
        if not self.has_test:
            lines.append(
                "the data has no test split: trainings are scored on the validation images, which also choose their "
                "epochs, so that scores are a little too high"
            )
        if self.is_search_unfinished:
            lines.append(
                f"{self.spec.confirms} is still under way: its front may change. Run this again when it is done"
            )
        return "\n".join(lines)

    def _duration(self, n_slots: int) -> str:
        if self.seconds_each is None or not self.n_to_train:
            return ""
        seconds = self.seconds_each * self.n_to_train / n_slots
        return f"; about {format_quantity(seconds, 'seconds')}, if each takes as long as in the search"

    def enqueue(self, study: OpenStudy) -> None:
        """Queue every missing training once, even if another process does the same at this moment.

        All candidates with one seed come before any with the next. An interrupted confirmation then has as many
        trainings of each candidate, and changes on the machine affect all candidates alike.
        """
        with study.exclusively():
            queued = _queued(study.optuna.get_trials(deepcopy=False))
            for seed in range(self.n_seeds):
                for finalist in self.finalists:
                    if (finalist.number, seed) not in queued:
                        attributes: dict[str, Any] = {"candidate": finalist.number, "seed": seed}
                        if finalist.stages:
                            attributes[stages.KEY] = stages.as_json(stages.replayed(finalist.stages))
                        study.optuna.enqueue_trial(dict(finalist.parameters), user_attrs=attributes)


def plan_confirmation(search: OpenStudy, n_seeds: int, n_near: int | None = None) -> ConfirmationPlan:
    """Choose the finalists, and derive the study that trains them, without writing anything.

    Trainings that were queued before stay, also those of candidates that are no longer finalists.

    Args:
        n_seeds: Number of trainings of each finalist.
        n_near: See :func:`choose_finalists`.

    Raises:
        NotASearchError: If the study is a confirmation itself.
        ConfirmationError: If there is nothing to confirm.
        RemakingError: If the search's spec cannot be read, or its space no longer makes its candidates.
    """
    record = search.record
    check_is_search(record, "confirm")
    spec = read_stored_spec(record)
    records = trials.load(search)
    finalists = choose_finalists(records, list(spec.parsed_objectives().values()), n_scored(record), n_near)
    if not finalists:
        raise ConfirmationError(_why_none(record, records))
    remake_candidates(
        record,
        spec.parsed_space(),
        {finalist.number: finalist.parameters for finalist in finalists},
        {finalist.number: finalist.stages for finalist in finalists},
    )
    study = studies.find(search.store, f"{record.name}{SUFFIX}")
    before = study.optuna.get_trials(deepcopy=False) if study is not None else []
    _check_same_search(record, records, before)
    queued = _queued(before)
    wanted = {(finalist.number, seed) for finalist in finalists for seed in range(n_seeds)}
    return ConfirmationPlan(
        spec=confirmation_spec(spec, len(queued | wanted)),
        finalists=finalists,
        n_seeds=n_seeds,
        n_new=len(wanted - queued),
        n_done=sum(trial.state.is_finished() for trial in before),
        seconds_each=_mean_seconds(records, {finalist.number for finalist in finalists}),
        is_search_unfinished=_is_unfinished(spec, records),
        has_test=record.dataset.get("n_test") != 0,
    )


def _is_unfinished(spec: StudySpec, records: Sequence[TrialRecord]) -> bool:
    """Return whether trials run, or waiting ones are still needed: a search with all its trials takes no more."""
    states = [trial.state for trial in records]
    n_finished = states.count("complete") + states.count("pruned")
    return "running" in states or ("waiting" in states and n_finished < spec.trials)


def _trials(numbers: Sequence[str]) -> str:
    return f"trial{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"


def n_scored(search: StudyRecord) -> int:
    """Return the number of validation images that a score of the search is a mean over."""
    return int(search.dataset.get("n_validation", 0)) * max(int(search.dataset.get("folds") or 0), 1)


def _why_none(search: StudyRecord, records: Sequence[TrialRecord]) -> str:
    if any(trial.state == "complete" for trial in records):
        return (
            f"no complete trial of study {search.name!r} keeps the limits of its objectives, so there is no front to "
            "confirm: search with other limits, or a larger space"
        )
    return (
        f"study {search.name!r} has no complete trial yet, so there is no front to confirm. "
        f"tunefront status {search.name} tells how it stands"
    )


def _queued(trainings: Sequence[FrozenTrial]) -> set[Training]:
    attributes = [training.user_attrs for training in trainings]
    return {(found["candidate"], found["seed"]) for found in attributes if {"candidate", "seed"} <= found.keys()}


def _check_same_search(search: StudyRecord, records: Sequence[TrialRecord], trainings: Sequence[FrozenTrial]) -> None:
    """Refuse to continue the confirmation of another search of the same name that was deleted since."""
    parameters = {trial.number: dict(trial.parameters) for trial in records}
    for training in trainings:
        own = {**training.system_attrs.get("fixed_params", {}), **training.params}  # of waiting trials too
        if own != parameters.get(training.user_attrs.get("candidate", -1)):
            raise ConfirmationError(
                f"the study {search.name}{SUFFIX} confirmed another search of the name {search.name!r}: its training "
                f"{training.number} has other parameters. Delete it with "
                f"'tunefront delete {search.name}{SUFFIX} --results', or use another --storage"
            )


def _mean_seconds(records: Sequence[TrialRecord], numbers: set[int]) -> float | None:
    measured = [trial.measurements for trial in records if trial.number in numbers]
    seconds = [found["trial_seconds"] for found in measured if "trial_seconds" in found]
    return sum(seconds) / len(seconds) if seconds else None
