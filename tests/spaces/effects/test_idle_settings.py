"""Settings that change nothing beside others: whether the trained networks are equal then, and differ otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tunefront.search.trial.loss import TrainingLoss
from tunefront.search.trial.trainable import Trainable, phases
from tunefront.spaces.architectures import ARCHITECTURES
from tunefront.spaces.augmentation.levels import LEVELS, build_augmentation
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.effects.idle_settings import IDLE, IdleParameters
from tunefront.spaces.optimizers import OPTIMIZERS, build_optimizer
from tunefront.spaces.ranges import Choice, Fixed, Value
from tunefront.spaces.settings import Setting, fixed_values
from tunefront.spaces.space import Space

CNN = {"n_blocks": 1, "filters": 2, "kernel_size": 3, "batch_norm": False, "dense_units": 0, "dropout": 0.0}
MLP = {"n_layers": 0, "units": 3, "batch_norm": False, "dropout": 0.0}
TWO = {"n_blocks": 2}
IMAGES = np.random.default_rng(1).integers(0, 256, (4, 7, 7, 1)).astype("float32")

# group, setting, two values of it, what makes it idle, what gives it an effect
NETWORKS = [
    ("plain_cnn", "filters_growth", (2.0, 3.0), {}, TWO),
    ("plain_cnn", "batch_norm_after", ("convolution", "pool"), {}, {"batch_norm": True}),
    ("plain_cnn", "pool_stride", (1, 3), {"pool_size": 1}, {}),
    ("plain_cnn", "pool_stride", (1, 3), {"pool_size": 1}, {"pool_size": 1, **TWO, "pool_size_2": 2}),
    ("plain_cnn", "pool_padding", ("same", "valid"), {"pool_size": 1}, {"pool_size": 3}),
    ("plain_cnn", "dense_batch_norm", (False, True), {}, {"dense_units_2": 2}),
    ("plain_cnn", "filters_2", (0, 3), {}, TWO),
    ("plain_cnn", "batch_norm_2", ("rule", "pool"), {}, TWO),
    ("plain_cnn", "pool_stride_2", (0, 1), {**TWO, "pool_size_2": 1}, TWO),
    ("plain_cnn", "pool_padding_2", ("rule", "valid"), {**TWO, "pool_size": 1}, {**TWO, "pool_size_2": 3}),
    ("mlp", "units", (3, 4), {}, {"n_layers": 1}),
    ("mlp", "units_growth", (1.0, 2.0), {"n_layers": 1}, {"n_layers": 2}),
    ("mlp", "activation", ("relu", "tanh"), {}, {"n_layers": 1}),
    ("mlp", "batch_norm", (False, True), {}, {"n_layers": 1}),
    ("mlp", "dropout", (0.0, 0.5), {}, {"n_layers": 1}),
]

KNOWN: Mapping[str, Mapping[str, Setting]] = {
    **{name: architecture.settings for name, architecture in ARCHITECTURES.items()},
    **OPTIMIZERS,
    **LEVELS,
}


def is_idle(group: str, setting: str, values: tuple[Value, ...], others: Mapping[str, Value]) -> bool:
    """Return what the rules say of a parameter with these values, in a space in which all others are fixed."""
    ranges = {**{name: Fixed(value) for name, value in others.items()}, setting: Choice(values)}
    name = f"{group}.{setting}"
    left = [IdleParameters(Space({}, {"any": {group: ranges}})).left_out({name: value, "a.b": 1}) for value in values]
    assert all(one["a.b"] == 1 for one in left)
    assert len({name in one for one in left}) == 1
    return name not in left[0]


def network_of(keras: Any, name: str, settings: Mapping[str, Value]) -> list[Any]:
    """Build a network from a seed, and return its layers, weights and answers in training."""
    keras.utils.set_random_seed(3)
    complete = {**fixed_values(ARCHITECTURES[name].settings), **settings}
    model = Space.from_table({}).build(Candidate(name, complete, "adam", {"learning_rate": 0.1}), IMAGES.shape[1:], 3)
    keras.utils.set_random_seed(4)
    layers = [(type(layer).__name__, layer.output.shape) for layer in model.layers]
    return [layers, *model.get_weights(), np.asarray(model(IMAGES, training=True))]


def are_equal(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one[1:], other[1:], strict=True))


@pytest.mark.parametrize(("name", "setting", "values", "idle", "active"), NETWORKS)
def test_networks_that_differ_in_an_idle_setting_are_one(
    keras: Any,
    name: str,
    setting: str,
    values: tuple[Value, Value],
    idle: Mapping[str, Value],
    active: Mapping[str, Value],
) -> None:
    basis = {**fixed_values(ARCHITECTURES[name].settings), **(MLP if name == "mlp" else CNN)}
    for others, expected in ((idle, True), (active, False)):
        settings = {**basis, **others}
        built = [network_of(keras, name, {**settings, setting: value}) for value in values]
        assert (built[0][0] == built[1][0] and are_equal(*built)) == expected
        assert is_idle(name, setting, values, settings) == expected


@pytest.mark.parametrize("moving", ["", "shift", "rotation", "zoom", "shear", "randaugment"])
def test_the_fill_of_images_that_nothing_moves_is_idle(keras: Any, moving: str) -> None:
    strengths = {"shift": 0.4, "rotation": 90.0, "zoom": 0.5, "shear": 0.5, "randaugment": 1.0}
    others = {**fixed_values(LEVELS["custom"]), "contrast": 0.5, **({moving: strengths[moving]} if moving else {})}
    changed = []
    for fill in ("constant", "nearest"):
        images = IMAGES
        for layer in build_augmentation({**others, "fill": fill}, seed=1):
            images = layer(images, training=True)
        changed.append(np.asarray(images))
    assert not np.array_equal(changed[0], IMAGES)
    assert np.array_equal(*changed) == (not moving)
    assert is_idle("custom", "fill", ("constant", "nearest"), others) == (not moving)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_nesterov_without_momentum_is_idle(keras: Any, momentum: float) -> None:
    ends = []
    for nesterov in (False, True):
        optimizer = build_optimizer("sgd", {"learning_rate": 0.1, "momentum": momentum, "nesterov": nesterov})
        weight = keras.Variable([1.0, -2.0])
        optimizer.build([weight])
        for gradient in ([0.3, 0.7], [-0.2, 0.1], [0.5, 0.5]):
            optimizer.apply([keras.ops.array(gradient)], [weight])
        ends.append(np.asarray(weight))
    assert np.array_equal(*ends) == (not momentum)
    others = {"learning_rate": 0.1, "momentum": momentum, "weight_decay": 0.0}
    assert is_idle("sgd", "nesterov", (False, True), others) == (not momentum)


@pytest.mark.parametrize("head_epochs", [0, 2])
def test_a_rate_of_fine_tuning_that_no_epochs_of_the_head_precede_is_idle(head_epochs: int) -> None:
    settings = {**fixed_values(ARCHITECTURES["MobileNetV2"].settings), "head_epochs": head_epochs}
    planned = []
    for rate in (0.1, 0.5):
        candidate = Candidate("MobileNetV2", {**settings, "fine_tuning_rate": rate}, "adam", {"learning_rate": 0.1})
        planned.append(phases(Trainable(candidate, None, None, TrainingLoss(3), None, backbone="any"), 5))
    assert (planned[0] == planned[1]) == (not head_epochs)
    assert is_idle("MobileNetV2", "fine_tuning_rate", (0.1, 0.5), settings) == (not head_epochs)


def test_every_rule_is_of_a_setting_that_exists_and_of_blocks_that_have_their_own() -> None:
    for group, rules in IDLE.items():
        assert rules.keys() <= KNOWN[group].keys()
    own = [name for name in KNOWN["plain_cnn"] if name[-1].isdigit() and not name.startswith("dense_units")]
    assert {name for name in IDLE["plain_cnn"] if name[-1].isdigit()} == set(own)
    settings = {**fixed_values(KNOWN["plain_cnn"]), **CNN, "n_blocks": 4}
    assert {name for name in own if is_idle("plain_cnn", name, (2, 3), settings)} == {
        name for name in own if name[-1] in "56"
    }


def test_what_depends_on_parameters_that_are_still_to_be_drawn_is_kept() -> None:
    space = Space.from_table({"optimizer": ["sgd", "adam"], "sgd": {"nesterov": [False, True]}})
    idle = IdleParameters(space)
    partial = {"optimizer.name": "sgd", "sgd.nesterov": True}
    assert idle.left_out(partial) == partial
    assert idle.left_out({**partial, "sgd.momentum": 0.9}) == {**partial, "sgd.momentum": 0.9}
    assert idle.left_out({**partial, "sgd.momentum": 0.0}) == {"optimizer.name": "sgd", "sgd.momentum": 0.0}
