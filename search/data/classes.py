"""The classes that a spec names: those to use, and the positive one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tunefront.mistakes import nearest
from tunefront.search.data.examples import DataError, Examples

_MAX_NAMED = 5


def tidied(examples: Examples) -> Examples:
    """Return the examples without white space around class names; classes that then share a name become one."""
    names = [str(name).strip() for name in examples.class_names]
    if names == list(examples.class_names):
        return examples
    kept = list(dict.fromkeys(names))
    numbers = np.array([kept.index(name) for name in names], dtype=np.int64)
    return replace(examples, labels=numbers[examples.labels], class_names=kept)


def note_similar_names(class_names: Sequence[str]) -> dict[str, int]:
    """Count the classes whose names differ from another class's only in upper and lower case."""
    by_letters: dict[str, list[str]] = {}
    for name in class_names:
        by_letters.setdefault(name.casefold(), []).append(name)
    alike = [names for names in by_letters.values() if len(names) > 1]
    if not alike:
        return {}
    shown = ", ".join(" and ".join(names) for names in alike[:_MAX_NAMED])
    return {f"classes are called like another one but for case: {shown}": sum(map(len, alike))}


def with_classes(examples: Examples, classes: Sequence[str]) -> Examples:
    """Return the examples of the named classes, in the order of the names; without names, those of every class found.

    Names have no white space around them: see :func:`tidied`.

    Raises:
        DataError: If there is no such class, it is named twice, has no example, or fewer than two are left.
    """
    examples, classes = tidied(examples), [name.strip() for name in classes]
    twice = [name for place, name in enumerate(classes) if name in classes[:place]]
    if twice:
        raise DataError(f"data.classes: names {twice[0]!r} twice, but for white space: leave one of them out")
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
        examples = replace(examples, labels=numbers[examples.labels], class_names=list(classes))
    if len(examples.class_names) < 2:
        raise DataError(
            f"data: there is one class only ({', '.join(examples.class_names) or 'none at all'}), and nothing to "
            "tell apart: give two or more"
        )
    return examples


def check_n_classes(n_classes: int | None, n_present: int) -> None:
    """Refuse a number of classes below that of the classes there are.

    Raises:
        DataError: Names both.
    """
    if n_classes is not None and n_classes < n_present:
        raise DataError(
            f"data.n_classes: {n_classes} is fewer than the {n_present} classes of the data: write {n_present} or "
            "more, or name fewer in data.classes"
        )


def positive_class(name: str, class_names: Sequence[str]) -> int:
    """Return the index of the class that binary metrics look for; that of the second class if `name` is empty.

    Raises:
        DataError: If there is no such class.
    """
    name = name.strip()
    if not name:
        return 1
    if name not in class_names:
        raise DataError(f"data.positive_class: there is no class {name!r}. {nearest(name, class_names)}")
    return list(class_names).index(name)
