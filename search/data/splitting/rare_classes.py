"""Classes of too few examples, and what the source says about them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.examples import DataError, Examples, some_of
from tunefront.search.data.sources.source import Source
from tunefront.search.data.splitting.splits import LEFT_OUT, TRAIN, Shares

EXAMPLES = "different examples"
_MAX_NAMED = 5


def rare_classes(
    labels: NDArray[np.int64], shares: Shares, examples: Examples, source: Source, unit: str = EXAMPLES
) -> list[int]:
    """Return the numbers of the classes that have too few different examples, or groups, for the wanted splits.

    With ``rare_classes = "train"`` only a single example is too few, because of two, one is for training and one for
    validation. Otherwise each class must be in every split.

    Args:
        labels: Labels of the different examples that are to be split; for groups, one label for each class in each.
        unit: The name of what is counted, for messages.

    Raises:
        DataError: If there are rare classes and the source says nothing about them, or fewer than two classes are
            left.
    """
    n_needed = min(2, len(shares.parts)) if source.rare_classes == "train" else len(shares.parts)
    counts = np.bincount(labels, minlength=len(examples.class_names))
    rare = [label for label in range(len(counts)) if counts[label] < n_needed and (examples.labels == label).any()]
    n_left = len(examples.class_names) - len(rare)
    if not rare or (source.rare_classes != "error" and n_left >= 2):
        return rare
    lines = [_describe_rare(label, int(counts[label]), examples, unit) for label in rare]
    remedy = (
        'give more, leave them out with rare_classes = "drop", or train on them with rare_classes = "train", which '
        "validates what it can"
        if n_left >= 2
        else f"only {n_left} classes have enough, and two are needed: give more"
    )
    fewer = ". Fewer folds, or test_fraction = 0, need fewer" if shares.folds or shares.test else ""
    raise DataError(
        f"data: {len(rare)} classes have too few {unit} to be in each of {len(shares.parts)} splits: {remedy}{fewer}:\n"
        f"{some_of(lines)}"
    )


def _describe_rare(label: int, count: int, examples: Examples, unit: str) -> str:
    n_examples = int((examples.labels == label).sum())
    are_copies = unit == EXAMPLES and n_examples > count
    copies = f" of {n_examples}: the others are copies, of other classes too" if are_copies else ""
    return f"{examples.class_names[label]}: {count}{copies}"


def note_unreadable(before: Examples, after: Examples, source: Source) -> dict[str, int]:
    """Note the classes that have no example left because none of their files could be read.

    Raises:
        DataError: If there are such classes and the source does not drop rare classes, if fewer than two classes are
            left, or if nothing is left of a given split.
    """
    for split in sorted(set(before.splits or ()) - set(after.splits or ())):
        raise DataError(
            f"data: no file of the given {split} split can be read: repair them, or take that split away, and it is "
            "taken from the images for training"
        )
    if source.task == "regression":
        return {}
    lost = [label for label in np.unique(before.labels).tolist() if not (after.labels == label).any()]
    if not lost:
        return {}
    n_left = len(np.unique(after.labels))
    if source.rare_classes != "drop" or n_left < 2:
        remedy = f'or leave {"it" if len(lost) == 1 else "them"} out with rare_classes = "drop"'
        raise DataError(
            f"data: no file of {len(lost)} classes can be read: repair them, "
            f"{remedy if n_left >= 2 else 'for two classes are needed'}:\n"
            f"{some_of([f'{before.class_names[label]}: {int((before.labels == label).sum())}' for label in lost])}"
        )
    return {f"classes have no file that can be read, and were left out{named(lost, before)}": len(lost)}


def refuse_untrained(parts: NDArray[np.int64], examples: Examples, source: Source) -> list[int]:
    """Return the numbers of the classes that are given for validation or test alone, which no model can learn.

    Raises:
        DataError: If there are such classes and the source does not drop rare classes: names each, and the class of
            training with the nearest name.
    """
    is_there = parts != LEFT_OUT
    trained = np.unique(examples.labels[parts == TRAIN])
    untrained: list[int] = np.setdiff1d(examples.labels[is_there], trained).tolist()
    if not untrained or (source.rare_classes == "drop" and len(trained) >= 2):
        return untrained
    known = [str(examples.class_names[label]) for label in trained]
    lines = [_describe_untrained(str(examples.class_names[label]), known) for label in untrained]
    raise DataError(
        f"data: {len(untrained)} classes are given for validation or test, and have no example to train on: give "
        f"them the name that they have in training, add some there, or leave them out with data.classes or "
        f'rare_classes = "drop":\n{some_of(lines)}'
    )


def _describe_untrained(name: str, known: Sequence[str]) -> str:
    same = [other for other in known if other.lower().strip() == name.lower().strip()]
    near = same or difflib.get_close_matches(name, known, n=1)
    return f"{name!r}" + (f" (in training there is {near[0]!r})" if near else "")


def named(labels: Sequence[int], examples: Examples) -> str:
    """Return the first names of some classes as the end of a sentence; empty for none."""
    names = [str(examples.class_names[label]) for label in labels]
    if not names:
        return ""
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return f": {', '.join(names[:_MAX_NAMED])}{more}"
