"""The answers of the models on the front, or of finalists trained again, to each class, as the store has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tunefront.reports.class_answers.calibration import Calibration, read_calibration
from tunefront.reports.class_answers.class_scores import ClassScores, class_scores
from tunefront.reports.confirmation.confirmation import Confirmation
from tunefront.reports.study_results import StudyResults
from tunefront.storage import answers
from tunefront.storage.answers import Answers, ClassCurve
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.trials import TrialRecord

_NO_CLASS = "no class"  # what outputs name that are more than there are classes


@dataclass(frozen=True)
class ClassAnswers:
    """One model's answers.

    Attributes:
        number: The number of its trial.
        matrix: The confusion matrix, shape (k, k): images of each class (rows) that were taken for each (columns). If
            an answer named no class, the last class is none.
        curves: Class -> its curves; only the positive one of two classes.
        calibration: How far its probabilities can be trusted; None if that is not known, or of few answers.
        trained: The trial that trained it: a confirmation's of the same candidate, where the answers are that one's.
        sheet: A picture of its worst images as an address that holds it (``data:``); empty without one.
    """

    number: int
    matrix: NDArray[np.int64]
    curves: Mapping[int, ClassCurve]
    calibration: Calibration | None
    trained: TrialRecord
    sheet: str = ""

    @property
    def n(self) -> int:
        """The number of answers."""
        return int(self.matrix.sum())

    @property
    def scores(self) -> list[ClassScores]:
        """The scores of each class against the rest."""
        return class_scores(self.matrix)

    @property
    def mistakes(self) -> list[tuple[int, int, int]]:
        """Every class, the other class that some of its images were taken for, and their number; most images first."""
        pairs = np.argwhere(self.matrix * (1 - np.eye(len(self.matrix), dtype=np.int64)))
        found = [(int(true), int(chosen), int(self.matrix[true, chosen])) for true, chosen in pairs]
        return sorted(found, key=lambda pair: (-pair[2], *pair))


@dataclass(frozen=True)
class FrontAnswers:
    """The answers of the models on a study's front, or once it was confirmed, of its finalists.

    Attributes:
        split: The images that were answered: ``validation``, or ``test`` in a confirmation.
        models: The models whose answers are known, in the order of the front.
        unknown: The numbers of the others.
        folds: The number of folds; 0 without them.
        positive: The positive class; None unless there are two classes.
        examples: What was answered to: ``images`` or ``rows``.
        confirmation: The study that trained the models again; empty if the answers are those of the study's own models.
        shows_images: Whether pictures of the worst images were asked for.
    """

    split: str
    class_names: Sequence[str]
    models: Sequence[ClassAnswers]
    unknown: Sequence[int]
    folds: int
    positive: int | None
    examples: str = "images"
    confirmation: str = ""
    shows_images: bool = False

    @property
    def n_images(self) -> int:
        return self.models[0].n


def load_front_answers(
    study: OpenStudy, results: StudyResults, confirmation: Confirmation | None = None
) -> FrontAnswers | None:
    """Read the answers of the models on the front; None if none are known. Writes nothing.

    An older tunefront stored none, and there are none of models that could not be saved.

    Args:
        confirmation: The study's confirmation. Its answers to the test images, which chose nothing, are then taken.
    """
    front = {trial.number: trial for trial in results.front}
    if confirmation is not None and confirmation.has_test:
        shown = {f.number: trained for f in confirmation.finalists if (trained := confirmation.shown_training(f))}
        confirming = OpenStudy(study.store, confirmation.study.study)
        found = _answers(answers.load(confirming, "test"), "test", shown, results)
        if found is not None:
            unknown = sorted(front.keys() - shown.keys() - confirmation.same.keys() | set(found.unknown))
            return replace(found, unknown=unknown, confirmation=confirming.name)
    is_confirmation = bool(results.study.spec.get("confirms"))
    for split in ("test", "validation") if is_confirmation else ("validation",):
        found = _answers(answers.load(study, split), split, front, results)
        if found is not None:
            return found
    return None


def class_answers_of(
    stored: Answers | None, split: str, number: int, trained: TrialRecord, results: StudyResults
) -> FrontAnswers | None:
    """Return the answers of one model to a split; None if they are not known, or not to the study's classes.

    Args:
        number: The number that the model is shown under.
        trained: The trial whose answers they are.
    """
    return _answers({} if stored is None else {trained.number: stored}, split, {number: trained}, results)


def _answers(
    stored: Mapping[int, Answers], split: str, shown: Mapping[int, TrialRecord], results: StudyResults
) -> FrontAnswers | None:
    """Return the answers of models by the numbers that they are shown under; None if none are known.

    Args:
        stored: The answers by the number of the trial that trained the model.
        shown: Number -> the trial that trained the model.
    """
    dataset = results.study.dataset
    names = [str(name) for name in dataset.get("class_names", [])]
    n_outputs = max(len(names), int(dataset.get("outputs") or 0))  # those beyond the classes name none
    known = {
        number: (trained, found)
        for number, trained in shown.items()
        if (found := stored.get(trained.number)) is not None and _is_of(found, len(names), n_outputs)
    }
    if not known:
        return None
    has_unnamed = any(max(found.chosen) >= len(names) for _, found in known.values())
    shown_names = [*names, _NO_CLASS] if has_unnamed else names
    return FrontAnswers(
        split=split,
        class_names=shown_names,
        models=[_class_answers(number, trained, found, len(shown_names)) for number, (trained, found) in known.items()],
        unknown=[number for number in shown if number not in known],
        folds=int(dataset.get("folds") or 0),
        positive=int(dataset.get("positive_class", 1)) if len(names) == 2 else None,
        examples=results.examples,
    )


def _is_of(found: Answers, n_classes: int, n_outputs: int) -> bool:
    """Return whether there are answers, to images of so many classes and by so many outputs."""
    if not n_classes or not len(found.labels):
        return False
    return max(found.labels) < n_classes and max(found.chosen) < n_outputs


def _class_answers(number: int, trained: TrialRecord, found: Answers, n_classes: int) -> ClassAnswers:
    matrix = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(matrix, (np.asarray(found.labels), np.minimum(found.chosen, n_classes - 1)), 1)
    curves = {int(name): curve for name, curve in found.curves.items()}
    return ClassAnswers(number, matrix, curves, read_calibration(found.calibration), trained)
