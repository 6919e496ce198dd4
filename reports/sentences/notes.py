"""Notes that a reader needs before trusting a report's numbers, and marks at models that have learnt nothing."""

from __future__ import annotations

from collections.abc import Iterable

from tunefront.objectives.measures import Axis
from tunefront.objectives.quantities import format_quantity
from tunefront.reports.sentences.conditions import describe_busy
from tunefront.reports.sentences.summary import describe_limit_changes
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

MARK = "*"  # stands beside the accuracy of a model that is no better than guessing


def notes(results: StudyResults) -> list[str]:
    """Return all notes for the top of a report, each of a few sentences."""
    said = (describe_guessing(results), describe_busy(results), describe_limit_changes(results))
    return [text for text in said if text]


def describe_guessing(results: StudyResults) -> str:
    """Say that no trial of a study that has ended is better than guessing, and what to change; empty if one is."""
    chance, measure = results.chance, results.measure("accuracy")
    scored = [trial for trial in results.trials if trial.state in ("complete", "pruned")]
    scored = [trial for trial in scored if results.value(trial, "accuracy") >= 0]  # False for NaN
    if chance is None or not scored or results.counts["running"] or not all(map(results.is_guessing, scored)):
        return ""
    best = max(results.value(trial, "accuracy") for trial in scored)
    none = f"none of {len(scored)} trials" if len(scored) > 1 else "the only trial"
    found = f"Nothing was learnt that can be told from guessing: {none} is better than an answer that does not look at "
    found += (
        f"the images, which has {format_quantity(chance.score, measure.unit)} {measure.name}, and by luck up to "
        f"{format_quantity(min(chance.level, 1.0), measure.unit)}; the best one has "
        f"{format_quantity(best, measure.unit)}."
    )
    if chance.level >= 1:
        return f"{found} So few validation images cannot tell: give more of them, above all of the rarer classes."
    return (
        f"{found} Train longer (training.epochs), try other learning rates and larger networks in [space], and look at "
        "the images and their labels: 'tunefront data' with the study's spec shows them."
    )


def describe_marks(results: StudyResults, shown: Iterable[TrialRecord] | None = None) -> str:
    """Explain :data:`MARK` in a sentence if one of the trials `shown` has it; empty if none has.

    Args:
        shown: The trials that are shown; None for those on the front.
    """
    chance, measure = results.chance, results.measure("accuracy")
    if chance is None or not any(map(results.is_guessing, results.front if shown is None else shown)):
        return ""
    return (
        f"{MARK} no better than guessing: not two standard errors "
        f"({format_quantity(2 * chance.standard_error, measure.unit)}) above the "
        f"{format_quantity(chance.score, measure.unit)} {measure.name} of an answer that does not look at the images."
    )


def show_marked(results: StudyResults, trial: TrialRecord, axis: Axis) -> str:
    """Return a trial's value on the axis for a table, with :data:`MARK` at an accuracy no better than guessing."""
    shown = results.show(trial, axis)
    return f"{shown} {MARK}" if axis == "accuracy" and results.is_guessing(trial) else shown
