"""An array of NumPy in a file: one example, or several behind one another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.decoding.pixel_scale import as_pixels
from tunefront.search.data.examples import DataError, reading_problem
from tunefront.search.data.sources.arrays import checked_values
from tunefront.search.data.sources.npz_file import READING_ERRORS, array_names, read_npz
from tunefront.search.prediction.examples import UnseenExample
from tunefront.search.prediction.prediction_card import InputCard
from tunefront.search.system.regular_files import open_file

_USUAL_NAMES = ("x", "x_test", "images")


@dataclass(frozen=True)
class ArrayInput:
    """A ``.npy`` file, or a ``.npz`` file with one array, or with one called x, x_test or images."""

    name: str
    path: Path
    card: InputCard

    def examples(self) -> Iterator[UnseenExample]:
        """Yield each example; a file that cannot be used is one example with its problem."""
        try:
            batch, is_one = self._batch()
        except DataError as error:
            why = str(error).removeprefix("data.path: ").removeprefix(str(self.path)).removeprefix(":").lstrip()
            yield UnseenExample(self.name, problem=why)
            return
        for place, example in enumerate(batch):
            name = self.name if is_one else f"{self.name}[{place}]"
            try:
                yield UnseenExample(name, self._values(example))
            except DataError as error:
                yield UnseenExample(name, problem=str(error))

    def _batch(self) -> tuple[NDArray[Any], bool]:
        """Return examples of the model's shape, and whether the file holds a single one without an axis of examples."""
        shape = self.card.example_shape
        array = self._array()
        if shape[-1:] == (1,) and shape[:-1] in (array.shape, array.shape[1:]):
            array = array[..., np.newaxis]  # grey images without an axis of channels
        if shape not in (array.shape, array.shape[1:]):
            found, wanted = (" x ".join(map(str, each)) or "one number" for each in (array.shape, shape))
            raise DataError(f"has shape {found}, and the model takes {wanted}, or several of them")
        if not array.size:
            raise DataError("has no example in it")
        are_fractions = array.dtype.kind == "f" and 0 < float(array.max()) <= 1
        if self.card.are_pixels and not self.card.scale_of_source and are_fractions:
            raise DataError("has values up to 1, and the model takes pixels from 0 to 255: multiply by 255")
        is_one = array.shape == shape
        return (array[np.newaxis] if is_one else array), is_one

    def _values(self, example: NDArray[Any]) -> NDArray[Any]:
        """Return an example as the model takes it, as in training."""
        values = checked_values(np.array(example)[np.newaxis], "its array")
        scale = self.card.scale_of_source
        try:
            values = as_pixels(values, scale, "")
        except DataError:
            raise DataError(
                f"has values that are not on the scale {scale}, on which those of the training were"
            ) from None
        return values.reshape(self.card.example_shape)

    def _array(self) -> NDArray[Any]:
        if self.path.suffix.lower() == ".npz":
            names = array_names(self.path)
            name = next((name for name in (*names[: len(names) == 1], *_USUAL_NAMES) if name in names), None)
            if name is None:
                raise DataError(f"has the arrays {', '.join(names) or 'none'}: call the one to use x")
            return read_npz(self.path, lambda other: other == name)[name]
        try:
            open_file(self.path).close()  # NumPy would wait for the writer of a pipe
            # Mapped into memory, because a header may promise more than there is memory.
            array: Any = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror or error}") from None
        except (*READING_ERRORS, SyntaxError, ArithmeticError) as error:
            raise DataError(f"is no array of NumPy that can be read: {reading_problem(error)}") from None
        if isinstance(array, np.ndarray):
            return array
        array.close()
        raise DataError("is an archive of arrays (.npz) under another name: call it .npz")
