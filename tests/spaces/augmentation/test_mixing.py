"""Mix-up and cut-mix: the share of the label is the share of the pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tunefront.spaces.augmentation.mixing import build_mixing

N = 32
COLOUR = np.random.default_rng(2).integers(0, 256, size=(N, 11, 8, 3)).astype("float32")


def mixed(keras: Any, settings: dict[str, Any], images: Any = COLOUR, seed: int = 1, n_batches: int = 1) -> Any:
    """Return the last of several mixed batches, and its shares."""
    mixing = build_mixing(settings, seed)
    assert mixing is not None
    for _ in range(n_batches):
        result, share = mixing(keras.ops.convert_to_tensor(images))
    return keras.ops.convert_to_numpy(result), keras.ops.convert_to_numpy(share)


def test_build_mixing_is_nothing_when_both_alphas_are_zero() -> None:
    assert build_mixing({}, 1) is None
    assert build_mixing({"mixup": 0, "cutmix": 0.0, "noise": 0.5}, 1) is None


@pytest.mark.parametrize("alpha", [0.2, 1.0, 8.0])
def test_mix_up_is_the_convex_combination_that_it_says(keras: Any, alpha: float) -> None:
    result, share = mixed(keras, {"mixup": alpha})
    own = share[:, None, None, None]
    np.testing.assert_allclose(result, own * COLOUR + (1 - own) * np.roll(COLOUR, -1, axis=0), atol=1e-2)
    assert share.shape == (N,)
    assert result.dtype == share.dtype == "float32"
    assert len(np.unique(share)) > N / 2  # each image draws for itself


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mix_up_draws_its_shares_from_beta(keras: Any, alpha: float) -> None:
    _, share = mixed(keras, {"mixup": alpha}, np.zeros((4000, 1, 1, 1), "float32"))
    assert share.mean() == pytest.approx(0.5, abs=0.03)
    assert share.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)  # of Beta(alpha, alpha)


def test_shares_are_numbers_when_alpha_is_tiny(keras: Any) -> None:
    # As quotients of two gammas, nearly all shares would be 0 / 0, for which Keras on TensorFlow returns a half.
    _, share = mixed(keras, {"mixup": 0.001}, np.ones((500, 4, 4, 1), "float32"))
    assert np.isin(share, (0, 1)).mean() > 0.9
    assert share.mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("shape", [(8, 8, 1), (11, 8, 3), (1, 5, 1), (32, 32, 3)])
def test_cut_mix_weighs_labels_by_the_pixels_that_are_the_image_s_own(keras: Any, shape: tuple[int, ...]) -> None:
    values = np.arange(N, dtype="float32") * 8  # each image has one value of its own
    images = np.broadcast_to(values[:, None, None, None], (N, *shape))
    result, share = mixed(keras, {"cutmix": 1.0}, images, n_batches=3)
    is_own, is_partner = result == images, result == np.roll(images, -1, axis=0)
    assert (is_own ^ is_partner).all()
    np.testing.assert_allclose(share, is_own.mean(axis=(1, 2, 3)), atol=1e-6)
    assert (is_partner == is_partner[..., :1]).all()  # all channels of a pixel alike
    for image in is_partner[..., 0]:  # a filled rectangle
        rows, columns = image.any(axis=1), image.any(axis=0)
        np.testing.assert_array_equal(image, rows[:, None] & columns[None, :])
        assert (np.diff(rows.astype(int)) == 1).sum() + rows[0] <= 1
    assert 0.4 < share.mean() < 0.9  # half of a side is lost at the border on average
    assert len(np.unique(share)) > 2


def test_one_of_both_is_picked_for_each_batch(keras: Any) -> None:
    values = np.arange(N, dtype="float32") * 8
    images = np.broadcast_to(values[:, None, None, None], (N, 8, 8, 1))
    mixing = build_mixing({"mixup": 1.0, "cutmix": 1.0}, 1)
    assert mixing is not None
    is_mix_up = []
    for _ in range(20):
        result, share = (keras.ops.convert_to_numpy(part) for part in mixing(keras.ops.convert_to_tensor(images)))
        is_blended = np.ptp(result, axis=(1, 2, 3)) == 0
        is_mix_up.append(is_blended.all())
        np.testing.assert_allclose(
            result.mean(axis=(1, 2, 3)), share * values + (1 - share) * np.roll(values, -1), atol=1e-2
        )
    assert 4 < sum(is_mix_up) < 16


@pytest.mark.parametrize("settings", [{"mixup": 1.0}, {"cutmix": 1.0}])
def test_mixing_repeats_itself_when_the_seed_is_the_same(keras: Any, settings: dict[str, Any]) -> None:
    first, again, other = (mixed(keras, settings, seed=seed)[0] for seed in (2**32 - 1, 2**32 - 1, 5))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first != mixed(keras, settings, seed=2**32 - 1, n_batches=2)[0]).any()


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_mixing_works_inside_a_compiled_training(keras: Any, policy: str) -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:

        class Mixed(keras.Model):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.mixing = build_mixing({"mixup": 0.4, "cutmix": 1.0}, 3)
                self.flatten, self.dense = keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")

            def call(self, images: Any, training: bool = False) -> Any:
                if training:
                    images, self.share = self.mixing(images)
                return self.dense(self.flatten(images / 255))

            def compute_loss(
                self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
            ) -> Any:
                y = keras.ops.one_hot(y, 2)
                if training:
                    own = self.share[:, None]
                    y = own * y + (1 - own) * keras.ops.roll(y, -1, axis=0)
                return super().compute_loss(x, y, y_pred, sample_weight, training)

        model = Mixed()
        model.compile("sgd", "categorical_crossentropy")
        history = model.fit(COLOUR[:10], np.arange(10) % 2, batch_size=4, epochs=2, verbose=0)  # batches of 4, 4, 2
        assert np.isfinite(history.history["loss"]).all()
        (draws,) = model.mixing.variables
        assert keras.ops.convert_to_numpy(draws)[1] >= 6  # tracked: each step drew anew
    finally:
        keras.config.set_dtype_policy(before)
