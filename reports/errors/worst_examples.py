"""The examples that a model gets most wrong, from the file of its answers beside it."""

from __future__ import annotations

import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.storage.files import PREDICTIONS

_UNREADABLE = (  # errors of reading a damaged archive or array, or one that is another than it should be
    *(OSError, EOFError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError),
    *(RuntimeError, MemoryError, SyntaxError),  # also NotImplementedError, of a packing that Python does not know
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, tokenize.TokenError),
)


@dataclass(frozen=True)
class WorstExample:
    """An example with a wrong answer.

    Attributes:
        name: A path relative to the folder of the data, or the place in its table or array.
        right: Its class, or the number to predict.
        answer: The class that it was taken for, or the predicted number.
        probability: That of this class; None with numbers.
    """

    name: str
    right: str | float
    answer: str | float
    probability: float | None = None


class UnreadablePredictionsError(Exception):
    """A file of answers that is damaged, or was not written by tunefront."""


def read_worst(model_path: Path) -> list[WorstExample]:
    """Return the examples that a model gets most wrong, the worst first, as the trial's process ranked them.

    Raises:
        FileNotFoundError: If there is no file of its answers beside the model.
        UnreadablePredictionsError: If the file cannot be read; objects of Python's own are never loaded from it.
    """
    path = model_path.with_suffix(PREDICTIONS)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return _worst(arrays)
    except FileNotFoundError:
        raise
    except _UNREADABLE as error:
        raise UnreadablePredictionsError(f"{path} cannot be read: {error}") from None


def _worst(arrays: Mapping[str, NDArray[Any]]) -> list[WorstExample]:
    worst, names, labels = arrays["worst"], arrays["names"], arrays["labels"]
    if "numbers" in arrays:
        numbers = arrays["numbers"]
        return [WorstExample(str(names[row]), float(labels[row]), float(numbers[row])) for row in worst]
    class_names = [str(name) for name in arrays["class_names"]]
    probabilities = arrays["probabilities"][worst].astype(np.float64)
    # An earlier tunefront stored only rounded probabilities, of which the largest may be another one.
    chosen = arrays["chosen"][worst] if "chosen" in arrays else probabilities.argmax(axis=1)
    found = []
    for row, given, taken in zip(worst, probabilities, chosen.tolist(), strict=True):
        answer = class_names[taken] if taken < len(class_names) else "no class"
        found.append(WorstExample(str(names[row]), class_names[labels[row]], answer, float(given[taken])))
    return found
