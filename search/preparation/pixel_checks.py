"""Checks that networks and augmentation made for pixels get pixels, since a user's values may be any numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunefront.search.data.dataset import Dataset
from tunefront.search.data.decoding.pixel_scale import has_channels_first, likely_scale
from tunefront.search.launching.asker import CheckError
from tunefront.spaces.architectures import ARCHITECTURES
from tunefront.spaces.augmentation.levels import PIXEL_SETTINGS
from tunefront.spaces.settings import extremes
from tunefront.spaces.space import Space

_BEYOND_PIXELS = 256
_LEAST_PIXEL = 4  # images without a larger value look black to tunefront's networks: fractions, or standardized


def check_pixels(dataset: Dataset) -> None:
    """Refuse values that tunefront's networks would misread, because these scale pixels of 0 to 255.

    Raises:
        CheckError: Names the key and the remedy.
    """
    shape = dataset.image_shape
    if len(shape) != 3:
        raise CheckError(
            f"space: the data has values of shape {shape}, and these architectures take images of shape "
            '(height, width, channels). For others write architecture = "mlp", or give a space of your own: '
            'space = "file.py:object"'
        )
    if has_channels_first(shape):
        raise CheckError(
            f"data: its images have the shape {shape}, channels first, and (height, width, channels) is needed: write "
            "them anew with np.transpose(x, (0, 2, 3, 1))"
        )
    if dataset.value_range:
        _check_range(*dataset.value_range)


def _check_range(low: float, high: float) -> None:
    found = f"the images have values from {low:g} to {high:g}, and these networks take pixels from 0 to 255"
    scale = likely_scale((low, high))
    if scale:
        seen = ", so that they would see black" if high <= 1 else ""
        raise CheckError(
            f'data.scale: {found}{seen}. Write scale = "{scale}" in [data], which makes pixels of them, or give a '
            "space of your own, which gets values as they are"
        )
    if high >= _BEYOND_PIXELS or high < _LEAST_PIXEL:
        raise CheckError(
            f"data: {found}: bring them to 0 to 255, or give a space of your own, which gets values as they are"
        )


def check_values(space: Space, dataset: Dataset) -> None:
    """Refuse values that an architecture of the space does not take, and settings of images for what is none.

    Raises:
        CheckError: Names the key and the remedy.
    """
    of_images = [name for name in space.families["architecture"] if ARCHITECTURES[name].takes_images]
    if of_images and not dataset.columns:
        check_pixels(dataset)
    if len(dataset.image_shape) == 3:
        return
    what = "a table of columns" if dataset.columns else f"values of shape {dataset.image_shape}"
    if of_images:
        raise CheckError(
            f'space.architecture: {of_images[0]} takes images, and the data is {what}: write architecture = "mlp"'
        )
    levels = [level for level in space.families["augmentation"] if level != "none"]
    if levels:
        raise CheckError(
            f'space.augmentation: "{levels[0]}" is for images, and the data is {what}: write augmentation = "none"'
        )
    if any(extremes(space.general["image_size"])):
        raise CheckError(f"space.image_size: it resizes images, and the data is {what}: leave it out")


def check_levels(space: Space, dataset: Dataset) -> None:
    """Refuse a level that would cut off the data's values, or hide them in noise.

    Raises:
        CheckError: Names level, settings and remedy.
    """
    for level, ranges in space.families["augmentation"].items():
        highest = {name: extremes(spec_range)[-1] for name, spec_range in ranges.items() if name in PIXEL_SETTINGS}
        check_augmentation(f"space.{level}", highest, dataset)


def check_augmentation(key: str, settings: Mapping[str, Any], dataset: Dataset) -> None:
    """Refuse settings of a level that would cut off the data's values, or hide them in noise.

    Args:
        key: The key of the settings in the spec.

    Raises:
        CheckError: Names `key`, settings and remedy.
    """
    names = [name for name in PIXEL_SETTINGS if settings.get(name)]
    low, high = dataset.value_range or (0.0, 255.0)
    if not names or (low >= 0 and 1 < high <= 255):
        return
    zeros = ", ".join(f"{name} = 0" for name in names)
    raise CheckError(
        f"{key}: {', '.join(names)} {'is' if len(names) == 1 else 'are'} for pixels, 0 to 255, and the data has values "
        f"from {low:g} to {high:g}: bring them to 0 to 255, for example with data.scale, or write {zeros}"
    )
