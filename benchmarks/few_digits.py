"""Fine-tuning on few digits, with and without augmentation and its stored views: images, weights and specs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PIXELS, WIDTH = 48, 0.5
N_TRAIN, N_VALIDATION = 20, 50  # images of each class; a fifth of the former is set aside as test images
N_VIEWS = (1, 2, 4, 8)
PLAIN, NONE = "new each epoch", "no augmentation"
FREEZE_FRACTIONS, LEARNING_RATES = (0.7, 0.9), (0.003, 0.01)

PRETRAIN = """
name = "pretrained"
seed = 1
[pretrain]
weights = "backbone.weights.h5"
[pretrain.data]
source = "npz"
path = "first.npz"
[pretrain.space]
architecture = "MobileNet"
batch_size = 16
[pretrain.space.MobileNet]
width = 0.5
[pretrain.space.adam]
learning_rate = 0.003
[pretrain.training]
epochs = 40
[data]
source = "npz"
path = "images-1.npz"
[space]
architecture = "MobileNet"
[space.MobileNet]
width = 0.5
weights = "backbone.weights.h5"
"""

STUDY = """
name = "{name}"
seed = {seed}
trials = 4
[data]
source = "npz"
path = "images-{seed}.npz"
[space]
architecture = "MobileNet"
optimizer = "adam"
batch_size = 20
augmentation = "{augmentation}"
[space.MobileNet]
width = {width}
weights = "backbone.weights.h5"
freeze_fraction = {freeze_fractions}
dropout = 0.0
[space.adam]
learning_rate = {learning_rates}
[training]
epochs = {epochs}
feature_views = {views}
[sampler]
name = "grid"
[pruner]
name = "none"
"""


def enlarged_digits(pixels: int = PIXELS) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    small = (digits.images * (255 / 16)).astype(np.uint8)
    enlarged = [Image.fromarray(image).resize((pixels, pixels), Image.Resampling.BICUBIC) for image in small]
    return np.stack([np.asarray(image) for image in enlarged])[..., np.newaxis], digits.target


def write_first(folder: Path) -> None:
    """Write the images of the digits 0 to 4."""
    images, labels = enlarged_digits()
    np.savez(folder / "first.npz", x=images[labels < 5], y=labels[labels < 5])


def write_images(folder: Path, seed: int, pixels: int = PIXELS) -> None:
    """Write a seed's images of the digits 5 to 9."""
    images, labels = enlarged_digits(pixels)
    rng = np.random.default_rng(seed)
    drawn = [rng.permutation(np.flatnonzero(labels == digit))[: N_TRAIN + N_VALIDATION] for digit in range(5, 10)]
    train = np.concatenate([rows[:N_TRAIN] for rows in drawn])
    validation = np.concatenate([rows[N_TRAIN:] for rows in drawn])
    np.savez(
        folder / f"images-{seed}.npz",
        x_train=images[train],
        y_train=labels[train] - 5,
        x_validation=images[validation],
        y_validation=labels[validation] - 5,
    )


def write_random_weights(folder: Path, pixels: int, width: float) -> None:
    """Write weights of which nothing but the time is of interest."""
    from tunefront.spaces.architectures.backbone_weights import build_backbone
    from tunefront.spaces.architectures.backbones import BACKBONES

    backbone = build_backbone(BACKBONES["MobileNet"], "none", width, (pixels, pixels))
    backbone.save_weights(folder / "backbone.weights.h5")


def write_spec(folder: Path, way: str, seed: int, n_epochs: int, width: float = WIDTH) -> str:
    """Write the spec of a study; return its name."""
    n_views = int(way.split(maxsplit=1)[0]) if way not in (PLAIN, NONE) else 0
    name = f"{way.replace(' ', '-')}-{seed}"
    spec = STUDY.format(
        name=name,
        seed=seed,
        width=width,
        augmentation="none" if way == NONE else "light",
        freeze_fractions=list(FREEZE_FRACTIONS),
        learning_rates=list(LEARNING_RATES),
        epochs=n_epochs,
        views=n_views,
    )
    (folder / f"{name}.toml").write_text(spec)
    return name


def ways() -> list[str]:
    return [PLAIN, *(f"{n} view{'s' if n > 1 else ''}" for n in N_VIEWS), NONE]
