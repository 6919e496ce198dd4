"""Sentences on trials that trained from stored features of their frozen layers, and on those that could not."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from tunefront.objectives.measures import FEATURE_VIEWS
from tunefront.objectives.quantities import format_quantity, significant
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

_MAX_TRIALS = 8  # listed in one sentence


def describe_features(results: StudyResults) -> str:
    """Say whose training times have one pass of the frozen layers, and whose have one in every epoch.

    Returns:
        A few sentences; empty if no trial had stored features or lacked them.
    """
    trained = [trial for trial in results.trials if "train_seconds" in trial.measurements]
    stored = [trial for trial in trained if "prefix_seconds" in trial.measurements]
    lacking = [trial for trial in trained if trial.lacked_features]
    wants_views = bool(results.study.spec["training"].get("feature_views"))
    sentences = []
    if stored:
        sentences.append(_describe_stored(stored))
        sentences += _describe_views(stored)
        n_others = len(trained) - len(stored) - len(lacking)
        if n_others:
            others = f"{n_others} {'others' if n_others > 1 else 'other'} computed"
            why = "mixed images" if wants_views else "random augmentation"
            sentences.append(
                f"{others} the whole network in every epoch: with {why}, random weights or nothing frozen there is "
                "nothing to store."
            )
    if lacking:
        numbers = ", ".join(str(trial.number) for trial in lacking[:_MAX_TRIALS])
        more = f" and {len(lacking) - _MAX_TRIALS} more" if len(lacking) > _MAX_TRIALS else ""
        sentences.append(
            "Their machine could not store features, so that their training times are longer than they would be and "
            f"are not compared: trial{'s' if len(lacking) > 1 else ''} {numbers}{more}. Where time is an objective, "
            "they may be on the front in spite of it, and never because of it."
        )
        if wants_views:
            sentences.append("With augmentation they saw new random changes in every epoch there, and no stored views.")
    return " ".join(sentences)


def _describe_views(stored: Sequence[TrialRecord]) -> list[str]:
    views = [int(trial.measurements[FEATURE_VIEWS]) for trial in stored if FEATURE_VIEWS in trial.measurements]
    if not views:
        return []
    least, most = min(views), max(views)
    counts = f"{least}" if least == most else f"{least} to {most}"
    changes = f"{counts} stored random change{'s' if most > 1 else ''}"
    return [
        f"{len(views)} of them had augmentation and saw {changes} of each image, one an epoch by turns, where it is "
        "usually a new one in every epoch: their accuracy is that of this training."
    ]


def _describe_stored(stored: Sequence[TrialRecord]) -> str:
    passes = [trial.measurements["prefix_seconds"] for trial in stored]
    ratios = [trial.measurements["plain_train_seconds"] / trial.measurements["train_seconds"] for trial in stored]
    times = dict.fromkeys(format_quantity(seconds, "seconds") for seconds in (min(passes), max(passes)))
    has_views = any(FEATURE_VIEWS in trial.measurements for trial in stored)
    ratio = significant(statistics.median(ratios), 2)
    return (
        f"{len(stored)} {'trials' if len(stored) > 1 else 'trial'} trained from stored features of frozen layers. "
        f"Training times contain one pass of these layers{', or one a view' if has_views else ''} "
        f"({' to '.join(times)}), whoever computed it; as measured "
        f"steps of the whole network tell, the whole would take {ratio} times as long, at the median."
    )
