"""The classes of records that have a number, a text, or both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.examples import DataError


class RecordLabel(NamedTuple):
    """The class of a record, as the record states it.

    Attributes:
        number: The number of the class; None if there is none.
        text: The name of the class; empty if there is none.
    """

    number: int | None
    text: str


def number_classes(
    labels: Sequence[RecordLabel], names: Sequence[str], names_by_number: Mapping[int, str]
) -> tuple[NDArray[np.int64], list[str]]:
    """Return labels of shape (n,), and the names of the occurring classes, into which they are indices.

    Args:
        names: The names of the records, for messages.
        names_by_number: Number -> name of the class; empty if that is not known.

    Raises:
        DataError: If records contradict each other or `names_by_number`.
    """
    if all(label.number is not None for label in labels):
        known = dict(names_by_number) or _names_from_texts(labels, names)
        numbers = np.array([label.number for label in labels], dtype=np.int64)
        found, indices = np.unique(numbers, return_inverse=True)
        for number in found.tolist():
            if number not in known:
                name = names[numbers.tolist().index(number)]
                raise DataError(f"{name}: its class is {number}, and labels.txt names no such class: add it there")
        return indices.astype(np.int64), [known[number] for number in found.tolist()]
    for label, name in zip(labels, names, strict=True):
        if not label.text:
            raise DataError(f"{name}: has its class as a number, and others have theirs as text: give all the same")
    texts, indices = np.unique(np.array([label.text for label in labels], dtype=object), return_inverse=True)
    return indices.astype(np.int64), texts.tolist()


def _names_from_texts(labels: Sequence[RecordLabel], names: Sequence[str]) -> dict[int, str]:
    """Return the name of each number: its text, or the number itself if there are no texts.

    If several numbers have one text, the number follows it: ImageNet has two cranes.
    """
    found: dict[int, str] = {}
    for label, name in zip(labels, names, strict=True):
        number = int(label.number or 0)
        first = found.setdefault(number, label.text)
        if first != label.text:
            raise DataError(
                f"{name}: class {number} is {label.text!r} here and {first!r} in an earlier record: "
                "give all records of a class the same text, or none"
            )
    n_numbers = Counter(found.values())
    return {
        number: text if text and n_numbers[text] == 1 else f"{text} {number}".strip() for number, text in found.items()
    }
