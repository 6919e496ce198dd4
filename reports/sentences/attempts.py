"""Sentences on trials that were started more than once: which went on from a checkpoint, and which began anew."""

from __future__ import annotations

from collections.abc import Sequence

from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

_MAX_TRIALS = 8  # listed in one sentence


def describe_attempts(results: StudyResults) -> str:
    """Say which trials went on from a checkpoint, began anew, or were trained on several kinds of machines.

    Returns:
        A sentence for each kind of trial; empty if all were trained in one attempt.
    """
    repeated = [trial for trial in results.trials if trial.n_attempts > 1]
    went_on = [trial for trial in repeated if len(trial.parts) > 1]
    anew = [trial for trial in repeated if len(trial.parts) == 1]
    mixed = [trial for trial in results.trials if trial.has_mixed_times]
    sentences = []
    if went_on:
        listed = _listed(went_on, [f"in {len(trial.parts)} attempts" for trial in went_on])
        sentences.append(f"Interrupted or lost, and trained on from a checkpoint: {listed}.")
    if anew:
        listed = _listed(anew, [f"{trial.n_attempts} times" for trial in anew])
        sentences.append(f"Started more than once, the last time from the beginning: {listed}.")
    if mixed:
        listed = _listed(mixed, ["; ".join(sorted(trial.machines)) for trial in mixed])
        sentences.append(f"Trained on more than one kind of machine, so that their times are not compared: {listed}.")
    return " ".join(sentences)


def _listed(trials: Sequence[TrialRecord], remarks: Sequence[str]) -> str:
    shown = list(zip(trials, remarks, strict=True))[:_MAX_TRIALS]
    texts = [f"{trial.number} ({remark})" for trial, remark in shown]
    more = f" and {len(trials) - len(shown)} more" if len(trials) > len(shown) else ""
    return f"trial{'s' if len(trials) > 1 else ''} {', '.join(texts)}{more}"
