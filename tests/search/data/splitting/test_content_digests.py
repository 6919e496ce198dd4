"""Digests that tell which part of two machines' data differs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tunefront.search.data.examples import Examples
from tunefront.search.data.splitting.content_digests import content_digests, describe_difference
from tunefront.search.data.splitting.splits import LEFT_OUT, TEST, TRAIN, VALIDATION

DIGESTS = ["p", "q", "r", "s"]
EXAMPLES = Examples(list("1234"), np.array([0, 1, 0, 1]), ["cat", "dog"], np.zeros((4, 1)))
PARTS = np.array([TRAIN, TRAIN, VALIDATION, TEST])
MADE = content_digests(DIGESTS, EXAMPLES, PARTS)


def test_the_order_of_images_and_what_is_left_out_do_not_count() -> None:
    order = np.array([2, 0, 3, 1])
    turned = content_digests([DIGESTS[row] for row in order], EXAMPLES.take(order), PARTS[order])
    assert turned == MADE
    more = Examples(list("12345"), np.array([0, 1, 0, 1, 0]), ["cat", "dog"], np.zeros((5, 1)))
    assert content_digests([*DIGESTS, "t"], more, np.array([*PARTS, LEFT_OUT])) == MADE
    # The numbers of classes are a machine's own; their names count.
    assert (
        content_digests(DIGESTS, replace(EXAMPLES, labels=1 - EXAMPLES.labels, class_names=["dog", "cat"]), PARTS)
        == MADE
    )


@pytest.mark.parametrize(
    ("digests", "labels", "parts", "expected"),
    [
        (["p", "q", "r", "x"], [0, 1, 0, 1], [TRAIN, TRAIN, VALIDATION, TEST], "the images"),
        (DIGESTS, [0, 1, 1, 1], [TRAIN, TRAIN, VALIDATION, TEST], "the labels"),
        (DIGESTS, [0, 1, 0, 1], [TRAIN, VALIDATION, TRAIN, TEST], "which image is in which split"),
        (DIGESTS, [0, 1, 1, 1], [TRAIN, VALIDATION, TRAIN, TEST], "the labels and which image is in which split"),
        (["p", "q", "r", "x"], [1, 1, 0, 1], [TRAIN, VALIDATION, TRAIN, TEST], "the images"),
    ],
)
def test_what_differs_is_told(digests: list[str], labels: list[int], parts: list[int], expected: str) -> None:
    here = content_digests(digests, replace(EXAMPLES, labels=np.array(labels)), np.array(parts))
    assert describe_difference(MADE, here) == expected


def test_of_data_that_was_prepared_before_nothing_more_is_known() -> None:
    assert describe_difference({}, MADE) == describe_difference(MADE, {}) == "the images, labels or splits"
