"""The digits, against scikit-learn's own loader of them."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from tunefront.search.data.sources.digits import DigitsSource


def test_are_those_of_scikit_learn() -> None:
    found, digits = DigitsSource(source="digits").find(), load_digits()
    assert found.content.dtype == np.uint8
    assert found.content.shape == (1797, 8, 8, 1)
    assert set(np.unique(digits.images)) == {*range(17)}
    greys = np.array([round(value * 255 / 16) for value in range(17)])  # 16 is white
    assert np.array_equal(found.content[..., 0], greys[digits.images.astype(int)])
    assert found.labels.dtype == np.int64
    assert np.array_equal(found.labels, digits.target)
    assert list(found.class_names) == [str(name) for name in digits.target_names]
    assert found.names[0] == "digits[0]"
    assert found.names[-1] == "digits[1796]"
