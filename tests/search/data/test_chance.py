"""The scores of guessing, against scikit-learn's scores of constant and of drawn answers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics

from tunefront.objectives.chance import Chance, read_chance
from tunefront.objectives.measures import MEASURES, is_defined
from tunefront.search.data.chance import chances, guessing_level
from tunefront.search.trial.scores import score

TWO = [(50, 50), (30, 90), (1, 99)]
MANY = [(20, 20, 20), (5, 30, 85), (9, 0, 21, 70), (40, 3, 12, 25, 30, 8, 22)]


def labels_of(counts: tuple[int, ...]) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), counts)


def constant(n: int, number: int) -> np.ndarray:
    return np.full(n, number)


@pytest.mark.parametrize("counts", TWO)
@pytest.mark.parametrize("positive_class", [0, 1])
def test_of_two_classes_it_is_the_best_constant_answer(counts: tuple[int, int], positive_class: int) -> None:
    labels = labels_of(counts)
    found = chances(np.array(counts), positive_class)
    options = {"pos_label": positive_class, "zero_division": 0}
    measured: dict[str, Callable[[np.ndarray], float]] = {
        "accuracy": lambda chosen: metrics.accuracy_score(labels, chosen),
        "f1_binary": lambda chosen: metrics.f1_score(labels, chosen, **options),
        "precision": lambda chosen: metrics.precision_score(labels, chosen, **options),
        "recall": lambda chosen: metrics.recall_score(labels, chosen, **options),
        "auc": lambda chosen: metrics.roc_auc_score(labels == positive_class, chosen),
    }
    for measure, of in measured.items():
        best = max(of(constant(len(labels), number)) for number in (0, 1))
        assert found[measure].score == pytest.approx(best), measure
    assert set(found) == {*measured, "f1_macro"}


def test_always_fire_on_balanced_data() -> None:
    found = chances(np.array([50, 50]), positive_class=1)
    assert found["f1_binary"].score == pytest.approx(0.6667, abs=1e-4)
    assert found["auc"].score == 0.5
    assert found["accuracy"] == Chance(0.5, 0.05)
    assert found["accuracy"].level == pytest.approx(0.6)
    # A network that always says fire has full recall, so recall alone tells nothing, and no value is marked.
    assert found["recall"].level == -math.inf


@pytest.mark.parametrize("counts", MANY)
def test_of_many_classes_no_constant_answer_is_better(counts: tuple[int, ...]) -> None:
    labels = labels_of(counts)
    found = chances(np.array(counts))
    answers = [constant(len(labels), number) for number in range(len(counts)) if counts[number]]
    for measure, function in (
        ("f1_macro", metrics.f1_score),
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
    ):
        present = np.flatnonzero(counts)
        reached = [function(labels, chosen, labels=present, average="macro", zero_division=0) for chosen in answers]
        assert max(reached) <= found[measure].score + 1e-12
    assert found["accuracy"].score == max(metrics.accuracy_score(labels, chosen) for chosen in answers)
    assert ("top_5_accuracy" in found) == (len(counts) > 5)


def test_the_best_constant_ranking_has_the_five_most_frequent_classes() -> None:
    counts = MANY[-1]
    labels, n = labels_of(counts), sum(counts)
    reached = []
    for five in itertools.combinations(range(len(counts)), 5):
        probabilities = np.tile(np.isin(np.arange(len(counts)), five) / 5, (n, 1))
        reached.append(metrics.top_k_accuracy_score(labels, probabilities, k=5))
        assert score(labels, probabilities)["top_5_accuracy"] == reached[-1]
    assert chances(np.array(counts))["top_5_accuracy"].score == max(reached)


def macro(labels: np.ndarray, chosen: np.ndarray, weighs: Callable[..., np.ndarray]) -> np.ndarray:
    """Return macro averages of answers of shape (repeats, n); `weighs` gives each class's divisor of its hits."""
    per_class = []
    for number in range(labels.max() + 1):
        hits = ((chosen == number) & (labels == number)).sum(axis=1)
        per_class.append(hits / np.maximum(weighs((chosen == number).sum(axis=1), (labels == number).sum()), 1))
    return np.mean(per_class, axis=0)


