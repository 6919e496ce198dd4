"""The classification backbones of ``keras.applications``, and the preprocessing that each needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Preprocessing = Literal["included", "caffe", "tf", "torch"]


@dataclass(frozen=True)
class Backbone:
    """A backbone of ``keras.applications``.

    Attributes:
        name: The name in ``keras.applications``.
        preprocessing: The one its weights were trained with: ``included`` in the model as Keras builds it,
            ``caffe`` (blue first, means taken off), ``tf`` (-1 to 1) or ``torch`` (normalized).
        smallest_image: The smallest height and width it takes, in pixels.
        imagenet_widths: Width multipliers that have ImageNet weights; empty if its width is fixed.
    """

    name: str
    preprocessing: Preprocessing
    smallest_image: int = 32
    imagenet_widths: tuple[float, ...] = ()


_FAMILIES: tuple[tuple[Preprocessing, int, tuple[str, ...]], ...] = (
    ("caffe", 32, ("VGG16", "VGG19", "ResNet50", "ResNet101", "ResNet152")),
    ("tf", 32, ("ResNet50V2", "ResNet101V2", "ResNet152V2", "NASNetMobile", "NASNetLarge")),
    ("tf", 71, ("Xception",)),
    ("tf", 75, ("InceptionV3", "InceptionResNetV2")),
    ("torch", 32, ("DenseNet121", "DenseNet169", "DenseNet201")),
    ("included", 32, tuple(f"EfficientNetB{size}" for size in range(8))),
    ("included", 32, tuple(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L"))),
    ("included", 32, tuple(f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large", "XLarge"))),
)
_SCALABLE_BACKBONES = (
    Backbone("MobileNet", "tf", imagenet_widths=(0.25, 0.5, 0.75, 1.0)),
    Backbone("MobileNetV2", "tf", imagenet_widths=(0.35, 0.5, 0.75, 1.0, 1.3, 1.4)),
    Backbone("MobileNetV3Small", "included", imagenet_widths=(0.75, 1.0)),
    Backbone("MobileNetV3Large", "included", imagenet_widths=(0.75, 1.0)),
)
BACKBONES: Mapping[str, Backbone] = {
    backbone.name: backbone
    for backbone in (
        *_SCALABLE_BACKBONES,
        *(Backbone(name, mode, smallest) for mode, smallest, names in _FAMILIES for name in names),
    )
}


def preprocess(mode: Preprocessing, pixels: Any) -> Any:
    """Preprocess pixels of shape ``(batch, height, width, 3)``, 0 to 255, red first, as the backbone's weights need it.

    It uses Keras layers only, so that saved models load anywhere. They compute in float32 also under mixed
    precision, because 16 bits have too few digits for the difference of a pixel and a mean.
    """
    import keras
    from keras import layers

    match mode:
        case "included":
            return pixels
        case "tf":
            return layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32")(pixels)
        case "torch":
            means, deviations = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
            variances = [(255 * deviation) ** 2 for deviation in deviations]
            return layers.Normalization(mean=[255 * mean for mean in means], variance=variances, dtype="float32")(
                pixels
            )
        case "caffe":
            blue_first = keras.ops.flip(pixels, axis=-1)
            means = (103.939, 116.779, 123.68)
            return layers.Normalization(mean=means, variance=(1.0, 1.0, 1.0), dtype="float32")(blue_first)
