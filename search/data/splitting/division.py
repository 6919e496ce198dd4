"""The division of examples into splits: given splits, shares of the rest, copies, and classes of too few examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.examples import DataError, Examples, SplitName
from tunefront.search.data.sources.source import Source
from tunefront.search.data.splitting.duplicates import groups_of, leaks, n_contradictions
from tunefront.search.data.splitting.group_splits import divide_groups, joined, refuse_split_groups
from tunefront.search.data.splitting.rare_classes import named, rare_classes, refuse_untrained
from tunefront.search.data.splitting.splits import (
    LEFT_OUT,
    TEST,
    TRAIN,
    TRAIN_IN_EVERY_FOLD,
    VALIDATION,
    Shares,
    divide,
    strata,
)
from tunefront.search.data.splitting.time_splits import divide_by_time, note_copies

_PART_BY_SPLIT: dict[SplitName, int] = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
_NUMBERS = "numbers"  # the one class that numbers to predict are all of
_SPLIT_BY_PART: dict[int, SplitName] = {part: name for name, part in _PART_BY_SPLIT.items()}
_EQUAL = "examples have the same values as another one, and count as examples of their own"


@dataclass(frozen=True)
class Division:
    """The part of each example, as in :mod:`tunefront.search.data.splitting.splits`, and counts of what was noticed."""

    parts: NDArray[np.int64]
    notes: dict[str, int]


def divide_examples(examples: Examples, digests: Sequence[str], source: Source, seed: int) -> Division:
    """Assign every example to a part.

    Raises:
        DataError: If an example is in two given splits, or a class has too few examples for every split,
            and the source does not say what to do about it.
    """
    groups = groups_of(digests)
    copies = "examples are exact copies of others" if source.joins_copies else _EQUAL
    label = "class" if source.task == "classification" else "number"
    notes = {
        copies: len(groups) - len(np.unique(groups)),
        f"examples have the content of another one, but not its {label}": n_contradictions(groups, examples.labels),
    }
    if not source.joins_copies:
        groups = np.arange(len(groups))
    if source.task == "regression":  # what is below knows classes, and all numbers are of one
        numbers = examples.labels
        examples = replace(examples, labels=np.zeros(len(groups), dtype=np.int64), class_names=[_NUMBERS])
    parts = np.full(len(groups), TRAIN, dtype=np.int64)
    if examples.splits is not None:
        parts, found = _given_parts(examples.splits, examples, groups, source)
        notes |= found
    shares = _shares(parts, source)
    if source.split == "time":
        parts, found = divide_by_time(parts, examples, source, shares)
        notes |= note_copies(groups, parts)
    elif source.task == "regression" and examples.groups is None:
        parts, found = _with_strata(parts, numbers, groups, shares, seed)
    else:
        parts, found = _with_shares(parts, examples, groups, source, shares, seed)
    return Division(parts, {what: count for what, count in {**notes, **found}.items() if count})


def _given_parts(
    given: Sequence[SplitName], examples: Examples, groups: NDArray[np.int64], source: Source
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Return the parts that the source gave, which stay whatever happens to rare classes in training."""
    notes: dict[str, int] = {}
    parts = np.array([_PART_BY_SPLIT[split] for split in given], dtype=np.int64)
    if source.folds:
        what = "examples of the given validation split are divided into the folds with those of training"
        notes[what] = int((parts == VALIDATION).sum())
        parts[parts == VALIDATION] = TRAIN
    splits: list[SplitName] = [_SPLIT_BY_PART[int(part)] for part in parts]
    if examples.groups is not None:
        refuse_split_groups(examples.groups, splits)
    leaked = leaks(groups, splits, examples.names, source.on_leak)
    parts[leaked] = LEFT_OUT
    notes["examples were left out, because another split has them too"] = len(leaked)
    for name, part in _PART_BY_SPLIT.items():
        if part in parts:
            absent = np.setdiff1d(examples.labels, examples.labels[parts == part])
            notes[f"classes have no example in the given {name} split"] = len(absent)
    untrained = refuse_untrained(parts, examples, source)
    given_parts = set(parts.tolist())
    parts[np.isin(examples.labels, untrained)] = LEFT_OUT
    for name, part in _PART_BY_SPLIT.items():
        if part in given_parts and part not in parts:
            raise DataError(
                f"data: none of the classes of the given {name} split has an example to train on: give classes the "
                f"same names in every split"
            )
    notes[f"classes have no example to train on, and were left out{named(untrained, examples)}"] = len(untrained)
    return parts, notes


def _shares(parts: NDArray[np.int64], source: Source) -> Shares:
    """Return the shares of the splits that are not given."""
    has = set(parts.tolist())
    return Shares(
        validation=0 if VALIDATION in has or source.folds else source.validation_fraction,
        test=0 if TEST in has else source.test_fraction,
        folds=source.folds,
    )


