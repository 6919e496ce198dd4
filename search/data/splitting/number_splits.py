"""Checks of numbers to predict in each split."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.examples import DataError, readable
from tunefront.search.data.sources.source import Source
from tunefront.search.data.splitting.splits import LEFT_OUT, TEST, TRAIN, TRAIN_IN_EVERY_FOLD


def training_rows(parts: NDArray[np.int64], source: Source) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield the name and the rows of each training: one, or that of each fold."""
    if not source.folds:
        yield "training", np.flatnonzero(parts == TRAIN)
        return
    for fold in range(source.folds):
        if source.split == "time":
            block = np.flatnonzero(np.isin(parts, [TRAIN_IN_EVERY_FOLD, *range(fold)]))
            rows = block[: len(block) - source.gap]
        else:
            rows = np.flatnonzero(~np.isin(parts, [fold, TEST, LEFT_OUT]))
        yield f"training while fold {fold + 1} validates", rows


def refuse_constant(labels: NDArray[np.floating], what: str, origin: str) -> None:
    """Refuse labels to train on that are all the same, from which nothing can be learnt.

    Args:
        what: The training that they are of.
        origin: The file or function that they come from.

    Raises:
        DataError: Names the label and the remedy.
    """
    if len(labels) and labels.min() == labels.max():
        raise DataError(
            f"data: {readable(origin)}: all {len(labels)} labels in {what} are {labels[0]:g}, and there is "
            "nothing to learn: check the column or array of the labels, or give examples with others"
        )
