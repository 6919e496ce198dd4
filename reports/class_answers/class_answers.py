"""The answers of the models on the front to the images of each class, as the store has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunefront.reports.class_answers.class_scores import ClassScores, class_scores
from tunefront.reports.study_results import StudyResults
from tunefront.storage import answers
from tunefront.storage.answers import Answers, ClassCurve
from tunefront.storage.open_study import OpenStudy

_NO_CLASS = "no class"  # what outputs name that are more than there are classes


@dataclass(frozen=True)
class ClassAnswers:
    """One model's answers.

    Attributes:
        number: The number of its trial.
        matrix: The confusion matrix, shape (k, k): images of each class (rows) that were taken for each (columns). If
            an answer named no class, the last class is none.
        curves: Class -> its curves; only the positive one of two classes.
    """

    number: int
    matrix: NDArray[np.int64]
    curves: Mapping[int, ClassCurve]

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
    """The answers of the models on a study's front.

    Attributes:
        split: The images that were answered: ``validation``, or ``test`` in a confirmation.
        models: The models whose answers are known, in the order of the front.
        unknown: The numbers of the others.
        folds: The number of folds; 0 without them.
        positive: The positive class; None unless there are two classes.
    """

    split: str
    class_names: Sequence[str]
    models: Sequence[ClassAnswers]
    unknown: Sequence[int]
    folds: int
    positive: int | None

    @property
    def n_images(self) -> int:
        return int(self.models[0].matrix.sum())


def load_front_answers(study: OpenStudy, results: StudyResults) -> FrontAnswers | None:
    """Read the answers of the models on the front; None if none are known. Writes nothing.

    An older tunefront stored none, and there are none of models that could not be saved.
    """
    dataset = results.study.dataset
    names = [str(name) for name in dataset.get("class_names", [])]
    n_outputs = max(len(names), int(dataset.get("outputs") or 0))  # those beyond the classes name none
    is_confirmation = bool(results.study.spec.get("confirms"))
    for split in ("test", "validation") if is_confirmation else ("validation",):
        found = answers.load(study, split)
        known = [trial.number for trial in results.front if _is_of(found.get(trial.number), len(names), n_outputs)]
        if known:
            has_unnamed = any(max(found[number].chosen) >= len(names) for number in known)
            shown = [*names, _NO_CLASS] if has_unnamed else names
            return FrontAnswers(
                split=split,
                class_names=shown,
                models=[_class_answers(number, found[number], len(shown)) for number in known],
                unknown=[trial.number for trial in results.front if trial.number not in known],
                folds=int(dataset.get("folds") or 0),
                positive=int(dataset.get("positive_class", 1)) if len(names) == 2 else None,
            )
    return None


def _is_of(found: Answers | None, n_classes: int, n_outputs: int) -> bool:
    """Return whether there are answers, to images of so many classes and by so many outputs."""
    if found is None or not len(found.labels):
        return False
    return max(found.labels) < n_classes and max(found.chosen) < n_outputs


def _class_answers(number: int, found: Answers, n_classes: int) -> ClassAnswers:
    matrix = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(matrix, (np.asarray(found.labels), np.minimum(found.chosen, n_classes - 1)), 1)
    return ClassAnswers(number, matrix, {int(name): curve for name, curve in found.curves.items()})
