"""Splits that keep groups of examples together: those of one patient, film or animal are never on both sides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.data.examples import DataError, SplitName, some_of
from search.data.splits import ALWAYS_TRAIN, TEST, TRAIN, VALIDATION, Shares


def joined(contents: NDArray[np.int64], groups: Sequence[str]) -> NDArray[np.int64]:
    """A number for each example, of shape (n,): alike for those of one group, and of groups that share a content.

    Args:
        contents: For each example a number, alike for exact copies.
        groups: For each example the name of its group.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names, of_group = np.unique(np.asarray(groups), return_inverse=True)
    kinds, of_content = np.unique(contents, return_inverse=True)
    n_nodes = len(names) + len(kinds)
    edges = coo_array((np.ones(len(contents)), (of_group, of_content + len(names))), shape=(n_nodes, n_nodes))
    _, components = connected_components(edges, directed=False)
    result: NDArray[np.int64] = components[of_group].astype(np.int64)
    return result


def divide_groups(labels: NDArray[np.int64], groups: NDArray[np.int64], shares: Shares, seed: int) -> NDArray[np.int64]:
    """The part that each example is in, of shape (n,); whole groups only, classes in shares as equal as that allows.

    Large groups come first, each to the part that lacks most of what it has. Every part gets a group, and every class
    is in training.

    Raises:
        DataError: If there are fewer groups than parts.
    """
    wanted = _wanted(shares)
    numbers, of_group = np.unique(groups, return_inverse=True)
    if len(numbers) < len(wanted):
        raise DataError(
            f"data.group_column: there are {len(numbers)} groups, and {len(wanted)} splits need one each at least: "
            "give more groups, or take fewer splits with test_fraction = 0 or fewer folds"
        )
    counts = np.zeros((len(numbers), int(labels.max()) + 1))
    np.add.at(counts, (of_group, labels), 1)
    parts = _assign(counts, wanted, seed)
    training = ALWAYS_TRAIN if shares.folds else TRAIN
    for label in np.flatnonzero(counts.sum(axis=0)):
        holders = np.flatnonzero(counts[:, label])
        n_searched = len({parts[group] for group in holders} - {TEST})
        is_trained = n_searched > 1 if shares.folds else TRAIN in {parts[group] for group in holders}
        if not is_trained:
            parts[holders[np.argmax(counts[holders, label])]] = training
    result: NDArray[np.int64] = np.array(parts, dtype=np.int64)[of_group]
    return result


def _wanted(shares: Shares) -> dict[int, float]:
    """The share of each part."""
    taken = {TEST: shares.test} if shares.test else {}
    if shares.folds:
        return taken | dict.fromkeys(range(shares.folds), (1 - shares.test) / shares.folds)
    taken |= {VALIDATION: shares.validation} if shares.validation else {}
    return taken | {TRAIN: 1 - sum(taken.values())}


def _assign(counts: NDArray[np.float64], wanted: dict[int, float], seed: int) -> list[int]:
    """The part of each group, of rows of `counts`."""
    names = list(wanted)
    lacking = np.outer(list(wanted.values()), counts.sum(axis=0))
    scale = np.maximum(lacking, 1e-9)
    order = np.random.default_rng(seed).permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    parts = [TRAIN] * len(counts)
    empty = set(range(len(names)))
    for place, group in enumerate(order):
        scores = (lacking / scale) @ counts[group]
        must_fill = len(order) - place <= len(empty)
        allowed = sorted(empty) if must_fill else range(len(names))
        chosen = max(allowed, key=lambda part: (scores[part], wanted[names[part]]))
        lacking[chosen] -= counts[group]
        empty.discard(chosen)
        parts[int(group)] = names[chosen]
    return parts


def refuse_split_groups(groups: Sequence[str], splits: Sequence[SplitName]) -> None:
    """Refuse given splits that have examples of one group on both sides.

    Raises:
        DataError: Names the groups.
    """
    found: dict[str, set[SplitName]] = {}
    for group, split in zip(groups, splits, strict=True):
        found.setdefault(group, set()).add(split)
    both = [f"{group}: {', '.join(sorted(where))}" for group, where in found.items() if len(where) > 1]
    if both:
        raise DataError(
            f"data.group_column: {len(both)} groups are in several of the given splits, so that scores would be of "
            f"what was trained on: put each into one:\n{some_of(both)}"
        )
