"""Scores of drawn images: against scikit-learn on the same images, and a case worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from tunefront.reports.confirmation.image_scores import N_RESAMPLES, drawn_scores, scores_on
from tunefront.storage.answers import Answers

MEASURES = ("accuracy", "top_5_accuracy", "f1_macro", "precision", "recall", "auc")


def answers_of(labels: np.ndarray, scores: np.ndarray, positive: int | None = None) -> Answers:  # type: ignore[type-arg]
    """Return the answers that tunefront.search.trial.image_answers would make of scores of shape (n, k)."""
    order = np.argsort(-scores, axis=1, kind="stable")
    classes = np.unique(labels) if positive is None else [positive]
    ranks = {str(c): [sorted(set(scores[:, c])).index(value) for value in scores[:, c]] for c in classes}
    return Answers(
        labels.tolist(),
        scores.argmax(axis=1).tolist(),
        [int(y in row[:5]) for y, row in zip(labels, order, strict=True)],
        ranks,
    )


def expected(measure: str, labels: np.ndarray, scores: np.ndarray, positive: int | None) -> float:  # type: ignore[type-arg]
    """Return scikit-learn's score over the classes that occur."""
    chosen, present = scores.argmax(axis=1), np.unique(labels)
    if measure == "accuracy":
        return float(metrics.accuracy_score(labels, chosen))
    if measure == "top_5_accuracy":
        return float(metrics.top_k_accuracy_score(labels, scores, k=5, labels=range(scores.shape[1])))
    if measure == "auc":
        classes = present if positive is None else [positive]
        return float(np.mean([metrics.roc_auc_score(labels == c, scores[:, c]) for c in classes]))
    function = {"precision": metrics.precision_score, "recall": metrics.recall_score}.get(measure, metrics.f1_score)
    one = positive is not None and measure != "f1_macro"
    classes = [positive] if one else present
    return float(function(labels, chosen, labels=classes, average="macro", zero_division=0))


@pytest.mark.parametrize(
    ("measure", "n_classes", "positive"),
    [
        *((measure, 7, None) for measure in MEASURES),
        *((measure, 2, 0) for measure in ("accuracy", "f1_macro", "f1_binary", "precision", "recall", "auc")),
        ("f1_binary", 2, 1),
    ],
)
def test_a_draws_scores_are_those_of_scikit_learn(measure: str, n_classes: int, positive: int | None) -> None:
    random = np.random.default_rng(3)
    labels = random.choice(n_classes, size=60, p=np.arange(1, n_classes + 1) / sum(range(1, n_classes + 1)))
    tables = [np.eye(n_classes)[labels] * strength + random.random((60, n_classes)) for strength in (0.2, 0.8)]
    if measure != "top_5_accuracy":
        tables = [
            table.round(1) for table in tables
        ]  # makes ties; scikit-learn breaks those of the top five differently
    draws = [np.arange(60), *(random.integers(60, size=60) for _ in range(8))]
    weights = np.stack([np.bincount(drawn, minlength=60) for drawn in draws]).astype(np.float32)
    found = scores_on(weights, [answers_of(labels, t, positive) for t in tables], measure, n_classes, positive or 0)
    wanted = [[expected(measure, labels[drawn], table[drawn], positive) for table in tables] for drawn in draws]
    assert found == pytest.approx(np.array(wanted), abs=1e-12)


def test_a_draw_without_the_positive_class_has_no_score() -> None:
    answers = Answers([0, 0, 1], [0, 0, 1], ranks={"1": [0, 2, 1]})
    weights = np.array([[1, 1, 1], [2, 1, 0], [0, 1, 2]], dtype=np.float32)
    assert scores_on(weights, [answers], "auc", 2, 1)[:, 0].tolist() == pytest.approx([0.5, np.nan, 0.0], nan_ok=True)
    assert scores_on(weights, [answers], "recall", 2, 1)[:, 0].tolist() == pytest.approx([1, np.nan, 1], nan_ok=True)


def test_draws_are_the_same_for_all_trainings_and_spread_as_a_share_does() -> None:
    right, wrong = [0] * 90 + [1] * 10, [1] * 90 + [0] * 10  # each is right exactly where the other is wrong
    found = drawn_scores({4: Answers([0] * 100, right), 9: Answers([0] * 100, wrong)}, "accuracy", 2)
    assert found[4].shape == (N_RESAMPLES,)
    assert found[4] + found[9] == pytest.approx(np.ones(N_RESAMPLES))
    assert found[4].mean() == pytest.approx(0.9, abs=0.003)
    assert found[4].std() == pytest.approx((0.9 * 0.1 / 100) ** 0.5, rel=0.06)


def test_what_was_not_kept_or_is_of_other_images_is_left_out() -> None:
    answers = {1: Answers([0, 1], [0, 1]), 2: Answers([1, 1], [0, 1]), 3: Answers([0, 1], [0, 0])}
    assert list(drawn_scores(answers, "accuracy", 2)) == [1, 3]
    assert drawn_scores(answers, "auc", 2) == {}
    assert drawn_scores(answers, "top_5_accuracy", 2) == {}
    assert drawn_scores({}, "accuracy", 2) == {}
