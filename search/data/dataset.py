"""A prepared dataset on disk: arrays that every trial maps into memory, read-only."""

from __future__ import annotations

import functools
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.chance import Chance
from tunefront.objectives.measures import Task
from tunefront.search.data.chance import chances, number_chances
from tunefront.search.data.codes import fitted, recoded
from tunefront.search.data.example_names import read_names
from tunefront.spaces.columns.column import Column

# Errors of opening damaged facts or arrays. NumPy takes any file that begins like an archive for one.
UNREADABLE_ARRAY = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)


@functools.lru_cache(maxsize=12)
def opened(folder: str, name: str) -> NDArray[Any]:
    """Map ``images``, ``labels`` or ``folds`` of a prepared dataset into memory, once in a process.

    Code that makes the files again must call ``opened.cache_clear()``.
    """
    array: NDArray[Any] = np.load(Path(folder) / f"{name}.npy", mmap_mode="r")
    return array


@dataclass(frozen=True)
class Split:
    """The examples of a split: values of shape (n, ...) and labels of shape (n,): integers, or numbers as float32.

    Images are pixels from 0 to 255 as uint8, of shape (n, height, width, channels); other values are float32.
    """

    images: NDArray[Any]
    labels: NDArray[Any]

    def part(self, n: int | None) -> Split:
        """Return `n` examples, drawn without a class in mind and always the same ones; all of them if n is None."""
        if n is None or n >= len(self.labels):
            return self
        rows = np.sort(np.random.default_rng(0).permutation(len(self.labels))[:n])  # sorted: files are read forwards
        return Split(self.images[rows], self.labels[rows])


