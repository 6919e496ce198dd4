from __future__ import annotations

import numpy as np
import pytest

from tunefront.search.models.quantization import dequantize, quantize


def test_values_become_whole_numbers_of_the_input() -> None:
    found = quantize(np.array([0, 1, 2, 255], np.uint8), np.int8, scale=0.5, zero_point=-128)
    assert found.dtype == np.int8
    assert found.tolist() == [-128, -126, -124, 127]  # 255 / 0.5 - 128 = 382 is cut off


def test_floats_stay_floats() -> None:
    found = quantize(np.array([3], np.uint8), np.float32, 0.0, 0)
    assert (found.dtype, found.tolist()) == (np.float32, [3.0])


def test_outputs_become_probabilities() -> None:
    assert dequantize(np.array([-128, 0, 127], np.int8), 1 / 256, -128) == pytest.approx([0, 0.5, 255 / 256])
    assert dequantize(np.array([0.25], np.float32), 0.0, 0).tolist() == [0.25]
