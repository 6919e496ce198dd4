from __future__ import annotations

import numpy as np
import pytest

from tunefront.search.models.agreement import chosen_classes, compare_answers
from tunefront.search.models.variants import VARIANTS

KERAS = np.tile([[0.9, 0.1], [0.2, 0.8]], (50, 1))  # of 100 images


@pytest.mark.parametrize(
    ("variant", "moved", "refusal"),
    [
        ("float32", 0.00009, ""),
        ("float32", 0.002, "a probability differs by 0.002"),
        ("onnx", 0.002, "a probability differs by 0.002"),
        ("float16", 0.002, ""),
        ("float16", 0.02, "a probability differs by 0.02"),
        ("int8", 0.2, ""),
    ],
)
def test_probabilities_may_move_as_far_as_the_precision_allows(variant: str, moved: float, refusal: str) -> None:
    found = compare_answers(KERAS, KERAS + np.array([moved, -moved]), VARIANTS[variant])
    assert found.refusal == refusal
    assert found.largest_difference == pytest.approx(moved)
    assert found.same_class == 1.0


@pytest.mark.parametrize(("n_other", "refusal"), [(5, ""), (39, "61.00 % agree")])
def test_small_precisions_are_offered_when_95_percent_of_the_classes_agree(n_other: int, refusal: str) -> None:
    answers = KERAS.copy()
    answers[:n_other] = answers[:n_other, ::-1]
    for variant in ("dynamic", "int8"):
        found = compare_answers(KERAS, answers, VARIANTS[variant])
        assert (found.refusal, found.same_class) == (refusal, 1 - n_other / 100)


def test_what_is_no_number_is_refused() -> None:
    assert "no number" in compare_answers(KERAS, KERAS * np.nan, VARIANTS["int8"]).refusal


def test_one_output_chooses_between_two_classes() -> None:
    assert chosen_classes(np.array([[0.2], [0.5], [0.7]])).tolist() == [0, 0, 1]
