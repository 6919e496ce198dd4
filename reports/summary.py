"""What was searched and what counted, in sentences: the same words in every kind of report."""

from __future__ import annotations

from objectives import Axis, format_quantity
from reports.front import StudyResults
from reports.parameters import Parameters, show_value


def describe_front(results: StudyResults) -> str:
    """How many trials are on the front, as a heading."""
    n_trials = len(results.front_numbers)
    return f"{n_trials} {'model' if n_trials == 1 else 'models'} on the front"


def describe_search(results: StudyResults) -> str:
    """Data, and trials by state, in a sentence."""
    dataset = results.study.dataset
    counts = [f"{count} {state}" for state, count in results.counts.items() if count]
    n_trials = f"{len(results.trials)} {'trial' if len(results.trials) == 1 else 'trials'}"
    return (
        f"{n_trials} on {dataset.get('source', '-')} "
        f"({dataset.get('n_train', '-')} images to train, {dataset.get('n_validation', '-')} to validate, "
        f"{dataset.get('n_classes', '-')} classes): {', '.join(counts) or 'none started yet'}."
    )


def describe_wanted(results: StudyResults) -> str:
    """What counts as better and within which limits, in a sentence."""
    wanted = {"maximize": "high", "minimize": "low"}
    parts = []
    for objective in results.objectives.values():
        measure = objective.measure
        limits = [
            f"{word} {format_quantity(limit, measure.unit)}"
            for word, limit in (("at least", objective.at_least), ("at most", objective.at_most))
            if limit is not None
        ]
        parts.append(f"{wanted[measure.direction]} {measure.name}" + (f" ({', '.join(limits)})" if limits else ""))
    return f"Wanted: {', '.join(parts)}."


def describe_progress(results: StudyResults) -> str:
    """How far the study is, or why it ended early, in a sentence; empty once it has all its trials."""
    counts = results.counts
    n_finished, n_trials = counts["complete"] + counts["pruned"], results.study.spec.get("trials", 0)
    search = results.study.spec.get("confirms")
    if search:
        n_finished += counts["failed"]  # nothing takes their place
    if n_finished >= n_trials:
        return ""
    if results.ending and not counts["running"]:
        return f"This study is done with {n_finished} of {n_trials} trials: {results.ending}."
    stands = f"{n_finished} of {n_trials} trials are finished"
    if counts["running"]:
        return f"This study is under way: {stands}, {counts['running']} run now. All below may still change."
    command = f"'tunefront confirm {search}'" if search else "The 'tunefront run' command that started it"
    return f"This study is not finished: {stands}. {command} goes on with it."


def describe_empty_front(results: StudyResults) -> str:
    """Why nothing is on the front, and what to do, in a sentence."""
    counts = results.counts
    if not results.trials:
        return "No trial has started yet."
    if counts["complete"]:
        return "No complete trial keeps the limits of the objectives: relax them, or search a larger space."
    if counts["running"] or counts["waiting"]:
        return "No trial is complete yet."
    return "No trial became complete: the reasons are given with the trials."


def describe_shared(parameters: Parameters) -> str:
    """What models have in common, in a sentence; empty if nothing."""
    if not parameters.shared:
        return ""
    values = ", ".join(f"{name} = {show_value(value)}" for name, value in parameters.shared.items())
    return f"The same in all of them: {values}." if parameters.differing else f"Parameters: {values}."


def axis_title(results: StudyResults, axis: Axis) -> str:
    """``"memory (model_bytes)"``, and plainly ``"accuracy"`` where axis and measure have one name."""
    measure = results.measure(axis).name
    return axis if measure == axis else f"{axis} ({measure})"
