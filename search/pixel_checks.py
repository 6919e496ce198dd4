"""Whether augmentation that is made for pixels gets pixels: values of one's own may be any numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from search.asking import CheckError
from search.data import Dataset
from spaces import Space
from spaces.augmentation import OF_PIXELS
from spaces.settings import extremes


def check_levels(space: Space, dataset: Dataset) -> None:
    """Refuse a level that would cut off the data's values, or drown them.

    Raises:
        CheckError: Names level, settings and remedy.
    """
    for level, ranges in space.families["augmentation"].items():
        highest = {name: extremes(spec_range)[-1] for name, spec_range in ranges.items() if name in OF_PIXELS}
        check_augmentation(f"space.{level}", highest, dataset)


def check_augmentation(key: str, settings: Mapping[str, Any], dataset: Dataset) -> None:
    """Refuse settings of a level that would cut off the data's values, or drown them.

    Args:
        key: Where the settings stand in the spec.

    Raises:
        CheckError: Names `key`, settings and remedy.
    """
    names = [name for name in OF_PIXELS if settings.get(name)]
    # Of validation, which is the smaller one: with folds, a split is copied into memory.
    if not names or dataset.split("validation").images.dtype == np.uint8:
        return
    images = dataset.split("train").images
    low, high = float(images.min()), float(images.max())
    if low >= 0 and 1 < high <= 255:
        return
    zeros = ", ".join(f"{name} = 0" for name in names)
    raise CheckError(
        f"{key}: {', '.join(names)} {'is' if len(names) == 1 else 'are'} for pixels, 0 to 255, and the data has values "
        f"from {low:g} to {high:g}: bring them to 0 to 255, or write {zeros}"
    )
