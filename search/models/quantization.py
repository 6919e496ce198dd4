"""Raw values as the whole numbers of a quantized input, and whole numbers of an output as probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def quantize(values: NDArray[Any], dtype: Any, scale: float, zero_point: int) -> NDArray[Any]:
    """Return values as `dtype`: for whole numbers ``round(value / scale) + zero_point``, cut off at the type's ends."""
    if not np.issubdtype(dtype, np.integer):
        return np.asarray(values, dtype)
    limits = np.iinfo(dtype)
    steps = np.rint(values.astype(np.float64) / scale) + zero_point
    return np.asarray(np.clip(steps, limits.min, limits.max), dtype)


def dequantize(output: NDArray[Any], scale: float, zero_point: int) -> NDArray[np.float64]:
    """Return the numbers that an output stands for; one that is not quantized stands for itself."""
    numbers: NDArray[np.float64] = output.astype(np.float64)
    return (numbers - zero_point) * scale if np.issubdtype(output.dtype, np.integer) else numbers
