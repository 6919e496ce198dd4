"""Which split each example goes to: given splits, shares of the rest, copies, and classes of too few examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.data.duplicates import groups_of, leaks, n_contradictions
from search.data.examples import DataError, Examples, SplitName, some_of
from search.data.sources.source import Source
from search.data.splits import ALWAYS_TRAIN, LEFT_OUT, TEST, TRAIN, VALIDATION, Shares, divide

_GIVEN: dict[SplitName, int] = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
_NAMES: dict[int, SplitName] = {part: name for name, part in _GIVEN.items()}


@dataclass(frozen=True)
class Division:
    """The part of each example, as in :mod:`search.data.splits`, and counts of what was noticed."""

    parts: NDArray[np.int64]
    notes: dict[str, int]


def divide_examples(examples: Examples, digests: Sequence[str], source: Source, seed: int) -> Division:
    """Assign every example.

    Raises:
        DataError: If an example is in two given splits, or a class has too few examples for every split,
            and the source does not say what to do about it.
    """
    groups = groups_of(digests)
    notes = {
        "examples are exact copies of others": len(groups) - len(np.unique(groups)),
        "examples have the content of another one, but not its class": n_contradictions(groups, examples.labels),
    }
    parts = np.full(len(groups), TRAIN, dtype=np.int64)
    if examples.splits is not None:
        parts = np.array([_GIVEN[split] for split in examples.splits], dtype=np.int64)
        if source.folds:
            parts[parts == VALIDATION] = TRAIN
        splits: list[SplitName] = [_NAMES[int(part)] for part in parts]
        leaked = leaks(groups, splits, examples.names, source.on_leak)
        parts[leaked] = LEFT_OUT
        notes["examples were left out, because another split has them too"] = len(leaked)
        for name, part in _GIVEN.items():
            if part in parts:
                absent = np.setdiff1d(examples.labels, examples.labels[parts == part])
                notes[f"classes have no example in the given {name} split"] = len(absent)
    parts, found = _with_shares(parts, examples, groups, source, seed)
    return Division(parts, {what: count for what, count in {**notes, **found}.items() if count})


def _with_shares(
    parts: NDArray[np.int64], examples: Examples, groups: NDArray[np.int64], source: Source, seed: int
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Split off what is not given, setting classes aside that have too few examples for that."""
    has = set(parts.tolist())
    shares = Shares(
        validation=0 if VALIDATION in has or source.folds else source.validation_fraction,
        test=0 if TEST in has else source.test_fraction,
        folds=source.folds,
    )
    labels = examples.labels
    rare: set[int] = set()
    # One example stands for all its copies: they follow it, so that none is on both sides.
    pool = np.array([row for row in _firsts(groups, parts) if parts[row] == TRAIN], dtype=np.int64)
    while True:
        rare |= _scarce(labels[pool], len(shares.parts), examples, rare)
        _refuse(rare, labels, pool, examples, source)
        chosen = pool[~np.isin(labels[pool], sorted(rare))]
        assigned = divide(labels[chosen], shares, seed)
        missing = {
            int(label)
            for part in shares.parts
            for label in np.setdiff1d(labels[chosen], labels[chosen][assigned == part])
        }
        if not missing:
            break
        rare |= missing
    training = ALWAYS_TRAIN if source.folds else TRAIN
    of_group = dict(zip(groups[chosen].tolist(), assigned.tolist(), strict=True))
    divided = np.array(
        [
            of_group.get(int(group), training) if part == TRAIN else part
            for group, part in zip(groups, parts, strict=True)
        ],
        dtype=np.int64,
    )
    is_rare = np.isin(labels, sorted(rare)) & (divided != LEFT_OUT)
    if source.rare_classes == "drop":
        divided[is_rare] = LEFT_OUT
        return divided, {"examples of classes with too few for every split were left out": int(is_rare.sum())}
    # A copy with the label of another class stays with the others of its content.
    is_rare &= ~np.isin(groups, groups[~np.isin(labels, sorted(rare))])
    divided[is_rare] = training
    what = "examples of classes with too few for every split were all put into the training split"
    return divided, {what: int(is_rare.sum())}


def _firsts(groups: NDArray[np.int64], parts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first row of each content, among those that are still to be split."""
    rows = np.flatnonzero(parts == TRAIN)
    _, firsts = np.unique(groups[rows], return_index=True)
    return np.sort(rows[firsts])


def _scarce(pool_labels: NDArray[np.int64], n_parts: int, examples: Examples, known: set[int]) -> set[int]:
    counts = np.bincount(pool_labels, minlength=len(examples.class_names))
    return {label for label in range(len(counts)) if label not in known and counts[label] < n_parts}


def _refuse(
    rare: set[int], labels: NDArray[np.int64], pool: NDArray[np.int64], examples: Examples, source: Source
) -> None:
    """Raise if there are rare classes that the source says nothing about, or nothing but them."""
    n_left = len(examples.class_names) - len(rare)
    if not rare or (source.rare_classes != "error" and n_left >= 2):
        return
    counts = np.bincount(labels[pool], minlength=len(examples.class_names))
    lines = [f"{examples.class_names[label]}: {counts[label]}" for label in sorted(rare)]
    remedy = (
        'give more, leave them out with rare_classes = "drop", or train on them without scores with '
        'rare_classes = "train"'
        if n_left >= 2
        else f"only {n_left} classes have enough, and two are needed: give more examples"
    )
    raise DataError(f"data: classes with too few different examples to be in every split: {remedy}:\n{some_of(lines)}")
