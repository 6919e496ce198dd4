"""The table of examples: every spec is in it, with the exact numbers of parameters that its networks have."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tunefront.search.confirmation.candidates_again import remake_candidates
from tunefront.search.spec.file import read_spec
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.parameters import SteeredTrial
from tunefront.spaces.space import Space
from tunefront.storage.open_study import StudyRecord

ROOT = Path(__file__).parents[1]
ROWS = {
    found[1]: line
    for line in (ROOT / "docs/examples.md").read_text().splitlines()
    if (found := re.match(r"\| \[[\w/]+\]\(\.\./examples/([\w/]+)\.toml\) \|", line))
}
NAMES = sorted(
    path.relative_to(ROOT / "examples").with_suffix("").as_posix() for path in ROOT.rglob("examples/**/*.toml")
)
GREY, CIFAR = (28, 28, 1), (32, 32, 3)
PLAIN = {"architecture.name": "plain_cnn"}
NET = {"n_blocks": 3, "filters": 32, "kernel_size": 5, "batch_norm": True, "dense_units": 128}

# Example, parameters of a candidate, shape of its images, outputs, and its number of parameters
COUNTS: list[tuple[str, dict[str, Any], tuple[int, ...], int, int]] = [
    ("digits", {"plain_cnn.batch_norm": False, "plain_cnn.dense_units": 0}, (8, 8, 1), 10, 40 + 65 * 10),
    # blocks on 8, 4 and 2 pixels, with batch norm in place of biases; then 1 x 1 x 128
    ("digits", {f"plain_cnn.{key}": value for key, value in NET.items()}, (8, 8, 1), 10,
     25 * (32 + 32 * 64 + 64 * 128) + 4 * (32 + 64 + 128) + 129 * 128 + 129 * 10),
    ("digits_transfer", {}, (8, 8, 1), 5, 219_829),
    ("digits_pbt", {"plain_cnn.n_blocks": 2, "plain_cnn.filters": 8}, (8, 8, 1), 10,
     10 * 8 + (9 * 8 + 1) * 16 + (2 * 2 * 16 + 1) * 32 + 33 * 10),
    ("digits_pbt", {"plain_cnn.n_blocks": 2, "plain_cnn.filters": 32}, (8, 8, 1), 10,
     10 * 32 + (9 * 32 + 1) * 64 + (2 * 2 * 64 + 1) * 32 + 33 * 10),
    ("digits_microcontroller", {"plain_cnn.n_blocks": 1, "plain_cnn.filters": 4}, (8, 8, 1), 10, 36 + 16 + 65 * 10),
    ("digits_microcontroller", {f"plain_cnn.{key}": value for key, value in NET.items() if key != "batch_norm"},
     (8, 8, 1), 10, 25 * (32 + 32 * 64 + 64 * 128) + 4 * (32 + 64 + 128) + 129 * 128 + 129 * 10),
    ("digits_phone", {}, (8, 8, 1), 10, 410_208 + 1281 * 10),
    ("digits_phone", {"MobileNetV2.dense_units": 1024}, (8, 8, 1), 10, 410_208 + 1281 * 1024 + 1025 * 10),
    ("mnist_optimizers", {}, GREY, 10, 1_387_594),
    ("fashion_mnist",
     {"two_conv_no_pool.filters": 80, "two_conv_no_pool.kernel_size": 3, "two_conv_no_pool.filters_2": 32,
      "two_conv_no_pool.kernel_size_2": 5, "two_conv_no_pool.dense_units": 96}, GREY, 10, 1_552_746),
    ("cifar100_scratch", {"image.size": 32}, CIFAR, 100, 128_420),
    ("cifar100_scratch", {**PLAIN, "image.size": 32}, CIFAR, 100, 116_196),
    ("cifar100_scratch", {**PLAIN, "image.size": 224}, CIFAR, 100, 902_628),
    ("cifar100_transfer", {"MobileNetV2.width": 1.0}, CIFAR, 100, 2_257_984 + 1281 * 100),
    ("cifar100_optimizers", {}, CIFAR, 100, 128_420),
    ("cifar100_steps", {}, CIFAR, 100, 128_420),
    ("fingers", {}, (224, 224, 3), 4, 3_253_068),
    ("fingers", {"architecture.name": "MobileNetV2"}, (224, 224, 3), 4, 410_208 + 1281 * 4),
    ("forest_fire", {"four_conv64.filters": 64}, (250, 250, 3), 2, 1792 + 3 * 36_928 + 13 * 13 * 64 + 1),
    ("cats_dogs", {"four_conv32_128.dense_units": 512}, (150, 150, 3), 2, 3_453_121),
    ("plant_disease", {"image.size": 100}, (224, 224, 3), 5, 2_434_261),
    ("plant_disease", {"architecture.name": "VGG16", "image.size": 224, "VGG16.dense_units": 0}, (224, 224, 3), 5,
     14_714_688 + 513 * 5),
    ("humpback_whales", {}, (128, 256, 3), 5005, 23_564_800 + 2049 * 5005),
    ("student", {}, (11,), 2, 12 * 32 + 33 * 32 + 33 * 2),
    ("stock_prices", {"lstm.n_layers": 1, "lstm.units": 8}, (32, 1), 1, 4 + 4 * (1 + 8 + 1) * 8 + 9),
    ("stock_prices", {"lstm.n_layers": 3, "lstm.units": 128}, (32, 1), 1,
     4 + 4 * (1 + 128 + 1) * 128 + 2 * 4 * (128 + 128 + 1) * 128 + 129),
    ("own/tabular", {"net.n_layers": 1, "net.units": 4}, (13,), 3, 4 * 13 + 14 * 4 + 5 * 3),
    ("own/tabular", {"net.n_layers": 3, "net.units": 64}, (13,), 3, 4 * 13 + 14 * 64 + 2 * 65 * 64 + 65 * 3),
    # an LSTM has four kernels for its input, its state and a bias
    ("own/series", {"lstm.units": 4}, (32, 1), 3, 4 * (1 + 4 + 1) * 4 + 5 * 3),
    ("own/series", {"lstm.units": 32, "lstm.is_two_way": True}, (32, 1), 3, 2 * 4 * (1 + 32 + 1) * 32 + 65 * 3),
    ("own/volumes", {"net.filters": 4}, (12, 12, 12, 1), 2, 28 * 4 + (27 * 4 + 1) * 8 + 9 * 2),
    ("own/volumes", {"net.filters": 16, "net.kernel_size": 5}, (12, 12, 12, 1), 2,
     126 * 16 + (27 * 16 + 1) * 32 + 33 * 2),
]  # fmt: skip


def shown(count: int) -> str:
    return f"{count:,}".replace(",", " ")


def n_parameters(space: Any, candidate: Candidate, image_shape: tuple[int, ...], n_outputs: int) -> int:
    """Return the number of parameters of a candidate's model, with random weights."""
    settings = candidate.architecture_settings
    if "weights" in settings:
        candidate = replace(candidate, architecture_settings={**settings, "weights": "none"})
    return int(space.build(candidate, image_shape, n_outputs).count_params())


