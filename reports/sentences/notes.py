"""Notes that a reader needs before trusting a report's numbers, and marks at models that have learnt nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable

from tunefront.objectives.measures import Axis, Measure
from tunefront.objectives.quantities import format_quantity
from tunefront.objectives.skill import skill_scale
from tunefront.reports.sentences.conditions import describe_busy, describe_niced, describe_shared_gpus
from tunefront.reports.sentences.stages import describe_apart, describe_inherited
from tunefront.reports.sentences.summary import describe_limit_changes
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

MARK = "*"  # stands beside the score of a model that is no better than guessing
# Measure of predicted numbers -> the best answer that does not look at the example, see docs/measures.md.
_CONSTANT_ANSWERS = {"rmse": "the mean", "mae": "the median", "r2": "the mean"}
_IMAGES_PER_STEP = 32  # as in search/spec/training.py


def notes(results: StudyResults) -> list[str]:
    """Return all notes for the top of a report, each of a few sentences."""
    said = (
        describe_guessing(results),
        describe_validated_part(results),
        describe_busy(results),
        describe_niced(results),
        describe_shared_gpus(results),
        describe_inherited(results),
        describe_apart(results),
        describe_limit_changes(results),
    )
    return [text for text in said if text]


def describe_guessing(results: StudyResults) -> str:
    """Say that no trial of a study that has ended is better than guessing, and what to change; empty if one is."""
    chance, measure = results.chance, results.measure("accuracy")
    scored = [trial for trial in results.trials if trial.state in ("complete", "pruned")]
    scored = [trial for trial in scored if not math.isnan(results.value(trial, "accuracy"))]
    if chance is None or not scored or results.counts["running"] or not all(map(results.is_guessing, scored)):
        return ""
    best = measure.best(results.value(trial, "accuracy") for trial in scored)
    perfect = skill_scale(measure).best
    can_tell = chance.is_beaten_by(perfect)
    guessed, by_luck, reached = (
        format_quantity(score, measure.unit) for score in (chance.score, chance.level if can_tell else perfect, best)
    )
    none = f"none of {len(scored)} trials is" if len(scored) > 1 else "the only trial is no"
    found = (
        f"Nothing was learnt that can be told from guessing: {none} better than {_blind_answer(results)}, which has "
        f"{_named(guessed, measure)}, and by luck {'up' if measure.direction == 'maximize' else 'down'} to {by_luck}; "
        f"the best one has {reached}."
    )
    is_classes = measure.task == "classification"
    if not can_tell:
        more = f"{results.examples} cannot tell: give more of them, above all of the rarer classes"
        return f"{found} So few validation {more if is_classes else 'examples cannot tell: give more of them'}."
    return (
        f"{found} Train longer (training.epochs), try other learning rates and larger networks in [space], and look at "
        f"the {results.examples} and their labels: 'tunefront data' with the study's spec shows "
        "them."
    )


def _blind_answer(results: StudyResults) -> str:
    measure = results.measure("accuracy")
    if measure.task == "regression":
        return f"always answering {_CONSTANT_ANSWERS[measure.name]} of the labels"
    return f"an answer that does not look at the {results.examples}"


def _named(score: str, measure: Measure) -> str:
    return f"{measure.name} {score}" if measure.task == "regression" else f"{score} {measure.name}"


def describe_validated_part(results: StudyResults) -> str:
    """Say on which images epochs and trials were scored, if epochs had a part of them; empty if they had all."""
    n_part = _IMAGES_PER_STEP * int(results.study.spec["training"].get("validation_steps", 0))
    n_all = int(results.study.dataset.get("n_validation", 0))
    if not 0 < n_part < n_all:
        return ""
    return (
        f"Each epoch was scored on the same {n_part} of {n_all} validation {results.examples} "
        "(training.validation_steps): curves, the choice of the epoch that is kept and what was stopped rest on these. "
        f"A complete trial's scores are those of its kept epoch on all {n_all}."
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
        f"({format_quantity(2 * chance.standard_error, measure.unit)}) "
        f"{'above' if measure.direction == 'maximize' else 'below'} the "
        f"{_named(format_quantity(chance.score, measure.unit), measure)} of {_blind_answer(results)}."
    )


def show_marked(results: StudyResults, trial: TrialRecord, axis: Axis) -> str:
    """Return a trial's value on the axis for a table, with :data:`MARK` at a score no better than guessing."""
    shown = results.show(trial, axis)
    return f"{shown} {MARK}" if axis == "accuracy" and results.is_guessing(trial) else shown
