"""A first spec for somebody's images: a commented TOML text whose every choice follows from what the files are."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tunefront.mistakes import TunefrontError, nearest
from tunefront.printable import shown
from tunefront.search.data.examples import DataError, EncodedFile, Examples, SplitName
from tunefront.search.data.sources.folder import FolderSource
from tunefront.search.data.sources.table import TableSource
from tunefront.search.spec.study_spec import NAME_PATTERN

Purpose = Literal["training", "phone", "microcontroller"]
# Datasets without files of one's own: images to train on, their side, and whether they are grey.
BUNDLED = {
    "digits": (1078, 8, True),
    "mnist": (48_000, 28, True),
    "fashion_mnist": (48_000, 28, True),
    "cifar10": (40_000, 32, False),
    "cifar100": (40_000, 32, False),
}

_SIDES = (16, 24, 32, 48, 64, 96, 128, 160, 192, 224)  # image sizes that are usual
_LARGEST_SIDES: dict[Purpose, int] = {"training": 224, "phone": 160, "microcontroller": 48}
_N_LOOKED_AT = 200  # files whose sizes are read
_FEW_IMAGES = 5000  # with fewer, a network learns better from another task than from scratch
_N_STEPS = 3000  # batches of a whole training
_UNEVEN = 1.5  # images of the largest class for each of the smallest
_WEIGHTS = "mobilenet_v2_weights*no_top.h5"  # Keras's files for MobileNetV2 in its cache


class FirstSpecError(TunefrontError):
    """There is nothing to write a spec for; the message says what to name."""


@dataclass(frozen=True)
class Looked:
    """What was found out about somebody's images.

    Attributes:
        table: The lines of the ``[data]`` table.
        counts: Images of each class; empty for Keras's own datasets, which are not downloaded for this.
        n_train: Images to train on, at least one.
        side: The median of the images' smaller sides in pixels.
        is_grey: Whether all images have one channel.
        are_files: Whether they are image files, which are resized and have their channels chosen.
    """

    name: str
    table: Sequence[str]
    counts: Sequence[int]
    n_train: int
    side: int
    is_grey: bool
    are_files: bool = True


def look(where: str, name: str = "") -> Looked:
    """Look at a folder of class folders, a CSV file of image files, or the name of a dataset.

    Args:
        name: The study's name; empty takes that of the file or folder.

    Raises:
        FirstSpecError: If it is none of these, has fewer than two classes, or the name is none of a study.
        DataError: If images cannot be found there.
    """
    if name and not re.fullmatch(NAME_PATTERN, name):
        raise FirstSpecError(f'--name {shown(name)} is not possible: give up to 100 letters, digits, ".", "_" and "-"')
    if where in BUNDLED and not Path(where).exists():
        n_train, side, is_grey = BUNDLED[where]
        return Looked(name or where, [f'source = "{where}"'], [], n_train, side, is_grey, are_files=False)
    path = Path(where).expanduser()
    if not path.exists():
        raise FirstSpecError(
            f"there is no file or folder {where!r} (looked for in {os.getcwd()}), and no dataset of that name. "
            f"{nearest(where, BUNDLED)}"
        )
    source = FolderSource(source="folder", path=where) if path.is_dir() else _table(path, where)
    examples = source.find()
    sizes, is_grey = _sizes(examples)
    table = [f'source = "{source.source}"', f"path = {json.dumps(where, ensure_ascii=False)}"]
    counts = np.bincount(examples.labels, minlength=len(examples.class_names)).tolist()
    if sum(count > 2 for count in counts) < 2:
        raise FirstSpecError(
            f"{where}: fewer than two classes have three images or more, and one is for training, one for validation "
            "and one for the test: give more images, or name the folder above"
        )
    side = int(np.median(sizes.min(axis=1)))
    return Looked(name or _study_name(path), table, counts, _n_train(examples.splits, len(examples)), side, is_grey)


def _table(path: Path, where: str) -> TableSource:
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise FirstSpecError(
            f"{where} is no folder and no CSV file: name a folder with a folder of images for each class, or a CSV "
            "file with a column of image files and one of classes"
        )
    return TableSource(source="table", path=where)


def _sizes(examples: Examples) -> tuple[NDArray[np.int64], bool]:
    """Return heights and widths of some images, shape (n, 2), and whether all of them are grey."""
    from PIL import Image, ImageOps

    sizes, modes = [], set()
    for row in np.linspace(0, len(examples) - 1, min(len(examples), _N_LOOKED_AT)).astype(int):
        content = examples.content[row]
        try:
            with Image.open(content.path if isinstance(content, EncodedFile) else content()) as image:
                turned = ImageOps.exif_transpose(image)
                sizes.append((turned.height, turned.width))
                modes.add(image.mode)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue  # `tunefront data` names files that are no images
    if not sizes:
        raise DataError(f"{examples.names[0]} and the others are no images: name a folder of image files")
    return np.array(sizes), modes <= {"L", "1", "I", "I;16", "F", "LA"}


def _n_train(splits: Sequence[SplitName] | None, n: int) -> int:
    return max(sum(split == "train" for split in splits) if splits else round(0.6 * n), 1)


def _study_name(path: Path) -> str:
    name = path.resolve().name if path.is_dir() else path.resolve().stem
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
    return kept.strip("_")[:60] or "study"


def first_spec(
    found: Looked, purpose: Purpose = "training", *, may_download: bool = False, path: Path | None = None
) -> str:
    """Return a spec as TOML, with a comment for each choice.

    Args:
        path: The file that it is written to, for the commands in its comments; None is the study's name.
    """
    file = shlex.quote(str(path or f"{found.name}.toml"))
    side = _image_side(found, purpose)
    batches = _batch_sizes(found.n_train)
    epochs = int(np.clip(round(_N_STEPS / math.ceil(found.n_train / batches[0])), 8, 60))
    is_uneven = bool(found.counts) and max(found.counts) > _UNEVEN * min(found.counts)
    is_pretrained = _wants_pretrained(found, side, purpose) and (may_download or _has_weights())
    lines = [
        f"# {found.name}: written by 'tunefront new'. Change what you like; docs/spec.md has every key.",
        "#",
        f"#   tunefront data {file}     # look at the images first",
        f"#   tunefront run {file}",
        "",
        f"name = {json.dumps(found.name, ensure_ascii=False)}",
        "trials = 30",
        "",
        "[objectives]",
        f'accuracy = "{"f1_macro" if is_uneven else "accuracy"}"' + (" # classes are uneven" if is_uneven else ""),
        *_cost_lines(purpose),
        "",
        "[data]",
        *found.table,
        *([f"image_size = {side} # the files' median smaller side is {found.side}"] if found.are_files else []),
        *(["channels = 1 # all are grey"] if found.is_grey and found.are_files else []),
        *(
            ['rare_classes = "drop" # classes of fewer images than splits']
            if found.counts and min(found.counts) < 3
            else []
        ),
        "",
        "[space]",
        *(_pretrained_lines() if is_pretrained else _scratch_lines(found, purpose, side)),
        f"batch_size = {list(batches)} # for {found.n_train} images to train on",
        *(['class_weights = "balanced" # every class counts alike'] if is_uneven else []),
        "",
        *(_pretrained_settings(side) if is_pretrained else _scratch_settings(purpose, side)),
        "",
        "[training]",
        f"epochs = {epochs} # some {_N_STEPS} batches in all" if 8 < epochs < 60 else f"epochs = {epochs}",
        'time_limit = "1 h"',
    ]
    return "\n".join(lines) + "\n"


def _image_side(found: Looked, purpose: Purpose) -> int:
    if not found.are_files:
        return found.side
    usual = [side for side in _SIDES if side <= min(max(found.side, _SIDES[0]), _LARGEST_SIDES[purpose])]
    return usual[-1]


def _batch_sizes(n_train: int) -> tuple[int, int]:
    for most, sizes in ((200, (8, 16)), (2000, (16, 32)), (20_000, (32, 64))):
        if n_train < most:
            return sizes
    return 64, 128


def _cost_lines(purpose: Purpose) -> list[str]:
    return {
        "training": ['memory = "model_bytes"', 'time = "train_seconds"'],
        "phone": [
            'memory = { measure = "weight_bytes", at_most = "20 MB" } # what a phone loads',
            'time = "latency_seconds" # one image on this machine',
        ],
        "microcontroller": [
            'memory = { measure = "weight_bytes", at_most = "1 MB" } # a quarter of that as 8-bit integers',
            'time = "latency_seconds" # one image on this machine',
        ],
    }[purpose]


def _wants_pretrained(found: Looked, side: int, purpose: Purpose) -> bool:
    return purpose != "microcontroller" and not found.is_grey and side >= 32 and found.n_train < _FEW_IMAGES


def _has_weights() -> bool:
    """Return whether Keras's cache has the weights, so that nothing is downloaded."""
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return any((home / "models").glob(_WEIGHTS))


