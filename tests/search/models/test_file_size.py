"""The computed size of a saved model against that of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.candidates import candidate
from tunefront.search.models.file_size import saved_bytes
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.optimizers import build_optimizer
from tunefront.spaces.space import Space

pytestmark = pytest.mark.usefixtures("keras")

DEEP = {"n_blocks": 3, "batch_norm": True, "dropout": 0.3, "dense_units": 64}
BACKBONE = {"freeze_fraction": 0.9, "weights": "none", "dropout": 0.0, "width": 0.35}


def compiled(keras: Any, chosen: Candidate, image_shape: tuple[int, int, int] = (32, 32, 3)) -> Any:
    """Return the candidate's model as it is saved, with its optimizer's variables."""
    return compiled_with(keras, Space.from_table({}).build(chosen, image_shape, 10), chosen)


def compiled_with(keras: Any, model: Any, chosen: Candidate) -> Any:
    optimizer = build_optimizer(chosen.optimizer, chosen.optimizer_settings)
    metric = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=[metric])
    model.optimizer.build(model.trainable_variables)
    return model


def file_bytes(model: Any, folder: Path) -> int:
    model.save(folder / "model.keras")
    return (folder / "model.keras").stat().st_size


@pytest.mark.parametrize(
    "chosen",
    [
        candidate(optimizer="sgd", optimizer_settings={"learning_rate": 0.1, "momentum": 0.0}),
        candidate(architecture_settings=DEEP),
        candidate(architecture_settings=DEEP, optimizer="adadelta"),
        candidate(architecture_settings={**DEEP, "filters": 64, "dense_units": 256}, optimizer="lion"),
        candidate(
            architecture="residual_cnn",
            architecture_settings={"filters": 8, "n_stages": 2, "n_blocks": 1, "dropout": 0.1},
        ),
        candidate(architecture="MobileNetV2", architecture_settings=BACKBONE),
    ],
    ids=lambda chosen: f"{chosen.architecture}-{chosen.optimizer}",
)
def test_saved_bytes_is_the_size_of_the_file(keras: Any, tmp_path: Path, chosen: Candidate) -> None:
    model = compiled(keras, chosen)
    assert saved_bytes(model, model.optimizer) == pytest.approx(file_bytes(model, tmp_path), rel=0.005)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_saved_bytes_is_the_size_of_the_file_in_mixed_precision(keras: Any, tmp_path: Path, precision: str) -> None:
    try:
        keras.config.set_dtype_policy(precision)
        model = compiled(keras, candidate(architecture_settings=DEEP))
        assert saved_bytes(model, model.optimizer) == pytest.approx(file_bytes(model, tmp_path), rel=0.005)
    finally:
        keras.config.set_dtype_policy("float32")


def test_saved_bytes_of_a_model_with_layers_inside_layers(keras: Any, tmp_path: Path) -> None:
    inputs = keras.Input((6, 8))
    x = keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True))(inputs)
    x = keras.layers.MultiHeadAttention(2, 4)(x, x)
    x = keras.Sequential([keras.layers.Dense(5), keras.layers.Dropout(0.1)])(x)
    model = keras.Model(inputs, keras.layers.Dense(10)(keras.layers.Flatten()(x)))
    model = compiled_with(keras, model, candidate())
    assert saved_bytes(model, model.optimizer) == pytest.approx(file_bytes(model, tmp_path), rel=0.005)


def test_saved_bytes_grows_by_what_a_larger_layer_has_more(keras: Any) -> None:
    small, large = (
        compiled(keras, candidate(architecture_settings={"dense_units": units}), (8, 8, 1)) for units in (100, 110)
    )
    n_more = large.count_params() - small.count_params()
    # Adam: each number three times. HDF5 gives structures room in steps.
    difference = saved_bytes(large, large.optimizer) - saved_bytes(small, small.optimizer)
    assert difference == pytest.approx(3 * 4 * n_more, abs=50)


def test_saved_bytes_is_the_same_for_rates_and_for_what_was_built_before(keras: Any) -> None:
    settings = [(0.001, 0.1), (0.0123456789, 0.30000000000000004)]
    sizes = set()
    for learning_rate, dropout in settings:
        architecture_settings = {**DEEP, "dropout": dropout}
        optimizer_settings = {"learning_rate": learning_rate, "weight_decay": 0.0}
        model = compiled(
            keras,
            candidate(architecture_settings=architecture_settings, optimizer_settings=optimizer_settings),
        )  # whose layers are named conv2d_17 or so
        sizes.add(saved_bytes(model, model.optimizer))
    assert len(sizes) == 1