def test_the_table_has_every_example_and_no_other() -> None:
    assert sorted(ROWS) == NAMES
    assert {name for name, *_ in COUNTS} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_has_the_command_and_the_counts(name: str) -> None:
    assert f"`tunefront run examples/{name}.toml`" in ROWS[name]
    numbers = set(re.findall(r"(?<!\w)\d{1,3}(?: \d{3})*(?!\w)", ROWS[name]))
    assert {shown(count) for example, *_, count in COUNTS if example == name} <= numbers


@pytest.mark.parametrize(
    ("name", "chosen", "image_shape", "n_outputs", "count"), COUNTS, ids=[f"{row[0]}-{row[4]}" for row in COUNTS]
)
def test_an_example_has_exactly_so_many_parameters(
    keras: Any,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    chosen: dict[str, Any],
    image_shape: tuple[int, ...],
    n_outputs: int,
    count: int,
) -> None:
    monkeypatch.chdir(ROOT)
    spec = read_spec(ROOT / "examples" / f"{name}.toml")
    assert n_outputs == (spec.data.n_classes or n_outputs)
    space, trial = spec.parsed_space(), SteeredTrial(chosen)
    candidate = space.suggest(trial)  # type: ignore[arg-type]
    assert set(chosen) <= set(trial.params)
    remake_candidates(StudyRecord(1, name, {}, {}, 0.0), space, {0: trial.params})  # the space allows these values
    assert n_parameters(space, candidate, image_shape, n_outputs) == count
    keras.utils.clear_session()


def test_vgg16_with_its_own_top_has_the_parameters_that_keras_has(keras: Any) -> None:
    top = {"pooling": "flatten", "dense_units": 4096, "dense_units_2": 4096, "dropout": 0.0}
    space = Space.from_table({"architecture": "VGG16", "VGG16": {**top, "freeze_fraction": 0.0}})
    candidate = space.suggest(SteeredTrial({}))  # type: ignore[arg-type]
    # tf.keras's VGG16 with include_top=True, as its summary says
    assert n_parameters(space, candidate, (224, 224, 3), 1000) == 138_357_544
    assert shown(138_357_544) in (ROOT / "docs/examples.md").read_text()
    keras.utils.clear_session()