def _pretrained_lines() -> list[str]:
    return [
        'architecture = ["MobileNetV2", "plain_cnn"] # few images: one that learnt on ImageNet, one that did not',
        'optimizer = ["adam", "sgd"]',
        'augmentation = ["none", "light", "medium"]',
    ]


def _pretrained_settings(side: int) -> list[str]:
    return [
        "[space.MobileNetV2]",
        'trainable = ["Top", "20 %", "All"] # the rest keeps what it learnt on ImageNet',
        "head_epochs = 2",
        "",
        *_scratch_settings("training", side),
    ]


def _scratch_lines(found: Looked, purpose: Purpose, side: int) -> list[str]:
    hint = (
        ["# few images: 'tunefront new --download' would also try a network that learnt on ImageNet"]
        if _wants_pretrained(found, side, purpose)
        else []
    )
    names = ["plain_cnn", "separable_cnn", *(["residual_cnn"] if purpose != "microcontroller" else [])]
    return [
        *hint,
        f"architecture = {json.dumps(names)}",
        'optimizer = ["adam", "adamw", "sgd"]',
        'augmentation = ["none", "light", "medium"]',
    ]


def _scratch_settings(purpose: Purpose, side: int) -> list[str]:
    filters = "[4, 8, 16]" if purpose == "microcontroller" else "[8, 16, 32]"
    n_blocks = min(4, int(math.log2(side)))  # each block halves the image
    return [
        "[space.plain_cnn]",
        f"n_blocks = {{ low = 2, high = {n_blocks} }}",
        f"filters = {filters}",
        "batch_norm = [false, true]",
    ]
