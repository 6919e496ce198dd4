"""Augmentation levels: random changes of training images, on the device, never in the saved model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunefront.spaces.augmentation.additions import build_channel_shift, build_noise
from tunefront.spaces.augmentation.rand_augment import build_rand_augment
from tunefront.spaces.candidate import Settings
from tunefront.spaces.ranges import Fixed, Value
from tunefront.spaces.settings import Setting, fraction, number, one_of

_OFF: Mapping[str, Value] = {
    "flip": "none",
    "rotation": 0.0,
    "shift": 0.0,
    "zoom": 0.0,
    "shear": 0.0,
    "randaugment": 0.0,
    "brightness": 0.0,
    "contrast": 0.0,
    "channel_shift": 0.0,
    "noise": 0.0,
    "erasing": 0.0,
    "mixup": 0.0,
    "cutmix": 0.0,
    "fill": "nearest",
}

# The settings that are shares of 255; their layers keep values within 0 and 255.
PIXEL_SETTINGS = ("randaugment", "brightness", "contrast", "channel_shift", "noise")


def _level(**values: Value) -> Mapping[str, Setting]:
    value = {name: Fixed(values.get(name, off)) for name, off in _OFF.items()}
    return {
        "flip": one_of(value["flip"], ("none", "horizontal", "vertical", "both")),
        "rotation": number(value["rotation"], above=0, below=180, zero=True),  # degrees, to either side
        "shift": fraction(value["shift"]),  # a share of height and of width
        "zoom": number(value["zoom"], above=0, below=1, zero=True),  # in or out
        "shear": fraction(value["shear"]),  # a share of one side, over the length of the other
        "randaugment": fraction(value["randaugment"]),  # magnitude
        "brightness": fraction(value["brightness"]),  # added, as a share of 255
        "contrast": fraction(value["contrast"]),  # a factor from 1 - contrast to 1 + contrast
        "channel_shift": fraction(value["channel_shift"]),  # the brightness of each channel, drawn separately
        "noise": fraction(value["noise"]),  # standard deviation, as a share of 255
        "erasing": fraction(value["erasing"]),  # the share of images that lose a rectangle
        "mixup": number(value["mixup"], above=0, below=100, zero=True),  # alpha; see mixing.py
        "cutmix": number(value["cutmix"], above=0, below=100, zero=True),
        "fill": one_of(
            value["fill"], ("constant", "nearest", "reflect", "wrap")
        ),  # for the area that an image moved away from
    }


# Light keeps a label readable in any image domain. It has no flips, which turn some digits and letters into others.
# Medium keeps labels readable too, and adds changes that another lamp or camera would make.
# Strong is for photographs and long trainings. It flips left and right, erases parts (arXiv 1708.04896), and mixes
# images with the usual alphas of ImageNet (0.2, arXiv 1710.09412) and of cut-mix (1, arXiv 1905.04899).
LEVELS: Mapping[str, Mapping[str, Setting]] = {
    "none": {},
    "light": _level(shift=0.1, rotation=10.0, zoom=0.1),
    "medium": _level(shift=0.1, rotation=15.0, zoom=0.15, brightness=0.2, contrast=0.2),
    "strong": _level(
        flip="horizontal",
        shift=0.15,
        rotation=20.0,
        zoom=0.25,
        shear=0.1,
        brightness=0.3,
        contrast=0.3,
        erasing=0.25,
        mixup=0.2,
        cutmix=1.0,
    ),
    "custom": _level(),
}


def changes_images(settings: Settings) -> bool:
    """Return whether :func:`build_augmentation` gives any layers."""
    return any(settings.get(name, off) != off for name, off in _OFF.items() if name not in ("mixup", "cutmix", "fill"))


def build_augmentation(settings: Settings, seed: int) -> list[Any]:
    """Build the Keras layers that change images one by one; each draws anew for every image.

    They take and return ``(batch, height, width, channels)`` in float32, 0 to 255, and change images
    only with ``training=True``. Pairs of images are mixed in :mod:`tunefront.spaces.augmentation.mixing`.

    Args:
        settings: The settings of a level; one that is missing is off, so an empty mapping gives no layers.
    """
    return list(_layers({**_OFF, **settings}, seed))


def _layers(settings: Settings, seed: int) -> Iterator[Any]:
    from keras import layers

    share = {name: float(value) for name, value in settings.items() if name not in ("flip", "fill")}
    fill = {"fill_mode": str(settings["fill"])}

    def own_seed(offset: int) -> int:
        return (seed + offset) % 2**32

    def with_seed(offset: int) -> dict[str, Any]:
        return {"seed": own_seed(offset), "dtype": "float32"}  # float32 also under mixed precision

    if settings["flip"] in ("horizontal", "both"):
        yield layers.RandomFlip("horizontal", **with_seed(3))
    if settings["flip"] in ("vertical", "both"):  # Keras's mode for both flips either both ways or not at all
        yield layers.RandomFlip("vertical", **with_seed(4))
    if share["shift"]:
        yield layers.RandomTranslation(share["shift"], share["shift"], **fill, **with_seed(0))
    if share["rotation"]:
        yield layers.RandomRotation(share["rotation"] / 360, **fill, **with_seed(1))
    if share["zoom"]:
        yield layers.RandomZoom(share["zoom"], **fill, **with_seed(2))
    if share["shear"]:
        yield layers.RandomShear(share["shear"], share["shear"], **fill, **with_seed(5))
    if share["randaugment"]:
        yield build_rand_augment(share["randaugment"], fill["fill_mode"], own_seed(6))
    if share["brightness"]:
        yield layers.RandomBrightness(share["brightness"], **with_seed(7))
    if share["contrast"]:  # from a single number, Keras makes a factor that is never below 1
        yield layers.RandomContrast((share["contrast"], share["contrast"]), **with_seed(8))
    if share["channel_shift"]:
        yield build_channel_shift(share["channel_shift"], own_seed(9))
    if share["noise"]:
        yield build_noise(share["noise"], own_seed(10))
    if share["erasing"]:  # given a single number, Keras erases half as often
        yield layers.RandomErasing((share["erasing"], share["erasing"]), **with_seed(11))
