"""The summary of a study in sentences, which are the same in every kind of report."""

from __future__ import annotations

import math

from tunefront.objectives.limits import read_extra_limits
from tunefront.objectives.measures import Axis, Measure
from tunefront.reports.parameters import Parameters
from tunefront.reports.study_results import StudyResults
from tunefront.reports.words import show_value, value_name


def describe_front(results: StudyResults) -> str:
    """Return a heading with the number of trials on the front."""
    n_trials = len(results.front_numbers)
    n_guessing = sum(map(results.is_guessing, results.front))
    heading = f"{n_trials} {'model' if n_trials == 1 else 'models'} on the front"
    return f"{heading}, {n_guessing} no better than guessing" if n_guessing else heading


def describe_search(results: StudyResults) -> str:
    """Describe the data, and the trials by state, in a sentence."""
    dataset = results.study.dataset
    counts = [f"{count} {state}" for state, count in results.counts.items() if count]
    outputs = f", networks of {dataset['outputs']} outputs" if dataset.get("outputs") else ""
    n_trials = f"{len(results.trials)} {'trial' if len(results.trials) == 1 else 'trials'}"
    what = "numbers to predict" if results.task == "regression" else f"{dataset.get('n_classes', '-')} classes"
    return (
        f"{n_trials} on {dataset.get('source', '-')} "
        f"({dataset.get('n_train', '-')} {results.examples} to train, {dataset.get('n_validation', '-')} to validate, "
        f"{what}{outputs}): {', '.join(counts) or 'none started yet'}."
    )


def describe_wanted(results: StudyResults) -> str:
    """Describe the objectives and their limits in a sentence."""
    wanted = {"maximize": "high", "minimize": "low"}
    parts = []
    for objective in results.objectives.values():
        measure = objective.measure
        limits = objective.describe_limits()
        parts.append(f"{wanted[measure.direction]} {value_name(measure)}" + (f" ({limits})" if limits else ""))
    extra = [f"{value_name(each.measure)} {each.describe_limits()}" for each in read_extra_limits(results.study.spec)]
    return f"Wanted: {', '.join(parts)}." + (f" Limits: {', '.join(extra)}." if extra else "")


def describe_limit_changes(results: StudyResults) -> str:
    """Say in a sentence or two that the limits were changed; empty if they never were."""
    if not results.limit_changes:
        return ""
    changes = [
        f"after {change['n_finished']} trials from {change['before']} to {change['after']}"
        for change in results.limit_changes
    ]
    stays = "What was stopped under earlier limits stays stopped"
    queued = [trial for trial in results.trials if trial.queued_again_as is not None]
    pairs = ", ".join(f"{trial.number} as {trial.queued_again_as}" for trial in queued)
    again = f"; refused candidates were queued again: trial {pairs}" if queued else ""
    return f"The limits changed {', and '.join(changes)}. {stays}{again}."


def describe_progress(results: StudyResults) -> str:
    """Say in a sentence how far the study is, or why it ended early; empty once it has all its trials."""
    if not results.n_missing:
        return ""
    stands = f"{results.n_finished} of {results.study.spec['trials']} trials"
    if results.early_end:
        return f"This study is done with {stands}: {results.early_end}."
    n_running = results.counts["running"]
    if n_running:
        return f"This study is under way: {stands} are finished, {n_running} run now. All below may still change."
    n_failed = results.counts["failed"]
    failed = f"; {n_failed} that failed {'is' if n_failed == 1 else 'are'} not among them" if n_failed else ""
    return f"This study is not finished: {stands} are finished{failed}. {_describe_going_on(results)}"


def _describe_going_on(results: StudyResults) -> str:
    """Say in a sentence or two how an unfinished study gets the trials that are missing."""
    spec = results.study.spec
    if spec.get("confirms"):
        return f"'tunefront confirm {spec['confirms']}' goes on with it."
    # A recording can be told only by its name.
    command = "tunefront record" if results.study.name.endswith(".recording") else "tunefront run"
    for state, what, key in (("failed", "failed", "max_failures"), ("refused", "were refused", "max_refusals")):
        n_trials = sum(trial.state == state and trial.queued_again_as is None for trial in results.trials)
        if n_trials > spec.get(key, math.inf):
            groups = results.reasons(state)
            if groups and len(groups[0].numbers) >= 0.9 * n_trials:
                return (
                    f"It gave up: {len(groups[0].numbers)} of {n_trials} trials that {what} did so for one "
                    f"reason: {groups[0].text}. Mend that first: more trials would end the same way."
                )
            return (
                f"It gave up: {n_trials} trials {what}, more than {key} = {spec[key]}. "
                f"Raise {key}, and the '{command}' command that started it goes on with it."
            )
    return f"The '{command}' command that started it goes on with it."


def describe_empty_front(results: StudyResults) -> str:
    """Say in a sentence why no trial is on the front, and what to do."""
    counts = results.counts
    if not results.trials:
        return "No trial has started yet."
    if counts["complete"]:
        return (
            "No complete trial keeps the limits of the objectives: relax them in the spec and run it again, "
            "which trains nothing anew, or search a larger space."
        )
    if counts["running"] or counts["waiting"]:
        return "No trial is complete yet."
    return "No trial became complete: the reasons are given with the trials."


def describe_shared(parameters: Parameters) -> str:
    """Describe in a sentence the parameters that all models share; empty if there are none."""
    if not parameters.shared:
        return ""
    values = ", ".join(f"{name} = {show_value(value)}" for name, value in parameters.shared.items())
    return f"The same in all of them: {values}." if parameters.differing else f"Parameters: {values}."


def axis_title(results: StudyResults, axis: Axis) -> str:
    """Return the title of an axis: ``"memory (model_bytes)"``, or ``"accuracy"`` if axis and measure share a name."""
    name, second = results.axis_name(axis), second_title(results, axis)
    return f"{name} ({second})" if second else name


def second_title(results: StudyResults, axis: Axis) -> str:
    """Return the name of the measure on the axis, unless the axis's own name is the same.

    Costs are known to be better if less. Of the first axis it is said where it has errors.
    """
    measure = results.measure(axis)
    if measure.name == axis:
        return ""
    return f"{measure.title}, less is better" if _is_error(measure) else measure.title


def _is_error(measure: Measure) -> bool:
    return measure.axis == "accuracy" and measure.direction == "minimize"
