"""Facts about a prepared dataset: counts, sizes, values and copies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from tunefront.search.data.inspection.column_facts import ColumnFacts


@dataclass(frozen=True)
class ClassCount:
    """The number of examples of a class in each split."""

    name: str
    train: int
    validation: int
    test: int

    @property
    def total(self) -> int:
        return self.train + self.validation + self.test


@dataclass(frozen=True)
class NumberRange:
    """The numbers to predict in a split.

    Attributes:
        deviation: Their standard deviation.
        quartiles: The first quartile, the median and the third quartile.
        counts: Numbers in each of ten parts of equal width, from the least number of all splits to the largest.
    """

    split: str
    n: int
    least: float
    largest: float
    mean: float
    deviation: float
    quartiles: tuple[float, float, float]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Copies:
    """Counts of examples with exactly the same values as another one.

    Attributes:
        within: Split -> how many examples could be removed without losing a content.
        across: Two splits -> how many contents are in both.
        n_contradictory: Examples whose content also has another class.
    """

    within: Mapping[str, int]
    across: Mapping[str, int]
    n_contradictory: int


@dataclass(frozen=True)
class OriginalSizes:
    """Height and width of image files before they were decoded to one size; the smallest and largest by area.

    Attributes:
        median: The median height and the median width.
        n_measured: The number of measured files; of very many `n_files`, only evenly spread ones are measured.
    """

    smallest: tuple[int, int]
    median: tuple[int, int]
    largest: tuple[int, int]
    n_measured: int
    n_files: int


@dataclass(frozen=True)
class DataReport:
    """Facts about a prepared dataset.

    Attributes:
        image_shape: Height, width and channels, or the shape of other values.
        value_type: ``uint8`` for pixels, else ``float32``.
        value_range: The smallest and the largest of all values; None for a table of columns.
        n_constant: Examples whose values are all the same, such as black images.
        folds: The number of folds; 0 for none. With folds, the validation split is fold 0.
        original_sizes: Sizes of the image files; None if the source has none.
        notes: Texts on what was noticed or left out in preparing, with the number of examples.
        numbers: The numbers to predict in each split that has some; empty for classes, as `classes` is for numbers.
        split_by: How examples were divided: ``random``, or by ``time``.
        columns: Facts about the columns of a table; empty for other data.
    """

    source: str
    folder: str
    fingerprint: str
    image_shape: tuple[int, ...]
    value_type: str
    value_range: tuple[float, float] | None
    n_constant: int
    folds: int
    splits: Mapping[str, int]
    classes: tuple[ClassCount, ...]
    copies: Copies
    original_sizes: OriginalSizes | None
    notes: Mapping[str, int]
    numbers: tuple[NumberRange, ...] = ()
    split_by: str = "random"
    columns: tuple[ColumnFacts, ...] = ()

    @property
    def most_frequent(self) -> ClassCount:
        return max(self.classes, key=lambda found: found.total)

    @property
    def least_frequent(self) -> ClassCount:
        return min(self.classes, key=lambda found: found.total)

    @property
    def imbalance(self) -> float:
        """The number of examples of the most frequent class, divided by that of the least frequent one."""
        return self.most_frequent.total / self.least_frequent.total

    def as_json(self) -> dict[str, Any]:
        """Return plain data for programs."""
        if self.numbers:
            return asdict(self)
        derived = {
            "most_frequent_class": self.most_frequent.name,
            "least_frequent_class": self.least_frequent.name,
            "imbalance": self.imbalance,
        }
        return {**asdict(self), **derived}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DataReport:
        """Return the report that :meth:`as_json` made."""
        report: DataReport = TypeAdapter(cls).validate_python({name: data[name] for name in cls.__dataclass_fields__})
        return report


_FEW_IMAGES = 100  # validation images; with fewer, one image is more than a point of accuracy


def describe_few(n_validation: int, what: str = "image") -> str:
    """Return a text on how coarse the accuracy of few validation images is; empty if they are many.

    Args:
        what: What an example is.
    """
    if n_validation >= _FEW_IMAGES or not n_validation:
        return ""
    images = f"validation {what}s: one of them" if n_validation > 1 else f"validation {what}: it"
    return f"{n_validation} {images} is {100 / n_validation:.1f} points of accuracy"
