"""Freeze fractions that train the same layers, known without Keras and compared with Keras's own backbones."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spaces.write_backbone_layers import learns, structure
from tunefront.spaces.architectures import BACKBONE_NAMES
from tunefront.spaces.architectures.backbone_layers import n_learning_frozen
from tunefront.spaces.architectures.backbone_weights import build_backbone
from tunefront.spaces.architectures.backbones import BACKBONES
from tunefront.spaces.freeze_choices import distinct_fractions, is_same_choice, merge_freeze_choices, same_fraction
from tunefront.spaces.freezing import freeze, n_frozen_layers
from tunefront.spaces.ranges import Choice, Fixed, FloatRange, IntRange, Range
from tunefront.spaces.space import Space

STEPS = FloatRange(0.0, 1.0, 0.1)


def merged(architecture: str, freeze_fraction: Any) -> tuple[Range, list[str]]:
    space = Space.from_table({"architecture": architecture, architecture: {"freeze_fraction": freeze_fraction}})
    found, notes = merge_freeze_choices(space)
    settings = found.families["architecture"][architecture]
    assert {**settings, "freeze_fraction": None} == {
        **space.families["architecture"][architecture],
        "freeze_fraction": None,
    }
    return settings["freeze_fraction"], notes


# VGG16's 19 layers: the input, then blocks of 2, 2, 3, 3 and 3 convolutions, each with a pooling behind it.
@pytest.mark.parametrize(
    ("freeze_fraction", "expected"),
    [
        ([0.0, 0.9, 1.0], Choice((0.0, 1.0))),  # behind the first 18 layers only a pooling follows
        ([0.9, 0.0, 1.0], Choice((1.0, 0.0))),  # where the first of them was
        ([0.9, 1.0], Fixed(1.0)),
        ([0.0, 0.05], Fixed(0.0)),  # the input alone
        ([0.15, 0.2], Fixed(0.15)),  # layers 1 to 3 and 1 to 4, and the fourth is a pooling
        ([0.3, 0.31, 0.35], Fixed(0.3)),  # layers 1 to 6, the same, and 1 to 7, and the seventh is a pooling
        ([0.35, 0.4], Choice((0.35, 0.4))),  # the eighth is a convolution
        ([0, 1], Choice((0, 1))),
        ([0.0, 0.1, 0.2, 0.3, 0.8, 1.0], Choice((0.0, 0.1, 0.2, 0.3, 0.8, 1.0))),  # the default
        ({"low": 0.8, "high": 1.0, "step": 0.1}, Choice((0.8, 1.0))),
        ({"low": 0.0, "high": 1.0, "step": 0.5}, FloatRange(0.0, 1.0, 0.5)),
        ({"low": 0.8, "high": 1.0}, FloatRange(0.8, 1.0)),
    ],
)
def test_merged_choices_of_vgg16_by_hand(freeze_fraction: Any, expected: Range) -> None:
    assert merged("VGG16", freeze_fraction)[0] == expected


def test_mergers_are_told() -> None:
    expected = [
        "VGG16: freeze_fraction 0.9, 0.95 and 1 leave the same layers trainable: one candidate, freeze_fraction = 1"
    ]
    assert merged("VGG16", [0.0, 0.9, 0.95, 1.0])[1] == expected
    assert merged("VGG16", [0.0, 0.8, 1.0])[1] == []
    assert distinct_fractions("VGG16", (0.0, 0.9, 0.95, 1.0)) == ([0.0, 1.0], expected)


def test_spaces_without_such_choices_stay_as_they_are() -> None:
    for table in ({}, {"architecture": ["MobileNetV2", "plain_cnn"]}):
        space = Space.from_table(table)
        assert merge_freeze_choices(space) == (space, [])


def test_the_default_choices_are_distinct_candidates_of_every_backbone() -> None:
    for name in BACKBONE_NAMES:
        fractions = (0.0, 0.1, 0.2, 0.3, 0.8, 1.0)
        assert distinct_fractions(name, fractions) == (list(fractions), [])


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (Choice((0.0, 0.9, 1.0)), Choice((1.0, 0.0)), True),
        (Fixed(0.9), Fixed(1.0), True),
        (Choice((0.8, 1.0)), FloatRange(0.8, 1.0, 0.1), True),
        (Fixed(0.8), Fixed(0.9), False),
        (Choice((0.0, 1.0)), Fixed(1.0), False),
        (FloatRange(0.0, 1.0), FloatRange(0.0, 1.0), True),
        (FloatRange(0.0, 1.0), STEPS, False),
        (FloatRange(0.0, 1.0), FloatRange(0.0, 0.9), False),
        (IntRange(0, 1), Choice((0.0, 1.0)), True),
    ],
)
def test_ranges_of_the_same_candidates_are_the_same_choice(one: Range, other: Range, is_same: bool) -> None:
    assert is_same_choice("VGG16", one, other) is is_same_choice("VGG16", other, one) is is_same


@pytest.mark.parametrize(
    ("wanted", "spec_range", "expected"),
    [
        (1.0, Choice((0.0, 0.9)), 0.9),
        (0.9, Choice((0.0, 0.9)), 0.9),
        (1, Fixed(0.95), 0.95),
        (0.5, Choice((0.0, 0.9)), 0.5),  # not in it, for whoever asks to say so
        (1.0, FloatRange(0.0, 0.9), 1.0),
        (7.0, Choice((0.0, 0.9)), 7.0),
        ("all", Choice((0.0, 0.9)), "all"),
    ],
)
def test_same_fraction_is_the_value_that_a_range_has(wanted: Any, spec_range: Range, expected: Any) -> None:
    assert same_fraction("VGG16", wanted, spec_range) == expected


SMALL = [("VGG16", 1.0, 0), ("MobileNet", 0.25, 0), ("MobileNetV2", 1.0, 0), ("MobileNetV2", 0.04, 2)]
OTHERS = [
    pytest.param(name, 1.0, 0, marks=pytest.mark.exhaustive)
    for name in BACKBONE_NAMES
    if name not in {known for known, _, _ in SMALL}
]


@pytest.mark.parametrize(("name", "width", "place"), [*SMALL, *OTHERS])
def test_what_is_known_of_a_backbone_is_what_keras_builds(keras: Any, name: str, width: float, place: int) -> None:
    network = build_backbone(BACKBONES[name], "none", width, (max(32, BACKBONES[name].smallest_image),) * 2)
    learning = structure(network)
    for n_frozen in range(len(learning) + 1):
        fraction = n_frozen / len(learning)
        assert n_learning_frozen(name, fraction)[place] == learning[:n_frozen].count("1")
    by_cut: dict[int, set[tuple[int, ...]]] = {}
    for fraction in (0.0, 0.01, 0.02, 0.1, 0.15, 0.2, 0.3, 0.5, 0.6, 0.8, 0.85, 0.9, 0.95, 0.99, 1.0):
        assert freeze(network, fraction) == n_frozen_layers(len(learning), fraction)
        # A training changes weights with gradients, and the averages of batch norms that are not frozen.
        changing = [id(weight) for layer in network.layers if layer.trainable for weight in layer.trainable_weights]
        norms = [
            id(one) for one in network.layers if isinstance(one, keras.layers.BatchNormalization) and one.trainable
        ]
        by_cut.setdefault(n_learning_frozen(name, fraction)[place], set()).add((*changing, *norms))
    assert all(len(found) == 1 for found in by_cut.values())
    assert len({found for one in by_cut.values() for found in one}) == len(by_cut)


def test_a_layer_learns_if_training_changes_it(keras: Any) -> None:
    layers = keras.layers
    silent_norm = layers.BatchNormalization(center=False, scale=False)  # no gradient, but it follows the batches
    learning = (layers.Dense(2), silent_norm, keras.Sequential([layers.Dense(2)]))
    others = (layers.Normalization(mean=0.0, variance=1.0), layers.Normalization(), layers.Dropout(0.5))
    for layer in (*learning, *others):
        layer.build((None, 3))
    assert all(learns(layer) for layer in learning)
    assert not any(learns(layer) for layer in others)
