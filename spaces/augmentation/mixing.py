"""Mix-up and cut-mix: training images made of two, with labels shared in the same proportion.

They are written by hand because the label share that Keras's CutMix states is off by up to 0.21 on 8x8 images: it is
the area between the rectangle's fractional corners. Here the share counts the pixels that are left.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol

from tunefront.spaces.candidate import Settings


class Mixing(Protocol):
    """A Keras layer that mixes each image of a batch with the next one, and the last with the first."""

    def __call__(self, images: Any) -> tuple[Any, Any]:
        """Mix images of shape ``(batch, height, width, channels)``.

        Returns:
            The mixed images, and each image's own share in the result, of shape ``(batch,)``, 0 to 1. The mixed labels,
            as shares of classes, are ``share * labels + (1 - share) * roll(labels, -1, axis=0)``.
        """


def mixes_images(settings: Settings) -> bool:
    """Return whether :func:`build_mixing` gives a layer."""
    return bool(settings.get("mixup") or settings.get("cutmix"))


def build_mixing(settings: Settings, seed: int) -> Mixing | None:
    """Build the layer that mixes as the settings ``mixup`` and ``cutmix`` say; None if both are 0.

    Each setting is the alpha of its method's Beta(alpha, alpha), from which shares are drawn.

    * Mix-up (arXiv 1710.09412): ``share * image + (1 - share) * next image``, with share ~ Beta.
    * Cut-mix (arXiv 1905.04899): a rectangle of the next image, sqrt(1 - Beta) of either side long, replaces the
      pixels around a random place. It is cut off at the border; the share counts the pixels that it leaves.

    Ours draws a share for each image, while the papers' code draws one for a batch. With both methods, each batch
    picks one of them at random.
    """
    mixup, cutmix = float(settings.get("mixup", 0.0)), float(settings.get("cutmix", 0.0))
    if not mixes_images(settings):
        return None
    layer: Mixing = _layer_class()(mixup, cutmix, seed)
    return layer


@cache  # made late, because it needs Keras
def _layer_class() -> type[Any]:
    import keras
    from keras import ops, random

    class MixingLayer(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, mixup: float, cutmix: float, seed: int) -> None:
            super().__init__(dtype="float32")
            self._mixup, self._cutmix = mixup, cutmix
            self._draws = random.SeedGenerator(seed)
            self.supports_jit = False  # TensorFlow has no XLA kernel for the gamma distribution behind Beta

        def call(self, images: Any) -> tuple[Any, Any]:
            partners = ops.roll(images, -1, axis=0)
            if not self._cutmix:
                return self._mix(images, partners)
            if not self._mixup:
                return self._cut(images, partners)
            is_mixup = random.uniform((), seed=self._draws) < 0.5
            pairs = zip(self._mix(images, partners), self._cut(images, partners), strict=True)
            mixed, share = (ops.where(is_mixup, one, other) for one, other in pairs)
            return mixed, share

        def _mix(self, images: Any, partners: Any) -> tuple[Any, Any]:
            share = self._beta(self._mixup, images)
            own = ops.reshape(share, (-1, 1, 1, 1))
            return own * images + (1.0 - own) * partners, share

        def _cut(self, images: Any, partners: Any) -> tuple[Any, Any]:
            height, width = images.shape[1:3]
            side = ops.sqrt(1.0 - self._beta(self._cutmix, images))
            is_row_cut, is_column_cut = self._interval(side, height), self._interval(side, width)
            is_cut = is_row_cut[:, :, None, None] & is_column_cut[:, None, :, None]
            n_cut = ops.sum(ops.cast(is_cut, "float32"), axis=(1, 2, 3))
            return ops.where(is_cut, partners, images), 1.0 - n_cut / (height * width)

        def _interval(self, side: Any, n_pixels: int) -> Any:
            """Return which pixels lie in an interval of `side` of them around a random one, shape (batch, n_pixels)."""
            length = ops.round(side * n_pixels)
            middle = ops.floor(n_pixels * random.uniform(ops.shape(side), seed=self._draws))
            first = (middle - ops.floor(length / 2))[:, None]
            position = ops.arange(n_pixels, dtype="float32")[None, :]
            return (position >= first) & (position < first + length[:, None])

        def _beta(self, alpha: float, images: Any) -> Any:
            # keras.random.beta divides gammas of alpha, which for small alphas are 0 in float32: with 0.02, 3 % of its
            # draws are exactly a half, and with 0.001, 85 %. A gamma of alpha is one of alpha + 1 times
            # uniform ** (1 / alpha), so here the logarithms of two such products are subtracted.
            shape = (ops.shape(images)[0],)
            one, other = (
                ops.log(random.gamma(shape, alpha + 1, seed=self._draws))
                + ops.log(1.0 - random.uniform(shape, seed=self._draws)) / alpha
                for _ in range(2)
            )
            return ops.sigmoid(one - other)

    return MixingLayer
