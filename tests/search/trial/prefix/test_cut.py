"""Where networks are cut: the last place that one tensor crosses, behind what no step changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.candidates import candidate
from tunefront.spaces.space import Space

pytestmark = pytest.mark.keras
WITHOUT_LIMIT = 1e12


def layer_of(cut: Any) -> str:
    """Return the name of the layer whose output crosses."""
    return str(cut.tensor._keras_history.operation.name)


# Layers that are cut behind, as the networks of keras.applications call them: the ends of blocks, and what pools.
@pytest.mark.parametrize(
    ("architecture", "own", "fraction", "expected"),
    [
        ("MobileNetV2", {"width": 0.35}, 0.5, "block_7_add"),  # layer 72; behind 76 and 77 two tensors cross
        ("MobileNetV2", {"width": 0.35}, 0.9, "block_14_add"),
        ("MobileNetV2", {"width": 0.35}, 1.0, "pooled"),
        # Its first stochastic depth, layer 44 of 237, drops though it is frozen; a shortcut crosses beside it.
        ("EfficientNetB0", {}, 1.0, "block2a_project_bn"),
        ("MobileNet", {"width": 0.25}, 0.0, ""),
        ("MobileNet", {"width": 0.25}, 0.01, ""),  # its input alone is frozen, which saves nothing
    ],
)
def test_a_backbone_is_cut_at_the_end_of_a_block(
    keras: Any, architecture: str, own: dict[str, Any], fraction: float, expected: str
) -> None:
    from tunefront.search.trial.prefix.cut import find_cut
    from tunefront.spaces.freezing import find_backbone

    settings = {"weights": "none", "freeze_fraction": fraction, "dense_units": 4, "dropout": 0.5, **own}
    chosen = candidate(architecture=architecture, architecture_settings=settings, image_size=32)
    model = Space.from_table({}).build(chosen, (8, 8, 1), 10)
    written = [layer["config"]["name"] for layer in model.get_config()["layers"]], len(model.weights)
    cut = find_cut(model, find_backbone(model), WITHOUT_LIMIT)
    if cut is None:
        assert not expected
        return
    assert layer_of(cut) == expected if expected != "pooled" else layer_of(cut).startswith("global_average_pooling")
    assert cut.bytes_an_example == 4 * np.prod(cut.tensor.shape[1:])
    prefix, rest = cut.prefix(), cut.rest()
    assert [id(one) for one in rest.trainable_variables] == [id(one) for one in model.trainable_variables]
    assert not prefix.trainable_variables
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1)).astype(np.uint8)
    features = prefix.predict_on_batch(images)
    np.testing.assert_array_equal(rest.predict_on_batch(features), model.predict_on_batch(images))
    trained = keras.ops.convert_to_numpy(prefix(images, training=True))  # nothing before it draws or learns
    np.testing.assert_allclose(trained, features, rtol=1e-4, atol=1e-5)
    # The network's file stays what it was.
    assert ([layer["config"]["name"] for layer in model.get_config()["layers"]], len(model.weights)) == written


def chain(keras: Any, *layers: Any) -> Any:
    """Return a model of two frozen dense layers, these layers, and a dense layer that learns."""
    first, second = (keras.layers.Dense(4, trainable=False, name=name) for name in ("first", "second"))
    return keras.Sequential([keras.Input((4,)), first, second, *layers, keras.layers.Dense(2)])


def functional(model: Any) -> Any:
    import keras

    return keras.Model(model.inputs, model.outputs)


def own_layer(keras: Any) -> Any:
    class Own(keras.layers.Layer):  # type: ignore[misc,name-defined]
        def call(self, values: Any) -> Any:
            return values

    return Own()


LAYERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "weightless layers": (lambda keras: keras.layers.ReLU(name="last"), "last"),
    "a dropout": (lambda keras: keras.layers.Dropout(0.5), "second"),
    "a frozen dropout": (lambda keras: keras.layers.Dropout(0.5, trainable=False), "second"),
    "a dropout that never drops": (lambda keras: keras.layers.Dropout(0.0, name="last"), "last"),
    "noise": (lambda keras: keras.layers.GaussianNoise(0.1), "second"),
    "statistics that learn": (lambda keras: keras.layers.BatchNormalization(center=False, scale=False), "second"),
    "statistics that are frozen": (
        lambda keras: keras.layers.BatchNormalization(trainable=False, name="last"),
        "last",
    ),
    "a part of the loss": (lambda keras: keras.layers.ActivityRegularization(l2=0.1), "second"),
    "an activity regularizer": (
        lambda keras: keras.layers.Dense(4, trainable=False, activity_regularizer="l2"),
        "second",
    ),
    "code of the user's": (own_layer, "second"),
    "a wrapped dropout": (
        lambda keras: keras.layers.RNN(keras.layers.GRUCell(4, dropout=0.5), trainable=False),
        "reshape",
    ),
}


@pytest.mark.parametrize("what", LAYERS)
def test_what_a_layer_does_decides_and_not_its_name(keras: Any, what: str) -> None:
    from tunefront.search.trial.prefix.cut import find_cut

    make, expected = LAYERS[what]
    layers = [make(keras)]
    if "wrapped" in what:
        layers.insert(0, keras.layers.Reshape((1, 4), name="reshape"))
    cut = find_cut(functional(chain(keras, *layers)), None, WITHOUT_LIMIT)
    assert cut is not None
    assert layer_of(cut) == expected


def test_a_budget_takes_an_earlier_cut(keras: Any) -> None:
    from tunefront.search.trial.prefix.cut import find_cut

    wide = keras.layers.Dense(9, trainable=False, name="wide")
    model = functional(chain(keras, wide))
    assert [layer_of(find_cut(model, None, most)) for most in (36, 35.9, 16)] == ["wide", "second", "second"]
    assert find_cut(model, None, 15) is None


def test_two_tensors_are_no_cut(keras: Any) -> None:
    from tunefront.search.trial.prefix.cut import find_cut

    values = keras.Input((4,))
    first = keras.layers.Dense(4, trainable=False, name="first")(values)
    second = keras.layers.Dense(4, trainable=False, name="second")(first)
    learned = keras.layers.Dense(4, name="learned")(second)
    model = keras.Model(values, keras.layers.Add()([first, learned]))
    cut = find_cut(model, None, WITHOUT_LIMIT)
    assert cut is not None
    assert layer_of(cut) == "first"
