"""A first spec for somebody's data: a commented TOML text whose every choice follows from what the files are."""

from __future__ import annotations

import json
import math
import os
import shlex
from pathlib import Path
from typing import Literal

import numpy as np

from tunefront.search.preparation.found_data import Looked

Purpose = Literal["training", "phone", "microcontroller"]
_SIDES = (16, 24, 32, 48, 64, 96, 128, 160, 192, 224)  # image sizes that are usual
_LARGEST_SIDES: dict[Purpose, int] = {"training": 224, "phone": 160, "microcontroller": 48}
_LARGEST_FROM_SCRATCH = 96  # at 224 pixels an epoch is five times as long: minutes, without a GPU
_LARGE = 64  # pixels from which a wide residual network's epoch takes minutes, without a GPU
_FEW_IMAGES = 5000  # with fewer, a network learns better from another task than from scratch
_N_STEPS = 3000  # batches of a whole training
_UNEVEN = 1.5  # images of the largest class for each of the smallest
# Keras's file for MobileNetV2 in its cache, and the sides that have one of their own; others take that of the largest.
_WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{side}_no_top.h5"
_SIDES_OF_WEIGHTS = (96, 128, 160, 192, 224)


def first_spec(
    found: Looked, purpose: Purpose = "training", *, may_download: bool = False, path: Path | None = None
) -> str:
    """Return a spec as TOML, with a comment for each choice.

    Args:
        path: The file that it is written to, for the commands in its comments; None is the study's name.
    """
    file = shlex.quote(str(path or f"{found.name}.toml"))
    of_pretrained = _image_side(found, purpose, is_pretrained=True)
    is_pretrained = _wants_pretrained(found, purpose) and (may_download or _has_weights(of_pretrained))
    side = _image_side(found, purpose, is_pretrained=is_pretrained)
    batches = _batch_sizes(found.n_train)
    epochs = int(np.clip(round(_N_STEPS / math.ceil(found.n_train / batches[0])), 8, 60))
    is_uneven = bool(found.counts) and max(found.counts) > _UNEVEN * min(found.counts)
    examples = "rows" if found.has_columns else "images"
    lines = [
        f"# {found.name}: written by 'tunefront new'. Change what you like; docs/spec.md has every key.",
        "#",
        f"#   tunefront data {file}     # look at the {examples} first",
        f"#   tunefront run {file}",
        "",
        f"name = {json.dumps(found.name, ensure_ascii=False)}",
        "trials = 30",
        "",
        "[objectives]",
        *_quality_lines(found, is_uneven),
        *_cost_lines(purpose),
        "",
        "[data]",
        *([f"# {found.said}; 'tunefront new --label-column NAME' takes another"] if found.said else []),
        *found.table,
        *([f"image_size = {side} # {_why_side(found, side)}"] if found.are_files else []),
        *(["channels = 1 # all are grey"] if found.is_grey and found.are_files else []),
        *(
            ['rare_classes = "drop" # classes of fewer examples than splits']
            if found.counts and min(found.counts) < 3
            else []
        ),
        "",
        "[space]",
        *(_pretrained_lines() if is_pretrained else _scratch_lines(found, purpose, side)),
        f"batch_size = {list(batches)} # for {found.n_train} {examples} to train on",
        *(['class_weights = "balanced" # every class counts alike'] if is_uneven else []),
        "",
        *(_pretrained_settings(side) if is_pretrained else _scratch_settings(found, purpose, side)),
        "",
        "[training]",
        f"epochs = {epochs} # some {_N_STEPS} batches in all" if 8 < epochs < 60 else f"epochs = {epochs}",
        'time_limit = "1 h"',
        f'early_stopping = {{ monitor = "loss", patience = {max(5, epochs // 5)} }} # validation no longer gains',
    ]
    return "\n".join(lines) + "\n"


def _quality_lines(found: Looked, is_uneven: bool) -> list[str]:
    if found.task == "regression":
        return ['quality = "rmse" # in the unit of the numbers; "mae" forgives single large errors']
    return ['accuracy = "f1_macro" # classes are uneven' if is_uneven else 'accuracy = "accuracy"']


def _image_side(found: Looked, purpose: Purpose, *, is_pretrained: bool) -> int:
    if not found.are_files:
        return found.side
    largest = _LARGEST_SIDES[purpose]
    if not is_pretrained:
        largest = min(largest, _LARGEST_FROM_SCRATCH)
    return max(side for side in _SIDES if side <= min(max(found.side, _SIDES[0]), largest))


def _why_side(found: Looked, side: int) -> str:
    whole = f"the files' median smaller side is {found.side}"
    if found.side < side + side // 2:
        return whole
    return f"{whole}; twice the size shows more, and takes some four times as long"


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


def _wants_pretrained(found: Looked, purpose: Purpose) -> bool:
    are_coloured = not found.has_columns and not found.is_grey and found.side >= 32
    return purpose != "microcontroller" and are_coloured and found.n_train < _FEW_IMAGES


def _has_weights(side: int) -> bool:
    """Return whether Keras's cache has the weights for images of this side, so that nothing is downloaded."""
    name = _WEIGHTS.format(side=side if side in _SIDES_OF_WEIGHTS else _SIDES_OF_WEIGHTS[-1])
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return (home / "models" / name).is_file()


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
        *_cnn_settings("training", side),
    ]


def _scratch_lines(found: Looked, purpose: Purpose, side: int) -> list[str]:
    if found.has_columns:
        return ['architecture = "mlp" # dense networks', 'optimizer = ["adam", "adamw", "sgd"]']
    hint = (
        ["# few images: 'tunefront new --download' would also try a network that learnt on ImageNet"]
        if _wants_pretrained(found, purpose)
        else []
    )
    names = ["plain_cnn", "separable_cnn", *(["residual_cnn"] if purpose != "microcontroller" else [])]
    return [
        *hint,
        f"architecture = {json.dumps(names)}",
        'optimizer = ["adam", "adamw", "sgd"]',
        'augmentation = ["none", "light", "medium"]',
    ]


def _scratch_settings(found: Looked, purpose: Purpose, side: int) -> list[str]:
    if found.has_columns:
        units = "[4, 8, 16]" if purpose == "microcontroller" else "[16, 32, 64, 128]"
        return ["[space.mlp]", "n_layers = { low = 1, high = 3 }", f"units = {units}", "dropout = [0.0, 0.2, 0.4]"]
    lines = _cnn_settings(purpose, side)
    if purpose != "microcontroller" and side >= _LARGE:
        lines += ["", "[space.residual_cnn]", "filters = 16 # of the first stage; 64 take some 16 times as long"]
    return lines


def _cnn_settings(purpose: Purpose, side: int) -> list[str]:
    filters = "[4, 8, 16]" if purpose == "microcontroller" else "[8, 16, 32]"
    n_blocks = min(4, int(math.log2(side)))  # each block halves the image
    return [
        "[space.plain_cnn]",
        f"n_blocks = {{ low = 2, high = {n_blocks} }}",
        f"filters = {filters}",
        "batch_norm = [false, true]",
    ]
