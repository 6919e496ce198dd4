"""Scores of each class against the rest, held against those of scikit-learn and SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from tunefront.reports.class_answers.class_scores import ImageShare, class_scores, f1_macro


def test_scores_are_those_of_scikit_learn_for_unequal_classes() -> None:
    random = np.random.default_rng(0)
    labels = random.choice(4, size=400, p=[0.7, 0.2, 0.07, 0.03])
    chosen = np.where(random.random(400) < 0.7, labels, random.choice(4, size=400))
    matrix = confusion_matrix(labels, chosen)
    found = class_scores(matrix)
    precision, recall, f1, support = precision_recall_fscore_support(labels, chosen)
    assert [scores.precision.fraction for scores in found] == pytest.approx(precision.tolist())
    assert [scores.recall.fraction for scores in found] == pytest.approx(recall.tolist())
    assert [scores.f1 for scores in found] == pytest.approx(f1.tolist())
    assert [scores.recall.n for scores in found] == support.tolist()
    for number, scores in enumerate(found):
        # Specificity is the recall of "all others", and the negative predictive value their precision.
        others = precision_recall_fscore_support(labels != number, chosen != number, average="binary")
        assert scores.npv.fraction == pytest.approx(others[0])
        assert scores.specificity.fraction == pytest.approx(others[1])
    assert f1_macro(found) == pytest.approx(f1_score(labels, chosen, average="macro"))


def test_scores_are_these_by_hand() -> None:
    first, second = class_scores(np.array([[50, 10], [5, 35]]))
    assert (second.recall, second.specificity) == (ImageShare(35, 40), ImageShare(50, 60))
    assert (second.precision, second.npv) == (ImageShare(35, 45), ImageShare(50, 55))
    assert (first.recall, first.npv) == (second.specificity, second.precision)
    assert second.f1 == pytest.approx(70 / 85)


def test_what_no_image_tells_is_not_a_number() -> None:
    absent, unnamed, third, neither = class_scores(np.array([[0, 0, 0, 0], [2, 0, 1, 0], [0, 0, 3, 0], [0, 0, 0, 0]]))
    assert math.isnan(absent.recall.fraction)
    assert absent.precision == ImageShare(0, 2)
    assert math.isnan(unnamed.precision.fraction)
    assert (unnamed.recall, unnamed.f1, absent.f1) == (ImageShare(0, 3), 0.0, 0.0)
    assert third.f1 == pytest.approx(6 / 7)
    assert math.isnan(neither.f1)
    # The absent class does not count, as in the measure f1_macro: (0 + 6/7) / 2.
    assert f1_macro([absent, unnamed, third, neither]) == pytest.approx(3 / 7)


@pytest.mark.parametrize(("n_hits", "n"), [(0, 7), (7, 7), (349, 359), (1, 1)])
def test_the_interval_of_a_share_is_wilsons(n_hits: int, n: int) -> None:
    wilson = stats.binomtest(n_hits, n).proportion_ci(method="wilson")
    assert ImageShare(n_hits, n).interval == pytest.approx((wilson.low, wilson.high), abs=1e-12)


def test_a_share_of_no_images_has_no_interval() -> None:
    assert all(map(math.isnan, ImageShare(0, 0).interval))
