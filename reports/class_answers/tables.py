"""The data frames of answers by class, for CSV files and programs."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from tunefront.reports.class_answers.class_answers import FrontAnswers

_SHARES = ("recall", "precision", "specificity", "npv")


def confusion_frame(answers: FrontAnswers) -> pd.DataFrame:
    """Return a data frame with a row for each model, right class and chosen class that have images together."""
    names = answers.class_names
    rows = [
        (model.number, names[true], names[chosen], int(model.matrix[true, chosen]), answers.split)
        for model in answers.models
        for true, chosen in np.argwhere(model.matrix)
    ]
    return pd.DataFrame(rows, columns=["trial", "class", "taken_for", "images", "split"])


def class_scores_frame(answers: FrontAnswers) -> pd.DataFrame:
    """Return a data frame with a row for each model and class, against the rest.

    ``_low`` and ``_high`` are the ends of Wilson's 95 % intervals. A cell is empty where a score is not defined: the
    precision of a class that was never named, the recall of one that does not occur. Of two classes only the positive
    one has ``auc`` and ``average_precision``.
    """
    rows = []
    for model in answers.models:
        for number, scores in enumerate(model.scores):
            row: dict[str, object] = {
                "trial": model.number,
                "class": answers.class_names[number],
                "images": scores.recall.n,
                "taken_for_it": scores.precision.n,
            }
            for name in _SHARES:
                share = getattr(scores, name)
                row |= {name: share.fraction, f"{name}_low": share.interval[0], f"{name}_high": share.interval[1]}
            curve = model.curves.get(number)
            row |= {
                "f1": scores.f1,
                "auc": curve.auc if curve else math.nan,
                "average_precision": curve.average_precision if curve else math.nan,
                "split": answers.split,
            }
            rows.append(row)
    return pd.DataFrame(rows)
