"""The data frame of all epochs, for CSV files and programs."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from tunefront.reports.study_results import StudyResults

TIME_COLUMNS = ("train_seconds", "validation_seconds", "learning_rate")


def epochs_frame(results: StudyResults) -> pd.DataFrame:
    """Return a data frame with a row for each epoch that was trained, by trial and epoch.

    Returns:
        The columns ``trial``, ``epoch``, ``loss``, ``accuracy`` and ``val_loss``, in which ``loss`` and ``accuracy``
        are those of training as Keras reports them (of augmented images, while weights change); where numbers are
        predicted, the measure stands in place of ``accuracy``. Then every other number of the epochs by its name, of
        which those with ``val_`` are validation's; and the columns of :data:`TIME_COLUMNS`, with the learning rate at
        the epoch's end. Scores are fractions, or in the unit of the labels. A cell is empty where an epoch has no such
        number.
    """
    rows: list[dict[str, object]] = [
        {
            **epoch.metrics,
            "trial": trial.number,
            "epoch": epoch.epoch,
            "train_seconds": epoch.train_seconds,
            "validation_seconds": epoch.validation_seconds,
        }
        for trial in results.trials
        for epoch in trial.epochs
    ]
    measure = results.measure("accuracy")
    score = measure.name if measure.task == "regression" else "accuracy"
    return pd.DataFrame(rows, columns=_columns(rows, ("trial", "epoch", "loss", score, "val_loss")))


def _columns(rows: Sequence[dict[str, object]], first: Sequence[str]) -> list[str]:
    found = {name for row in rows for name in row}
    others = sorted(found - {*first, *TIME_COLUMNS})
    return [*first, *others, *TIME_COLUMNS]
