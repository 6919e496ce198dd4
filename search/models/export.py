"""A Keras model as a file for LiteRT or ONNX Runtime. It runs in a process with Keras on TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tunefront.mistakes import TunefrontError
from tunefront.search.models.variants import Variant


class ExportRefusalError(TunefrontError):
    """A model cannot be exported as this variant; the message has the converter's own words."""


def export(model: Any, variant: Variant, path: Path, images: NDArray[Any]) -> None:
    """Write a float32 model to `path`, whose name ends as the variant's files do.

    The file takes raw values, gives probabilities, and needs no operations of TensorFlow's own.

    Args:
        images: Raw training images, shape (n, ...), that int8 is calibrated on.

    Raises:
        ExportRefusalError: If the backend or the converter cannot do it.
    """
    if keras.backend.backend() != "tensorflow":
        raise ExportRefusalError(
            f"Keras exports models on TensorFlow alone, and its backend is {keras.backend.backend()}: "
            "set KERAS_BACKEND=tensorflow"
        )
    try:
        if variant.runtime == "onnx":
            model.export(str(path), format="onnx", verbose=False)
        else:
            model.export(str(path), format="litert", verbose=False, **_converter_settings(variant, images))
    except Exception as error:  # the converters raise whatever they like
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ExportRefusalError(f"Keras cannot export it as {variant.name}: {lines[0][:300]}") from error


def _converter_settings(variant: Variant, images: NDArray[Any]) -> dict[str, Any]:
    """Return the attributes of TensorFlow's converter.

    The sets of operations are given, because Keras would also allow TensorFlow's own, with which a file is written and
    then not run by a plain interpreter.
    """
    import tensorflow as tf

    builtins: dict[str, Any] = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    if variant.name == "float32":
        return {"target_spec": builtins}
    smaller = {"optimizations": [tf.lite.Optimize.DEFAULT]}
    if variant.name == "float16":
        return {**smaller, "target_spec": {**builtins, "supported_types": [tf.float16]}}
    if variant.name == "dynamic":
        return {**smaller, "target_spec": builtins}

    def representative() -> Iterator[list[NDArray[np.float32]]]:
        for image in images:
            yield [image[np.newaxis].astype(np.float32)]

    return {
        **smaller,
        "representative_dataset": representative,
        # Without these two, inputs and outputs would stay floats.
        "inference_input_type": tf.int8,
        "inference_output_type": tf.int8,
        "target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
    }
