"""Examples of exactly the same content, and what they mean for splits and labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.examples import DataError, SplitName, some_of

# A leaked example stays in the first of these splits, because scores must be on images that were never trained on.
_KEEPING_ORDER: dict[SplitName, int] = {"test": 0, "validation": 1, "train": 2}


def groups_of(digests: Sequence[str]) -> NDArray[np.int64]:
    """Return for each example the first row with the same content, shape (n,)."""
    first: dict[str, int] = {}
    return np.array([first.setdefault(digest, row) for row, digest in enumerate(digests)], dtype=np.int64)


def n_contradictions(groups: NDArray[np.int64], labels: NDArray[Any]) -> int:
    """Count the examples that have the content of another one, but not its label."""
    different = np.unique(labels, return_inverse=True)[1]
    pairs = np.unique(np.stack([groups, different], axis=1), axis=0)
    contradictory = np.flatnonzero(np.bincount(pairs[:, 0]) > 1) if len(pairs) else pairs[:, 0]
    return int(np.isin(groups, contradictory).sum())


def leaks(
    groups: NDArray[np.int64],
    splits: Sequence[SplitName],
    names: Sequence[str],
    on_leak: Literal["error", "drop"],
) -> NDArray[np.int64]:
    """Return the rows to leave out because their content is also in a split that takes precedence.

    Test takes precedence over validation, and validation over training.

    Raises:
        DataError: Names the pairs, if `on_leak` is ``"error"``.
    """
    order = np.array([_KEEPING_ORDER[split] for split in splits])
    best = np.full(int(groups.max()) + 1, len(_KEEPING_ORDER))
    np.minimum.at(best, groups, order)
    leaked = np.flatnonzero(order > best[groups])
    if len(leaked) and on_leak == "error":
        kept = {int(groups[row]): int(row) for row in np.flatnonzero(order == best[groups])[::-1]}
        pairs = [
            f"{names[row]} ({splits[row]}) is {names[kept[int(groups[row])]]} ({splits[kept[int(groups[row])]]})"
            for row in leaked.tolist()
        ]
        raise DataError(
            f"data: {len(pairs)} examples are in two splits, so that the scores would be of what was trained on. "
            f'Remove one of each, or write on_leak = "drop", which leaves out the one that is not in the test '
            f"split, or else the one in train:\n{some_of(pairs)}"
        )
    return leaked
