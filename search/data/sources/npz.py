"""Arrays in one .npz file of numpy's: images, or features of any shape."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any, Literal

from search.data.arrays import examples_of_arrays
from search.data.examples import SPLIT_WORDS, DataError, Examples, SplitName
from search.data.sources.source import Source


class NpzSource(Source):
    """Arrays ``x`` and ``y``, or ``x_train``, ``y_train`` and so on; ``class_names`` if labels are numbers.

    Attributes:
        path: Of a file that ``numpy.savez`` wrote, without pickled objects.
    """

    source: Literal["npz"]
    path: str

    def find(self) -> Examples:
        path = Path(self.path).expanduser()
        arrays = _read(path)
        parts: list[tuple[SplitName | None, str, Any, Any]] = []
        for name, split in [("x", None), *((f"x_{word}", split) for word, split in SPLIT_WORDS.items())]:
            if name in arrays:
                labels = f"y{name[1:]}"
                if labels not in arrays:
                    raise DataError(f"{path}: has {name}, but not its labels {labels}: {_present(arrays)}")
                parts.append((split, name, arrays[name], arrays[labels]))
        splits = [part[0] for part in parts]
        if splits != [None] and "train" not in splits:
            raise DataError(
                f"{path}: needs arrays x and y, or x_train and y_train, and others for validation and test: "
                f"{_present(arrays)}"
            )
        if len(set(splits)) < len(splits) or (None in splits and len(splits) > 1):
            raise DataError(f"{path}: has a split twice, or x beside x_train: {_present(arrays)}")
        return examples_of_arrays(str(path), parts, arrays.get("class_names"))


def _present(arrays: dict[str, Any]) -> str:
    return f"there are {', '.join(arrays) or 'no arrays'}"


def _read(path: Path) -> dict[str, Any]:
    import numpy as np

    try:
        # allow_pickle would run any code that a file brings along.
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            raise DataError(f"data.path: {path} is one array: write a .npz with numpy.savez(path, x=..., y=...)")
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except FileNotFoundError:
        raise DataError(f"data.path: there is no file {str(path)!r} (looked for in {os.getcwd()})") from None
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        remedy = (
            "it has arrays of objects, which are refused: give them a type of numbers or texts"
            if "allow_pickle=False" in str(error) and zipfile.is_zipfile(path)
            else f"it cannot be read as a .npz file ({error})"
        )
        raise DataError(f"data.path: {path}: {remedy}") from None
