"""How far probabilities can be trusted: numbers worked out by hand or by SciPy, and the sentences on them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from tunefront.reports.class_answers.calibration import Bin, Calibration, describe_calibration, read_calibration
from tunefront.reports.class_answers.class_scores import ImageShare
from tunefront.reports.figures.reliability import reliability_figure
from tunefront.search.trial.errors.calibration import reliability_bins

# 60 answers with 50 %, of which 45 are right, and 40 with 100 %, of which 30 are.
BINS = [[60, 45, 0.5], [40, 30, 1.0]]


def known(bins: list[list[float]]) -> Calibration:
    found = read_calibration(bins)
    assert found is not None
    return found


def test_a_case_by_hand() -> None:
    found = known(BINS)
    assert found.error == pytest.approx(0.6 * 0.25 + 0.4 * 0.25)  # distances of 0.75 from 0.5, and of 0.75 from 1
    assert (found.right.fraction, found.confidence) == (0.75, pytest.approx(0.7))
    assert found.excess == pytest.approx(-0.05)  # the two bins err in opposite directions
    assert found.leaning == ""  # 0.7 is within Wilson's interval of 75 of 100, from 0.657 to 0.825
    assert known([[100, 75, 0.65]]).leaning == "underconfident"
    assert known([[100, 75, 0.83]]).leaning == "overconfident"


@pytest.mark.parametrize(("n", "confidence"), [(10, 0.5), (36, 0.97), (36, 0.999), (7, 0.3), (1, 0.25), (5000, 0.6)])
def test_the_gap_by_chance_is_scipys_mean_deviation(n: int, confidence: float) -> None:
    expected = binom(n, confidence).expect(lambda hits: abs(hits / n - confidence))
    assert Bin(ImageShare(0, n), confidence).gap_by_chance == pytest.approx(expected, rel=1e-6)


def test_true_probabilities_show_the_error_that_chance_gives() -> None:
    random = np.random.default_rng(0)
    found = []
    for _ in range(200):
        confidences = random.uniform(0.5, 1, 300)
        labels = (random.random(300) > confidences).astype(int)
        bins = reliability_bins(labels, np.column_stack([confidences, 1 - confidences]))
        found.append(known(bins))
    assert np.mean([each.error for each in found]) == pytest.approx(
        np.mean([each.error_by_chance for each in found]), rel=0.05
    )
    assert sum(each.leaning != "" for each in found) < 20  # of 200, with intervals of 95 %


@pytest.mark.parametrize("confidence", [0.0, 1.0, 1.0000001])
def test_certain_answers_have_no_gap_by_chance(confidence: float) -> None:
    assert Bin(ImageShare(3, 9), confidence).gap_by_chance == 0


def test_few_answers_and_older_rows_have_a_sentence_instead() -> None:
    assert read_calibration([[99, 80, 0.9]]) is None
    assert describe_calibration(None, 99, "rows") == (
        "How far its probabilities can be trusted, 99 rows do not tell: it takes 100."
    )
    assert read_calibration(()) is None
    assert "an earlier tunefront did not store it" in describe_calibration(None, 100, "images")


def test_the_sentence_says_in_which_direction_and_by_how_much() -> None:
    text = describe_calibration(known([[50, 30, 0.9], [50, 45, 0.98]]), 100, "images")
    assert text == (
        "It is overconfident by 19.0 points: it is 94.0 % sure on average, and 75.0 % of its answers are right. "
        "Calibration error (ECE) 19.0 points; true probabilities would show about 2.4 on so many images."
    )
    expected = sum(binom(50, p).expect(lambda hits, p=p: abs(hits / 50 - p)) for p in (0.9, 0.98)) / 2
    assert 100 * expected == pytest.approx(2.4, abs=0.05)
    assert describe_calibration(known(BINS), 100, "rows").startswith(
        "Neither over- nor underconfident, as far as 100 rows tell: it is 70.0 % sure on average, and 75.0 %"
    )


def test_the_figure_has_the_points_their_intervals_and_the_diagonal() -> None:
    figure = reliability_figure([(0.5, 0.75, 0.6, 0.9, 60), (1.0, 0.75, 0.5, 0.8, 40)], "title")
    diagonal, points = figure.data
    assert (list(diagonal.x), list(diagonal.y)) == ([0, 1], [0, 1])
    assert (list(points.x), list(points.y)) == ([0.5, 1.0], [0.75, 0.75])
    assert list(points.error_y.array) == pytest.approx([0.15, 0.05])
    assert list(points.error_y.arrayminus) == pytest.approx([0.15, 0.25])
    assert figure.layout.xaxis.range[0] == pytest.approx(0.48)
    assert not reliability_figure([], "title").data
