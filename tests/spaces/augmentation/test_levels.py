"""The effect of augmentation on images, one setting at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tunefront.spaces.augmentation.levels import LEVELS, build_augmentation
from tunefront.spaces.ranges import Choice, Fixed, FloatRange
from tunefront.spaces.settings import SpaceError, fixed_values
from tunefront.spaces.space import Space

N = 24
GREY = np.random.default_rng(1).integers(0, 256, size=(N, 8, 8, 1)).astype("float32")
COLOUR = np.random.default_rng(2).integers(0, 256, size=(N, 11, 8, 3)).astype("float32")
ALONE: dict[str, Any] = {
    "flip": "horizontal",
    "rotation": 30.0,
    "shift": 0.3,
    "zoom": 0.3,
    "shear": 0.3,
    "randaugment": 0.7,
    "brightness": 0.3,
    "contrast": 0.5,
    "channel_shift": 0.3,
    "noise": 0.1,
    "erasing": 1.0,
}


def augmented(keras: Any, settings: dict[str, Any], images: Any = COLOUR, seed: int = 1, training: bool = True) -> Any:
    result = keras.ops.convert_to_tensor(images)
    for layer in build_augmentation(settings, seed):
        result = layer(result, training=training)
    return keras.ops.convert_to_numpy(result)


def is_changed(result: Any, images: Any) -> Any:
    """Return which images differ, shape (batch,); rounding of interpolation does not count."""
    return np.abs(result - images).max(axis=(1, 2, 3)) > 1e-2


# Levels


def test_all_levels_but_none_have_the_same_settings() -> None:
    assert set(LEVELS) == {"none", "light", "medium", "strong", "custom"}
    assert LEVELS["none"] == {}
    for name in ("light", "medium", "strong"):
        assert list(LEVELS[name]) == list(LEVELS["custom"])
    assert set(LEVELS["custom"]) == {*ALONE, "mixup", "cutmix", "fill"}


def test_levels_differ_by_what_their_names_say() -> None:
    values = {name: fixed_values(settings) for name, settings in LEVELS.items() if settings}
    on = {
        name: {key: value for key, value in settings.items() if value not in (0, "none")}
        for name, settings in values.items()
    }
    assert on["custom"] == {"fill": "nearest"}
    assert on["light"] == {"shift": 0.1, "rotation": 10.0, "zoom": 0.1, "fill": "nearest"}
    for weak, strong in (("light", "medium"), ("medium", "strong")):
        assert set(on[weak]) < set(on[strong])
        assert all(on[strong][key] >= on[weak][key] for key in set(on[weak]) - {"fill"})
    assert "flip" not in on["medium"]


def test_a_spec_can_search_settings_of_a_level() -> None:
    table = {
        "augmentation": ["none", "custom", "strong"],
        "custom": {"rotation": {"low": 0, "high": 30}, "flip": ["none", "horizontal"]},
        "strong": {"mixup": 0},
    }
    families = Space.from_table(table).families["augmentation"]
    assert families["none"] == {}
    assert families["custom"]["flip"] == Choice(("none", "horizontal"))
    assert families["custom"]["shift"] == Fixed(0.0)
    assert families["strong"]["mixup"] == Fixed(0)
    assert families["strong"]["cutmix"] == Fixed(1.0)
    table = {"augmentation": "custom", "custom": {"noise": {"low": 0.0, "high": 0.1}}}
    assert Space.from_table(table).families["augmentation"]["custom"]["noise"] == FloatRange(0.0, 0.1)


@pytest.mark.parametrize(
    ("settings", "fragment"),
    [
        ({"rotation": 180}, "below 180, or 0"),
        ({"rotation": -1}, "above 0"),
        ({"flip": "left"}, "one of none, horizontal, vertical, both"),
        ({"zoom": 1}, "below 1"),
        ({"shift": 1.5}, "from 0 to 1"),
        ({"noise": 12}, "from 0 to 1"),
        ({"fill": "mirror"}, "one of constant, nearest, reflect, wrap"),
        ({"mixup": -0.2}, "above 0 and below 100, or 0"),
        ({"cutout": 1}, "there is no such setting"),
    ],
)
def test_a_spec_is_told_what_a_setting_can_be(settings: dict[str, Any], fragment: str) -> None:
    with pytest.raises(SpaceError, match=f"space.custom.{next(iter(settings))}") as caught:
        Space.from_table({"augmentation": "custom", "custom": settings})
    assert fragment in str(caught.value)


# Each setting alone


@pytest.mark.parametrize("settings", [{}, fixed_values(LEVELS["custom"]), {"mixup": 1.0, "cutmix": 1.0}])
def test_build_augmentation_is_nothing_when_nothing_is_on(keras: Any, settings: dict[str, Any]) -> None:
    assert build_augmentation(settings, seed=1) == []


@pytest.mark.parametrize("name", [*ALONE, "light", "medium", "strong"])
@pytest.mark.parametrize("images", [GREY, COLOUR], ids=["grey", "colour"])
def test_build_augmentation_changes_images_only_while_training(keras: Any, name: str, images: Any) -> None:
    settings = {name: ALONE[name]} if name in ALONE else fixed_values(LEVELS[name])
    result = augmented(keras, settings, images)
    assert result.shape == images.shape
    assert result.dtype == "float32"
    expected = {"flip": 0.2, "randaugment": 0.5}.get(name, 0.95)  # half of all are flipped, some operations do nothing
    assert is_changed(result, images).mean() >= expected
    assert result.min() >= -1e-3
    assert result.max() <= 255 + 1e-3
    np.testing.assert_array_equal(augmented(keras, settings, images, training=False), images)


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_every_image_gets_a_draw_of_its_own(keras: Any, name: str, policy: str) -> None:
    images = np.repeat(COLOUR[:1], N, axis=0)
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy(policy)
        result = augmented(keras, {name: ALONE[name]}, images)
    finally:
        keras.config.set_dtype_policy(before)
    assert result.dtype == "float32"
    n_different = len({image.tobytes() for image in result})
    assert n_different == 2 if name == "flip" else n_different > 0.5 * N


@pytest.mark.parametrize("name", [*ALONE, "strong"])
def test_augmentation_repeats_itself_when_the_seed_is_the_same(keras: Any, name: str) -> None:
    settings = {name: ALONE[name]} if name in ALONE else fixed_values(LEVELS[name])
    np.testing.assert_array_equal(augmented(keras, settings, seed=3), augmented(keras, settings, seed=3))
    assert (augmented(keras, settings, seed=3) != augmented(keras, settings, seed=4)).any()
    layer = build_augmentation(settings, seed=2**32 - 1)[0]  # the largest seed of a trial
    assert (np.asarray(layer(COLOUR, training=True)) != np.asarray(layer(COLOUR, training=True))).any()


def test_light_is_what_it_was(keras: Any) -> None:
    layers = [
        keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest", seed=5),
        keras.layers.RandomRotation(10 / 360, fill_mode="nearest", seed=6),
        keras.layers.RandomZoom(0.1, fill_mode="nearest", seed=7),
    ]
    expected = keras.ops.convert_to_tensor(GREY)
    for layer in layers:
        expected = layer(expected, training=True)
    np.testing.assert_array_equal(augmented(keras, fixed_values(LEVELS["light"]), GREY, seed=5), np.asarray(expected))


@pytest.mark.parametrize(("flip", "n_kinds"), [("horizontal", 2), ("vertical", 2), ("both", 4)])
def test_flip_is_left_for_right_or_upside_down_or_each_by_itself(keras: Any, flip: str, n_kinds: int) -> None:
    images = np.repeat(COLOUR[:1], 64, axis=0)
    kinds = [image[::up, ::left].tobytes() for image in COLOUR[:1] for up in (1, -1) for left in (1, -1)]
    seen = {kinds.index(image.tobytes()) for image in augmented(keras, {"flip": flip}, images)}
    assert seen == {"horizontal": {0, 1}, "vertical": {0, 2}, "both": {0, 1, 2, 3}}[flip]
    assert len(seen) == n_kinds


def test_contrast_and_brightness_go_both_ways(keras: Any) -> None:
    images = 100 + COLOUR / 10  # far from both ends
    ratio = augmented(keras, {"contrast": 0.5}, images).std(axis=(1, 2, 3)) / images.std(axis=(1, 2, 3))
    assert 0.5 <= ratio.min() < 0.8
    assert 1.2 < ratio.max() <= 1.5
    shift = (augmented(keras, {"brightness": 0.2}, images) - images).mean(axis=(1, 2, 3)) / 255
    assert -0.2 <= shift.min() < -0.1
    assert 0.1 < shift.max() <= 0.2


def test_channel_shift_and_noise_are_as_large_as_they_say(keras: Any) -> None:
    images = np.full((64, 8, 8, 3), 128, "float32")
    shifts = (augmented(keras, {"channel_shift": 0.2}, images) - 128) / 255
    assert np.ptp(shifts, axis=(1, 2)).max() < 1e-6  # one number a channel
    assert np.ptp(shifts[:, 0, 0], axis=1).min() > 0
    assert -0.2 <= shifts.min() < -0.18
    assert 0.18 < shifts.max() <= 0.2
    assert ((augmented(keras, {"noise": 0.05}, images) - 128) / 255).std() == pytest.approx(0.05, rel=0.05)


@pytest.mark.parametrize("erasing", [0.25, 1.0])
def test_erasing_is_the_share_of_images_that_lose_a_rectangle(keras: Any, erasing: float) -> None:
    images = np.full((800, 8, 8, 1), 128, "float32")
    is_erased = (augmented(keras, {"erasing": erasing}, images) != 128)[..., 0]
    assert is_erased.any(axis=(1, 2)).mean() == pytest.approx(erasing, abs=0.05)
    assert is_erased.mean(axis=(1, 2)).max() <= 0.5


@pytest.mark.parametrize("fill", ["constant", "nearest", "reflect", "wrap"])
@pytest.mark.parametrize("name", ["rotation", "shift", "zoom", "shear", "randaugment"])
def test_fill_is_taken_by_all_that_moves_images(keras: Any, name: str, fill: str) -> None:
    white = np.full((N, 8, 8, 1), 255, "float32")
    has_black = augmented(keras, {name: 0.5, "rotation": 40.0 * (name == "rotation"), "fill": fill}, white).min() < 1
    # Only a constant lets black in; but a magnitude of RandAugment also solarizes.
    assert has_black == (fill == "constant") or name == "randaugment"


# RandAugment


def test_randaugment_does_more_at_a_larger_magnitude(keras: Any) -> None:
    smooth = (
        np.repeat(np.linspace(60, 180, 16, dtype="float32").reshape(1, 4, 4, 1), N, axis=0).repeat(4, 1).repeat(4, 2)
    )
    distances = [np.abs(augmented(keras, {"randaugment": m}, smooth, seed=4) - smooth).mean() for m in (0.1, 0.5, 1.0)]
    assert distances == sorted(distances)


def test_each_operation_of_randaugment_does_what_it_says(keras: Any) -> None:
    from tunefront.spaces.augmentation import rand_augment

    def moved(name: str, strength: float, image: Any) -> Any:
        images = keras.ops.convert_to_tensor(image[None])
        number = keras.ops.convert_to_tensor([rand_augment._GEOMETRIC_OPERATIONS.index(name)])
        return np.asarray(rand_augment._move(images, number, keras.ops.convert_to_tensor([strength]), "constant"))[0]

    image = COLOUR[0, :8]  # 8x8
    np.testing.assert_allclose(moved("rotate", 0.0, image), image, atol=1e-3)
    np.testing.assert_allclose(moved("rotate", 3.0, image), np.rot90(image, 1), atol=1e-2)  # 90 degrees
    np.testing.assert_allclose(moved("translate_x", 1 / 0.45 / 8, image)[:, :-1], image[:, 1:], atol=1e-2)
    np.testing.assert_allclose(moved("translate_y", -1 / 0.45 / 8, image)[1:], image[:-1], atol=1e-2)

    def recoloured(name: str, factor: float = 1.0, magnitude: float = 0.5) -> Any:
        images = keras.ops.convert_to_tensor(COLOUR[:2])
        return np.asarray(rand_augment._recoloured(images, name, factor, magnitude))

    for name in ("contrast", "brightness", "sharpness", "saturation"):
        np.testing.assert_allclose(recoloured(name, 1.0), COLOUR[:2], atol=1e-3)
    np.testing.assert_allclose(recoloured("brightness", 0.5), COLOUR[:2] / 2)
    np.testing.assert_allclose(np.ptp(recoloured("saturation", 0.0), axis=-1), 0)
    assert recoloured("contrast", 0.0).std(axis=(1, 2, 3)) == pytest.approx([0, 0], abs=1e-3)
    stretched = recoloured("autocontrast")
    assert stretched.min(axis=(1, 2)) == pytest.approx(np.zeros((2, 3)))
    assert stretched.max(axis=(1, 2)) == pytest.approx(np.full((2, 3), 255.0))
    np.testing.assert_allclose(recoloured("solarize", magnitude=1.0)[COLOUR[:2] > 0], 255 - COLOUR[:2][COLOUR[:2] > 0])
    np.testing.assert_allclose(recoloured("solarize", magnitude=0.0), COLOUR[:2])
    assert len(np.unique(recoloured("posterize", magnitude=1.0))) <= 16


# In a training


@pytest.mark.parametrize("n_channels", [1, 3])
def test_all_settings_work_inside_a_compiled_training(keras: Any, n_channels: int) -> None:
    settings = {**ALONE, "flip": "both", "fill": "reflect"}
    layers = build_augmentation(settings, seed=1)
    model = keras.Sequential([keras.Input((8, 8, n_channels)), *layers, keras.layers.Flatten(), keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    images = np.random.default_rng(3).uniform(0, 255, (10, 8, 8, n_channels)).astype("float32")
    draws = [variable for layer in layers for variable in layer.variables]
    model.fit(images / 255, np.arange(10) % 2, batch_size=4, epochs=1, verbose=0)  # the last batch is smaller
    assert len(draws) == len(layers) == 12
    for variable in draws:  # each layer drew at least once in each of the three steps
        assert keras.ops.convert_to_numpy(variable)[1] >= 3
