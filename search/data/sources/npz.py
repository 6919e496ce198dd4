"""Arrays in one .npz file of NumPy: images, or features of any shape."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tunefront.search.data.examples import SPLIT_WORDS, DataError, Examples, SplitName
from tunefront.search.data.sources.arrays import examples_of_arrays
from tunefront.search.data.sources.npz_file import array_names, check_npz, read_npz
from tunefront.search.data.sources.source import ArraySource
from tunefront.search.system.regular_files import user_path


class NpzSource(ArraySource):
    """The source of arrays ``x`` and ``y``, or ``x_train``, ``y_train`` and so on, and ``class_names`` for numbers.

    Attributes:
        path: The path of a file that ``numpy.savez`` wrote, without pickled objects.
    """

    has_numbers: ClassVar[bool] = True
    has_order: ClassVar[bool] = True

    source: Literal["npz"]
    path: str

    def check_files(self) -> None:
        check_npz(user_path(self.path), _is_wanted)

    def find(self) -> Examples:
        path = user_path(self.path)
        arrays = read_npz(path, _is_wanted)
        present = f"there are {', '.join(array_names(path)) or 'no arrays'}"
        parts: list[tuple[SplitName | None, str, Any, Any]] = []
        for name, split in [("x", None), *((f"x_{word}", split) for word, split in SPLIT_WORDS.items())]:
            if name in arrays:
                labels = f"y{name[1:]}"
                if labels not in arrays:
                    raise DataError(f"{path}: has {name}, but not its labels {labels}: {present}")
                parts.append((split, name, arrays[name], arrays[labels]))
        splits = [part[0] for part in parts]
        if splits != [None] and "train" not in splits:
            raise DataError(
                f"{path}: needs arrays x and y, or x_train and y_train, and others for validation and test: {present}"
            )
        if len(set(splits)) < len(splits) or (None in splits and len(splits) > 1):
            raise DataError(f"{path}: has a split twice, or x beside x_train: {present}")
        return examples_of_arrays(str(path), parts, arrays.get("class_names"), self.scale, self.task)


def _is_wanted(name: str) -> bool:
    kind, _, split = name.partition("_")
    return name == "class_names" or (kind in ("x", "y") and (not split or split in SPLIT_WORDS))
