"""The handwritten digits of scikit-learn: 1797 real images of 8x8 pixels, bundled with it, without a download."""

from __future__ import annotations

from typing import Literal

import numpy as np

from tunefront.search.data.examples import Examples
from tunefront.search.data.sources.source import Source


class DigitsSource(Source):
    """The source of digits: images of shape (8, 8, 1) in ten classes."""

    source: Literal["digits"]

    def find(self) -> Examples:
        from sklearn.datasets import load_digits

        digits = load_digits()
        images = np.round(digits.images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
        return Examples(
            names=[f"digits[{row}]" for row in range(len(images))],
            labels=digits.target.astype(np.int64),
            class_names=[str(name) for name in digits.target_names],
            content=images,
        )
