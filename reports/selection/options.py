"""The models of a study that can be chosen, with the numbers by which they are: confirmed ones where there are any."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tunefront.objectives.dominance import on_front
from tunefront.objectives.limits import Objective, broken_limit, read_limits
from tunefront.objectives.measures import AXES, MEASURES, Axis, Measure
from tunefront.objectives.noise import STANDARD_ERRORS, noise
from tunefront.reports.confirmation.confirmation import Confirmation, Confirmed
from tunefront.reports.confirmation.statistics import seed_noise
from tunefront.reports.kept_models import training_of
from tunefront.reports.study_results import StudyResults
from tunefront.storage.deployment.deployed import DeployedVariant
from tunefront.storage.trials import TrialRecord


@dataclass(frozen=True)
class Option:
    """A model that can be chosen.

    Attributes:
        trial: Its trial in the search.
        values: Measure -> value: the mean over its confirmed trainings where there are any, else what the search saw;
            of a file what was measured of it.
        confirmed: Its trainings in the confirmation; None if it was not trained again.
        file: The file for a runtime that the model is; None for the Keras model itself.
    """

    trial: TrialRecord
    values: Mapping[str, float]
    confirmed: Confirmed | None = None
    file: DeployedVariant | None = None

    @property
    def number(self) -> int:
        return self.trial.number

    @property
    def variant(self) -> str:
        """The name of the file's variant; empty for the Keras model itself."""
        return self.file.variant if self.file is not None else ""

    @property
    def key(self) -> tuple[int, str]:
        """What tells it from the others: its trial and variant."""
        return self.number, self.variant

    @property
    def name(self) -> str:
        """Its name for people: ``"trial 3"``, ``"trial 3 as int8"``."""
        return f"trial {self.number}" + (f" as {self.variant}" if self.variant else "")

    @property
    def training(self) -> TrialRecord:
        """The training whose file is its one model: of a confirmed one the best of its trainings that was kept."""
        return training_of(self.trial, self.confirmed)

    def value(self, measure: str) -> float:
        """Return the value of a measure; NaN if it was not measured."""
        return self.values.get(measure, math.nan)


@dataclass(frozen=True)
class Options:
    """All models of a study that can be chosen.

    Attributes:
        members: Complete trials within the study's limits that are better than guessing, in the order of their numbers.
            Once a confirmation has trained some of them, these alone.
        confirmation: The confirmation whose numbers count; None if those of the search do.
        n_guessing: Trials that are left out because they are no better than guessing.
        outside: Those better than guessing that are left out because they break a limit of the study.
        measures: Axis -> the measure that files are compared by in place of the study's; empty if no files are offered.
        device: The name of the device that files must fit; empty if there is none.
    """

    results: StudyResults
    members: Sequence[Option]
    confirmation: Confirmation | None = None
    n_guessing: int = 0
    outside: Sequence[Option] = ()
    measures: Mapping[Axis, Measure] = field(default_factory=dict)
    device: str = ""

    @property
    def n_outside(self) -> int:
        return len(self.outside)

    @property
    def has_files(self) -> bool:
        """Whether the members are files for runtimes."""
        return bool(self.measures)

    def measure(self, axis: Axis) -> Measure:
        """Return the measure that members are compared by on an axis."""
        return self.measures.get(axis) or self.results.measure(axis)

    def objective(self, axis: Axis) -> Objective:
        """Return what counts as a difference on an axis: the study's tolerance, by the measure of the members."""
        known = self.results.objectives.get(axis)
        if known is None or known.measure == self.measure(axis):
            return known or Objective(self.measure(axis))
        return replace(known, measure=self.measure(axis), at_least=None, at_most=None)

    @property
    def n_images(self) -> int:
        """The number of images that accuracy was measured on; 0 if it is not known."""
        if self.has_files:
            return min((option.file.n_images for option in self.members if option.file is not None), default=0)
        facts = self.results.study.dataset
        if self.confirmation is not None and self.confirmation.has_test:
            return int(facts.get("n_test") or 0)
        return int(facts.get("n_validation") or 0) * max(int(facts.get("folds") or 0), 1)

    @property
    def axes(self) -> list[Axis]:
        """The axes by which models are compared: the study's objectives, and accuracy, which nobody chooses without.

        Files are compared by all of them.
        """
        known = {"accuracy", *self.results.objectives, *self.measures}
        return [axis for axis in AXES if axis in known]

    def noise_between(self, best: Option, other: Option) -> float:
        """Return the difference in accuracy of two models that may be chance; NaN if it is not known.

        Trainings whose answers to each image are known are compared image by image, with the spread of their seeds. The
        other one's seeds count no more than the best one's: that its trainings disagree does not speak for a model. Of
        few seeds a standard error is itself uncertain, so Student's t takes the place of two of them. Else, and for
        files, it is two standard errors of the better one's score.
        """
        measure = self.measure("accuracy")
        if self.has_files:
            return noise(best.value(measure.name), self.n_images, measure)
        if self.confirmation is not None and best.confirmed is not None and other.confirmed is not None:
            pair = best.confirmed.trainings, other.confirmed.trainings
            drawn = [self.confirmation.score.of(trainings) for trainings in pair]
            if drawn[0] is not None and drawn[1] is not None:
                by_images = float(np.var(drawn[0].mean(axis=1) - drawn[1].mean(axis=1)))
                own, others = (_variance_of_mean(self.confirmation.score.values(trainings)) for trainings in pair)
                counted = pair if others < own else (pair[0], pair[0])
                freedom = [len(trainings) - 1 for trainings in counted]
                by_seeds = seed_noise([own, min(own, others)], freedom, STANDARD_ERRORS)
                return math.hypot(STANDARD_ERRORS * math.sqrt(by_images), by_seeds)
        return noise(best.value(measure.name), self.n_images, measure)