def _with_strata(
    parts: NDArray[np.int64], numbers: NDArray[np.floating], groups: NDArray[np.int64], shares: Shares, seed: int
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Split off the splits that are not given, each with small and large numbers alike; copies stay together."""
    pool = _pool(groups, parts)
    if len(pool) < len(shares.parts):
        raise DataError(
            f"data: {len(pool)} different examples are too few for {len(shares.parts)} splits: give more, or write "
            "fewer folds or test_fraction = 0"
        )
    assigned = divide(strata(numbers[pool], shares), shares, seed)
    return _follow(pool, assigned, parts, groups, TRAIN_IN_EVERY_FOLD if shares.folds else TRAIN), {}


def _with_shares(
    parts: NDArray[np.int64], examples: Examples, groups: NDArray[np.int64], source: Source, shares: Shares, seed: int
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Split off the splits that are not given, setting aside classes that have too few examples for that."""
    labels = examples.labels
    if examples.groups is not None:
        return _with_whole_groups(parts, examples, joined(groups, examples.groups), source, shares, seed)
    pool = _pool(groups, parts)
    rare = rare_classes(labels[pool], shares, examples, source)
    chosen = pool[~np.isin(labels[pool], rare)]
    assigned = divide(labels[chosen], shares, seed)
    training = TRAIN_IN_EVERY_FOLD if source.folds else TRAIN
    divided = _follow(chosen, assigned, parts, groups, training)
    notes = _describe_shares(assigned, labels[chosen], shares)
    is_rare = np.isin(labels, rare) & (divided != LEFT_OUT)
    if source.rare_classes == "drop":
        divided[is_rare] = LEFT_OUT
        what = f"examples of {len(rare)} classes with too few for every split were left out{named(rare, examples)}"
        return divided, {what: int(is_rare.sum()), **notes}
    # If the examples of a rare class are copies of others, they follow these into their splits.
    alone = [label for label in rare if (divided[is_rare & (labels == label)] == training).all()]
    what = f"examples of {len(alone)} classes with too few for two splits are trained on alone{named(alone, examples)}"
    is_rare &= np.isin(labels, alone)
    return divided, {what: int(is_rare.sum()), **notes}


def _with_whole_groups(
    parts: NDArray[np.int64], examples: Examples, groups: NDArray[np.int64], source: Source, shares: Shares, seed: int
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Split off the splits that are not given, in whole groups; a class in too few groups is rare."""
    labels = examples.labels
    pool = np.flatnonzero(parts == TRAIN)
    of_groups = np.unique(np.stack([groups[pool], labels[pool]], axis=1), axis=0)[:, 1]
    rare = rare_classes(of_groups, shares, examples, source, "groups")
    divided = parts.copy()
    if source.rare_classes == "drop":
        divided[np.isin(labels, rare)] = LEFT_OUT
        pool = pool[~np.isin(labels[pool], rare)]
    divided[pool] = divide_groups(labels[pool], groups[pool], shares, seed)
    what = f"examples of {len(rare)} classes in too few groups were left out{named(rare, examples)}"
    notes = {what: int((divided == LEFT_OUT).sum() - (parts == LEFT_OUT).sum())}
    for name, part in (("test", TEST), ("validation", VALIDATION)):
        if part in divided[pool]:
            lacking = np.setdiff1d(labels[pool], labels[pool][divided[pool] == part])
            notes[f"classes have no group in the {name} split"] = len(lacking)
    return divided, notes


def _describe_shares(assigned: NDArray[np.int64], labels: NDArray[np.int64], shares: Shares) -> dict[str, int]:
    """Note if a split that was split off is larger than its share, or lacks classes."""
    notes = {}
    for name, part, share in (("test", TEST, shares.test), ("validation", VALIDATION, shares.validation)):
        if share:
            taken = labels[assigned == part]
            what = f"examples more than its share are in the {name} split, so that each class with enough has one there"
            notes[what] = max(len(taken) - round(share * len(labels)), 0)
            lacking = np.setdiff1d(labels, taken)
            notes[f"classes have too few examples for one in the {name} split"] = len(lacking)
    return notes


def _follow(
    chosen: NDArray[np.int64],
    assigned: NDArray[np.int64],
    parts: NDArray[np.int64],
    groups: NDArray[np.int64],
    training: int,
) -> NDArray[np.int64]:
    """Return the part of each example: those still to be split follow their copy among the chosen, or are trained."""
    of_group = dict(zip(groups[chosen].tolist(), assigned.tolist(), strict=True))
    return np.array(
        [
            of_group.get(int(group), training) if part == TRAIN else part
            for group, part in zip(groups, parts, strict=True)
        ],
        dtype=np.int64,
    )


def _pool(groups: NDArray[np.int64], parts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first row of each content, among those that are still to be split.

    One example stands for all its copies. They follow it into its split, so that no content is in two splits.
    """
    rows = np.flatnonzero(parts == TRAIN)
    _, firsts = np.unique(groups[rows], return_index=True)
    return np.sort(rows[firsts])