@pytest.mark.parametrize("counts", [(50, 50), (30, 90), (20, 30, 85), (40, 20, 12, 25, 30, 18, 22)])
def test_macro_averages_are_those_of_classes_drawn_as_often_as_they_occur(counts: tuple[int, ...]) -> None:
    labels, generator = labels_of(counts), np.random.default_rng(1)
    found = chances(np.array(counts))
    drawn = generator.choice(len(counts), (4000, len(labels)), p=np.array(counts) / len(labels))
    f1 = macro(labels, drawn, lambda n_chosen, n_there: (n_chosen + n_there) / 2)
    assert f1[0] == pytest.approx(metrics.f1_score(labels, drawn[0], average="macro"))
    assert f1.mean() == pytest.approx(found["f1_macro"].score, abs=0.01)
    assert f1.std() == pytest.approx(found["f1_macro"].standard_error, rel=0.1)
    if len(counts) > 2:
        precision = macro(labels, drawn, lambda n_chosen, n_there: n_chosen)
        assert precision.mean() == pytest.approx(found["precision"].score, abs=0.01)
        assert precision.std() == pytest.approx(found["precision"].standard_error, rel=0.2)


def test_rare_classes_make_the_error_of_macro_recall() -> None:
    counts = (4, 100, 200)
    labels, generator = labels_of(counts), np.random.default_rng(1)
    found = chances(np.array(counts))["recall"]
    drawn = generator.integers(0, 3, (4000, len(labels)))
    recall = macro(labels, drawn, lambda n_chosen, n_there: n_there)
    assert recall.mean() == pytest.approx(found.score, abs=0.01)
    assert recall.std() == pytest.approx(found.standard_error, rel=0.05)
    assert found.standard_error > 2 * chances(np.array([100, 100, 104]))["recall"].standard_error


@pytest.mark.parametrize("counts", [(20, 20), (10, 60), (30, 30, 30), (20, 40, 90), (10, 20, 30, 40, 50, 60)])
def test_the_error_of_the_auc_is_that_of_random_scores(counts: tuple[int, ...]) -> None:
    labels, generator = labels_of(counts), np.random.default_rng(1)
    found = chances(np.array(counts))["auc"]
    drawn = generator.dirichlet(np.ones(len(counts)), (2000, len(labels)))
    ranks = drawn.argsort(axis=1).argsort(axis=1) + 1.0
    # Mann and Whitney's AUC follows from the sum of the ranks of a class's own images.
    areas = [
        (ranks[:, labels == number, number].sum(axis=1) / n - (n + 1) / 2) / (len(labels) - n)
        for number, n in enumerate(counts)
    ]
    mean = np.mean(areas, axis=0)
    assert mean[0] == pytest.approx(score(labels, drawn[0], wants_auc=True)["auc"])
    assert mean.mean() == pytest.approx(0.5, abs=0.01)
    assert mean.std() == pytest.approx(found.standard_error, rel=0.15)


@pytest.mark.parametrize("counts", [(50, 50), (0, 9), (9, 0), (0, 3, 0), (3, 2, 4), (3, 2, 4, 1, 1, 2)])
@pytest.mark.parametrize("positive_class", [0, 1])
def test_a_measure_has_a_chance_where_it_has_a_score(counts: tuple[int, ...], positive_class: int) -> None:
    labels = labels_of(counts)
    probabilities = np.random.default_rng(1).dirichlet(np.ones(len(counts)), len(labels))
    scores = score(labels, probabilities, positive_class, wants_auc=True)
    assert chances(np.array(counts), positive_class).keys() == scores.keys() - {"loss"}
    accuracies = {measure.name for measure in MEASURES.values() if measure.axis == "accuracy"}
    missing = {name for name in accuracies if not is_defined(name, np.array(counts), positive_class)}
    assert not missing & scores.keys()


def test_a_study_stored_before_there_were_chances_has_that_of_equal_classes() -> None:
    before = {"n_classes": 10, "n_validation": 360}
    assert read_chance(before, "accuracy") == Chance(0.1, pytest.approx(0.0158114))
    assert read_chance(before, "auc") is None
    assert read_chance({}, "accuracy") is None
    assert guessing_level(before, "accuracy") == pytest.approx(0.1316228)
    assert guessing_level({}, "accuracy") == -math.inf
    now = {**before, "chances": {"accuracy": {"score": 0.5, "standard_error": 0.1}}}
    assert read_chance(now, "accuracy") == Chance(0.5, 0.1)
    assert read_chance(now, "auc") is None
