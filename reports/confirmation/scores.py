"""The scores that a confirmation is judged by, and how far the choice of images leaves them open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunefront.reports.confirmation.image_scores import drawn_scores
from tunefront.reports.confirmation.statistics import drawn_half_width, share_half_width
from tunefront.reports.study_results import StudyResults
from tunefront.storage import answers
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.trials import TrialRecord

SHARES = ("accuracy", "top_5_accuracy")  # scores that are shares of all images

Trainings = Mapping[int, Sequence[TrialRecord]]  # number of a finalist -> its trainings


@dataclass(frozen=True)
class ImageScores:
    """One score of all trainings on the images of one split.

    Attributes:
        name: The name of the measurement.
        n_images: The number of images; 0 if it is not known.
        is_share: Whether the score is a share of the images.
        is_number: Whether the score is one of predicted numbers.
        drawn: Training -> its scores on drawn images, for trainings whose answers to each image are known.
    """

    name: str
    n_images: int
    is_share: bool
    is_number: bool
    drawn: Mapping[int, NDArray[np.float64]]

    def values(self, trainings: Iterable[TrialRecord]) -> list[float]:
        """Return the measured scores of these trainings."""
        return [training.measurements[self.name] for training in trainings]

    def half_width(self, *finalists: Sequence[TrialRecord]) -> float:
        """Return half of the interval that the choice of images gives the mean of these finalists' means.

        It is Wilson's interval for a share of the images, else a bootstrap's; 0 if it is not known. Wilson's is also
        used where all draws of images have the same score, because answers to other images may still be wrong. Scores
        of predicted numbers are no shares, and have a bootstrap's alone.
        """
        trained = [trainings for trainings in finalists if trainings]
        if not trained:
            return 0.0
        mean = float(np.mean([np.mean(self.values(trainings)) for trainings in trained]))
        drawn = [self.of(trainings) for trainings in trained]
        known = [scores.mean(axis=1) for scores in drawn if scores is not None]
        if not self.is_share and len(known) < len(drawn):
            return 0.0
        width = 0.0 if self.is_share else drawn_half_width(mean, np.mean(known, axis=0))
        return width if self.is_number else width or share_half_width(mean, self.n_images)

    def of(self, trainings: Sequence[TrialRecord]) -> NDArray[np.float64] | None:
        """Return the scores on drawn images, shape (b, n); None if the answers of one of the trainings are not known.

        A draw without a score gets the measured score.
        """
        if any(training.number not in self.drawn for training in trainings):
            return None
        found = np.column_stack([self.drawn[training.number] for training in trainings])
        return np.where(np.isnan(found), self.values(trainings), found)


def read_scores(study: OpenStudy, results: StudyResults, trainings: Trainings) -> tuple[ImageScores, ...]:
    """Read the scores by the first axis's measure: on the test images if there are any, and on validation images."""
    name = results.measure("accuracy").name
    measured = (training.measurements for found in trainings.values() for training in found)
    has_test = any(f"test_{name}" in found for found in measured)
    validation = _read(study, results, "validation", is_compared=not has_test)
    return (_read(study, results, "test", is_compared=True) if has_test else validation), validation


def _read(study: OpenStudy, results: StudyResults, split: str, *, is_compared: bool) -> ImageScores:
    """Read the scores on a split. Images are drawn only to compare trainings or if an interval has no other source."""
    measure, facts = results.measure("accuracy"), results.study.dataset
    name, positive_class = measure.name, facts.get("positive_class", 1)
    n_folds = max(int(facts.get("folds") or 0), 1) if split == "validation" else 1
    is_share = name in SHARES
    found = answers.load(study, split) if is_compared or not is_share else {}
    return ImageScores(
        name=f"test_{name}" if split == "test" else name,
        n_images=int(facts.get(f"n_{split}") or 0) * n_folds,
        is_share=is_share,
        is_number=measure.unit == "number",
        drawn=drawn_scores(found, name, int(facts.get("n_classes") or 0), int(positive_class or 0)),
    )
