"""The handwritten digits of scikit-learn: 1797 real images of 8x8 pixels, bundled with it, without a download."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from tunefront.search.data.examples import Examples
from tunefront.search.data.sources.source import Source


class DigitsSource(Source):
    """The source of digits: images of shape (8, 8, 1) in ten classes."""

    source: Literal["digits"]

    def find(self) -> Examples:
        rows = np.loadtxt(_bundled_file(), delimiter=",", dtype=np.uint8)  # 64 pixels of 0 to 16, and the digit
        images = np.round(rows[:, :-1].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)[..., np.newaxis]
        return Examples(
            names=[f"digits[{row}]" for row in range(len(images))],
            labels=rows[:, -1].astype(np.int64),
            class_names=[str(digit) for digit in range(10)],
            content=images,
        )


def _bundled_file() -> Path:
    """Return scikit-learn's file, found without loading it: that takes half a second, while all slots wait."""
    package = find_spec("sklearn")
    assert package is not None  # it is required
    assert package.submodule_search_locations is not None
    return Path(package.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