@dataclass(frozen=True)
class Dataset:
    """Facts of a prepared dataset; :meth:`split` opens its arrays.

    Attributes:
        folder: The folder of the arrays.
        source: The kind of source that it comes from.
        fingerprint: A digest of all images, labels and splits (SHA-256, shortened).
        image_shape: The shape of one image, or of the values of one example.
        n_train: The number of training examples; with folds, while fold 0 validates. The same holds for
            `n_validation`.
        folds: The number of folds; 0 means one validation split instead.
        outputs: The number of a network's outputs, if it is more than there are classes: the last ones name no class; 0
            for one a class.
        positive_class: Number of the class that binary measures look for, and whose probability one sigmoid unit is.
        value_range: The smallest and the largest value of the training images; None for data that was prepared before
            this was noted.
        value_type: ``uint8`` for pixels, else ``float32``; None for data that was prepared before this was noted.
        bit_depth: The bits used in files of 16 bits a channel, of which the upper 8 are the pixels; None without such
            files.
        notes: Texts on what was noticed or left out, with the number of examples.
        columns: The columns of a table, in the order of its values, with the categories that occur in training, with
            folds in that of some fold; empty for other data.
        task: What labels are: numbers of classes, or with ``regression`` numbers to predict, as float32; there are no
            classes then.
        split_by: How examples were divided; with ``time`` each fold trains on what lies before it, without the `gap`.
        gap: Examples that are left out before each border of a split by time.
        digests: What differs where the fingerprint does, see :func:`content_digests`; empty for data that was prepared
            before this was noted.
    """

    folder: str
    source: str
    fingerprint: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, ...]
    n_train: int
    n_validation: int
    n_test: int
    folds: int = 0
    positive_class: int = 1
    value_range: tuple[float, float] | None = None
    value_type: str | None = None
    bit_depth: int | None = None
    notes: Mapping[str, int] = field(default_factory=dict)
    outputs: int = 0
    columns: tuple[Column, ...] = ()
    task: Task = "classification"
    split_by: Literal["random", "time"] = "random"
    gap: int = 0
    digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def n_classes(self) -> int:
        return len(self.class_names)

    @property
    def n_outputs(self) -> int:
        """The number of outputs of a network: one number, or the classes in their order, then those that name none."""
        return 1 if self.task == "regression" else max(self.outputs, self.n_classes)

    @property
    def n_search(self) -> int:
        """The number of examples that are not for the test; a split by time with folds has some that fold 0 lacks."""
        return len(opened(self.folder, "labels")) - self.n_test if self.folds else self.n_train + self.n_validation

    @property
    def example_word(self) -> str:
        """What an example is called in messages."""
        return "row" if self.columns else "example" if self.task == "regression" else "image"

    def split(self, name: str, fold: int = 0) -> Split:
        """Return the split ``"train"``, ``"validation"`` or ``"test"``, mapped into memory.

        With folds, ``"validation"`` is fold number `fold` and ``"train"`` all others, which are copied
        into memory, or what lies before it in time; without, `fold` is 0. The codes of a table's categories are those
        of this fold's training.

        Raises:
            IndexError: If there is no such fold.
            KeyError: If there is no such split.
        """
        rows = self.rows(name, fold)
        values = opened(self.folder, "images")[rows]
        if self.columns and self.folds:
            values = recoded(values, self.columns, self.columns_in(fold))
        return Split(values, opened(self.folder, "labels")[rows])

    def split_of(self, features: NDArray[Any], name: str, fold: int = 0) -> Split:
        """Return a split with what was made of all examples, in the order of the arrays, in place of their values."""
        rows = self.rows(name, fold)
        return Split(features[rows], opened(self.folder, "labels")[rows])

    def with_validation_trained(self) -> Dataset:
        """Return the same data with all examples that are not for the test in training, and none to validate on.

        Examples that a gap in time left out of a single validation split stay out. A table's categories are those that
        occurred in training; with folds, in that of some fold.
        """
        return replace(self, n_train=self.n_search, n_validation=0, folds=0)

    def columns_in(self, fold: int = 0) -> tuple[Column, ...]:
        """Return the columns with the categories that occur in this fold's training, whose codes :meth:`split` has."""
        if not self.columns or not self.folds:
            return self.columns
        return fitted(self.columns, opened(self.folder, "images")[self.rows("train", fold)])

    def hold(self) -> None:
        """Open all arrays, so that this process has them even if somebody removes the files."""
        for name in ("images", "labels", *(("folds",) if self.folds else ())):
            opened(self.folder, name)

    def rows(self, name: str, fold: int = 0) -> slice | NDArray[np.int64]:
        """Return the rows of a split in the arrays: a slice if they are one piece, which then needs no copy."""
        if not 0 <= fold < max(self.folds, 1):
            raise IndexError(f"there is no fold {fold}: the dataset has {self.folds}")
        n_search = self.n_search
        if self.folds and name in ("train", "validation"):
            is_validation = opened(self.folder, "folds") == fold
            if self.split_by == "time":
                first, last = np.flatnonzero(is_validation)[[0, -1]].tolist()
                return slice(first, last + 1) if name == "validation" else slice(0, first - self.gap)
            return np.flatnonzero(is_validation if name == "validation" else ~is_validation)
        return {
            "train": slice(0, self.n_train),
            "validation": slice(self.n_train, n_search),
            "test": slice(n_search, n_search + self.n_test),
        }[name]

    def names(self, name: str, fold: int = 0) -> list[str]:
        """Return the name of each example of a split: a path relative to the data's folder, ``x_train[17]``.

        Of data that an older tunefront prepared it is the place in the split: ``validation[17]``.
        """
        rows = self.places(name, fold)
        known = read_names(Path(self.folder))
        return [f"{name}[{place}]" for place in range(len(rows))] if known is None else [known[row] for row in rows]

    def places(self, name: str, fold: int = 0) -> NDArray[np.int64]:
        """Return the rows of a split in the arrays, as numbers."""
        every = np.arange(len(opened(self.folder, "labels")))
        found: NDArray[np.int64] = every[self.rows(name, fold)]
        return found

    def class_counts(self, name: str, fold: int = 0) -> NDArray[np.int64]:
        """Count the images of each class in a split, shape (classes,). It reads only labels, also of the test split."""
        return np.bincount(opened(self.folder, "labels")[self.rows(name, fold)], minlength=self.n_classes)

    def numbers(self, name: str, fold: int = 0) -> NDArray[np.float64]:
        """Return the numbers to predict of a split, shape (n,). It reads only labels."""
        return np.asarray(opened(self.folder, "labels")[self.rows(name, fold)], dtype=np.float64)

    def facts(self) -> dict[str, object]:
        """Return the facts for the store: all but the folder, which is this machine's, and the scores of guessing."""
        found = {
            measure: {"score": chance.score, "standard_error": chance.standard_error}
            for measure, chance in self._chances().items()
        }
        return {
            **asdict(self),
            "n_classes": self.n_classes,
            "folder": None,
            "chances": found,
            "example": self.example_word,
        }

    def _chances(self) -> dict[str, Chance]:
        folds = range(max(self.folds, 1))
        if self.task == "regression":
            return number_chances(np.concatenate([self.numbers("validation", fold) for fold in folds]))
        return chances(np.sum([self.class_counts("validation", fold) for fold in folds], axis=0), self.positive_class)

    @classmethod
    def read(cls, folder: Path) -> Dataset:
        """Open what :func:`tunefront.search.data.prepare` wrote."""
        data = json.loads((folder / "dataset.json").read_text())
        data["class_names"] = tuple(data["class_names"])
        data["image_shape"] = tuple(data["image_shape"])
        data["columns"] = tuple(
            Column(**{**column, "vocabulary": tuple(column["vocabulary"])}) for column in data.get("columns", ())
        )
        data["value_range"] = tuple(data["value_range"]) if data.get("value_range") else None
        return cls(folder=str(folder), **data)
