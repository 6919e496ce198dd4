"""scikit-learn's handwritten digits: 1797 real images of 8x8 pixels, bundled, no download."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def load() -> tuple[NDArray[np.uint8], NDArray[np.int64], list[str]]:
    """Images of shape (1797, 8, 8, 1) from 0 to 255, labels of shape (1797,), and class names."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.round(digits.images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
    return images, digits.target.astype(np.int64), [str(name) for name in digits.target_names]
