"""The classes that a spec names: which to use, and which one is positive."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from search.data.examples import DataError, Examples
from spaces.settings import nearest


def with_classes(examples: Examples, classes: Sequence[str]) -> Examples:
    """The examples of these classes alone, in the order that they are named in; without names, of all that occur.

    Raises:
        DataError: If there is no such class, it has no example, or fewer than two are left.
    """
    for name in classes:
        if name not in examples.class_names:
            raise DataError(f"data.classes: there is no class {name!r}. {nearest(name, examples.class_names)}")
    counts = np.bincount(examples.labels, minlength=len(examples.class_names))
    empty = [name for name in classes or examples.class_names if not counts[examples.class_names.index(name)]]
    if empty:
        raise DataError(
            f"data: the class {empty[0]!r} has no example: add some, or name only the others in data.classes"
        )
    if classes:
        numbers = np.full(len(examples.class_names), -1, dtype=np.int64)
        for number, name in enumerate(classes):
            numbers[examples.class_names.index(name)] = number
        rows = np.flatnonzero(numbers[examples.labels] >= 0)
        examples = examples.take(rows)
        examples = Examples(examples.names, numbers[examples.labels], list(classes), examples.content, examples.splits)
    if len(examples.class_names) < 2:
        raise DataError(
            f"data: there is one class only ({', '.join(examples.class_names) or 'none at all'}), and nothing to "
            "tell apart: give two or more"
        )
    return examples


def positive_class(name: str, class_names: Sequence[str]) -> int:
    """Index of the class that binary metrics look for; the second one without a name.

    Raises:
        DataError: If there is no such class.
    """
    if not name:
        return 1
    if name not in class_names:
        raise DataError(f"data.positive_class: there is no class {name!r}. {nearest(name, class_names)}")
    return list(class_names).index(name)
