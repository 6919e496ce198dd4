"""Splits that keep groups of examples together, so that one patient, film or animal is never in two splits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.examples import DataError, SplitName, some_of
from tunefront.search.data.splitting.splits import TEST, TRAIN, TRAIN_IN_EVERY_FOLD, VALIDATION, Shares, names_of_parts

_UNASSIGNED = -9


def joined(contents: NDArray[np.int64], groups: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each example, shape (n,): the same within a group, and within groups that share a content.

    Args:
        contents: A number for each example, the same for exact copies.
        groups: The name of each example's group.
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
    """Return the part of each example, shape (n,): groups stay whole, and class shares are as equal as that allows.

    Each class gets a group in training, then one in validation (with folds, in a second fold), then one in the test
    split, as far as it has so many. Each remaining group, the largest first, goes to the part that lacks most of its
    classes.

    Raises:
        DataError: If a split gets no group.
    """
    wanted = _wanted(shares)
    numbers, of_group = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(numbers), int(labels.max()) + 1))
    np.add.at(counts, (of_group, labels), 1)
    assignment = _Assignment(counts, wanted, seed)
    if shares.folds:
        assignment.train_always(np.flatnonzero((counts > 0).sum(axis=0) == 1))
        for n_folds in (1, 2):
            assignment.cover(range(shares.folds), n_folds)
    else:
        assignment.cover([TRAIN], largest=True)
        if shares.validation:
            assignment.cover([VALIDATION])
    if shares.test:
        assignment.cover([TEST])
    assignment.assign_rest()
    if shares.folds:
        assignment.train_always(_in_one_fold(counts, assignment.parts))
    for part in wanted:
        if part not in assignment.parts:
            raise DataError(
                f"data.group_column: the {names_of_parts(shares.folds)[part]} split gets no group: there are "
                f"{len(numbers)} groups for {len(wanted)} splits, and each class needs one in training. Give more "
                "groups, or take fewer splits with test_fraction = 0 or fewer folds"
            )
    result: NDArray[np.int64] = assignment.parts[of_group]
    return result


def _wanted(shares: Shares) -> dict[int, float]:
    """Return the share of each part."""
    taken = {TEST: shares.test} if shares.test else {}
    if shares.folds:
        return taken | dict.fromkeys(range(shares.folds), (1 - shares.test) / shares.folds)
    taken |= {VALIDATION: shares.validation} if shares.validation else {}
    return taken | {TRAIN: 1 - sum(taken.values())}


def _in_one_fold(counts: NDArray[np.float64], parts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the classes whose groups are all in one fold: while it validates, nothing trains these classes."""
    searched = [np.unique(parts[(counts[:, label] > 0) & (parts != TEST)]) for label in range(counts.shape[1])]
    return np.array(
        [label for label, found in enumerate(searched) if len(found) == 1 and found[0] >= 0], dtype=np.int64
    )


class _Assignment:
    """The assignment of groups to parts, while it is made.

    Args:
        counts: Examples of each class in each group, shape (groups, classes).
        wanted: The share of each part.

    Attributes:
        parts: The part of each group, shape (groups,).
    """

    def __init__(self, counts: NDArray[np.float64], wanted: dict[int, float], seed: int) -> None:
        self.parts = np.full(len(counts), _UNASSIGNED, dtype=np.int64)
        self._counts = counts
        self._sizes = counts.sum(axis=1)
        self._wanted = wanted
        self._lacking = {part: share * counts.sum(axis=0) for part, share in wanted.items()}
        self._scale = {part: np.maximum(lacking, 1e-9) for part, lacking in self._lacking.items()}
        self._order = np.random.default_rng(seed).permutation(len(counts))

    def train_always(self, labels: NDArray[np.int64]) -> None:
        """Put a class's largest group into training, whichever fold validates."""
        for label in labels.tolist():
            group = int(self._counts[:, label].argmax())
            if self.parts[group] in self._lacking:
                self._lacking[int(self.parts[group])] += self._counts[group]
            self.parts[group] = TRAIN_IN_EVERY_FOLD

    def cover(self, choices: Sequence[int], n_parts: int = 1, *, largest: bool = False) -> None:
        """Put each class into `n_parts` of these parts, as far as it has free groups; classes of few groups come first.

        Args:
            largest: Whether to take the largest free group, instead of one that the part has room for.
        """
        has = self._counts > 0
        for label in np.argsort(has.sum(axis=0), kind="stable"):
            free = [group for group in self._order.tolist() if has[group, label] and self.parts[group] == _UNASSIGNED]
            covered = set(self.parts[has[:, label]].tolist()) & set(choices)
            if free and len(covered) < n_parts:
                part = max(set(choices) - covered, key=lambda name: float(self._lacking[name].sum()))
                self._put(self._largest(free) if largest else self._fitting(free, part), part)

    def _largest(self, free: Sequence[int]) -> int:
        return max(free, key=lambda group: float(self._sizes[group]))

    def _fitting(self, free: Sequence[int], part: int) -> int:
        room = self._lacking[part].sum()
        fitting = [group for group in free if self._sizes[group] <= room]
        return fitting[0] if fitting else min(free, key=lambda group: float(self._sizes[group]))

    def assign_rest(self) -> None:
        """Put every other group into the part that lacks most of its classes; parts without a group come first."""
        rest = [group for group in self._order.tolist() if self.parts[group] == _UNASSIGNED]
        rest.sort(key=lambda group: -self._sizes[group])
        for place, group in enumerate(rest):
            empty = [part for part in self._wanted if part not in self.parts]
            must_fill = len(rest) - place <= len(empty)
            allowed = empty if must_fill else list(self._wanted)
            self._put(group, max(allowed, key=lambda part: (self._score(group, part), self._wanted[part])))

    def _score(self, group: int, part: int) -> float:
        return float((self._lacking[part] / self._scale[part]) @ self._counts[group])

    def _put(self, group: int, part: int) -> None:
        self.parts[group] = part
        self._lacking[part] = self._lacking[part] - self._counts[group]


def refuse_split_groups(groups: Sequence[str], splits: Sequence[SplitName]) -> None:
    """Refuse given splits that share a group.

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