def find_options(results: StudyResults, confirmation: Confirmation | None = None) -> Options:
    """Return the models of a study that can be chosen.

    Args:
        confirmation: The study's confirmation, whose numbers and finalists replace those of the search.
    """
    trained = [finalist for finalist in confirmation.finalists if finalist.trainings] if confirmation else []
    if confirmation is not None and trained:
        found = [
            Option(each.searched, _confirmed_values(results, each, has_test=confirmation.has_test), each)
            for each in sorted(trained, key=lambda finalist: finalist.number)
        ]
        limits = read_limits(results.study.spec)
        inside = [option for option in found if not broken_limit(limits, option.values)]
    else:
        complete = [trial for trial in results.trials if trial.state == "complete"]
        found = [Option(trial, searched_values(results, trial)) for trial in complete]
        inside = [option for option in found if option.trial.is_feasible]
    name, chance = results.measure("accuracy").name, results.chance
    learnt = [option for option in found if chance is None or chance.is_beaten_by(option.value(name))]
    kept = {option.number for option in inside}
    return Options(
        results,
        [option for option in learnt if option.number in kept],
        confirmation if trained else None,
        n_guessing=len(found) - len(learnt),
        outside=[option for option in learnt if option.number not in kept],
    )


def front_of(options: Options, members: Sequence[Option]) -> list[Option]:
    """Return those members that no other one beats on the axes that count."""
    measures = [options.measure(axis) for axis in options.axes]
    points = np.array([[option.value(measure.name) for measure in measures] for option in members], dtype=float)
    mask = on_front(points, [measure.direction for measure in measures])
    return [option for option, is_on in zip(members, mask, strict=True) if is_on]


def searched_values(results: StudyResults, trial: TrialRecord) -> dict[str, float]:
    """Return measure -> value, as the search saw it."""
    values = dict(trial.measurements)
    return values | {results.measure(axis).name: results.value(trial, axis) for axis in AXES}


def _confirmed_values(results: StudyResults, finalist: Confirmed, *, has_test: bool) -> dict[str, float]:
    """Return means over the trainings, of scores on the test images; what they lack is what the search saw."""
    values = searched_values(results, finalist.searched)
    for name in values:
        source = f"test_{name}" if has_test and name in MEASURES and MEASURES[name].axis == "accuracy" else name
        found = [t.measurements[source] for t in finalist.trainings if source in t.measurements]
        if found:
            values[name] = float(np.mean(found))
    return values | {results.measure(axis).name: finalist.estimates[axis].mean for axis in AXES}


def _variance_of_mean(values: Sequence[float]) -> float:
    """Return the variance that the seeds give the mean of `values`; 0 for a single one, which tells nothing."""
    return float(np.var(values, ddof=1)) / len(values) if len(values) > 1 else 0.0
