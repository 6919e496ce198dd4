"""Queueing refused candidates again, once a study's limits have changed and allow them."""

from __future__ import annotations

from collections.abc import Iterable

from optuna.trial import FrozenTrial

from tunefront.objectives.limits import broken_limit, read_limits
from tunefront.objectives.measures import known_early
from tunefront.storage import counts
from tunefront.storage.measurements import load_measurements
from tunefront.storage.open_study import OpenStudy

REFUSED_AS = "refused_as"  # user attribute of a trial that was queued again: number of the refused trial


def queue_again(study: OpenStudy) -> dict[int, int]:
    """Queue the refused candidates that now break no limit of the study, each once and under a new number.

    The caller holds the store's lock.

    Returns:
        Number of the refused trial -> number of the new one.
    """
    refused = counts.refused(study)
    if not refused:
        return {}
    limits = read_limits(study.record.spec)
    measurements = load_measurements(study)
    trials = study.optuna.get_trials(deepcopy=False)
    before = queued_again(trials)
    for trial in trials:
        measured = known_early(measurements.get(trial.number, {}))
        if trial.number in refused - before.keys() and measured and not broken_limit(limits, measured):
            study.optuna.enqueue_trial(dict(trial.params), user_attrs={REFUSED_AS: trial.number})
    after = queued_again(study.optuna.get_trials(deepcopy=False))
    return {number: again for number, again in after.items() if number not in before}


def queued_again(trials: Iterable[FrozenTrial]) -> dict[int, int]:
    """Return the trials that were queued again: number of the refused trial -> number of the new one."""
    return {trial.user_attrs[REFUSED_AS]: trial.number for trial in trials if REFUSED_AS in trial.user_attrs}
