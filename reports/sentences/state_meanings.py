"""The meanings of trials' states, in a few words."""

from __future__ import annotations

from tunefront.reports.study_results import StudyResults

_MEANINGS = {
    "complete": "trained to the end",
    "refused": "breaks a limit that is known before training, so it was not trained",
    "failed": "ended with an error",
    "cancelled": "ended by a person, with 'tunefront cancel'",
    "running": "under way",
}


def describe_state(results: StudyResults, state: str) -> str:
    """Return what it means for the study's trials to be in `state`, one of :data:`STATES`."""
    if state == "pruned":
        return _describe_pruned(results)
    return _describe_waiting(results) if state == "waiting" else _MEANINGS[state]


def _describe_pruned(results: StudyResults) -> str:
    pruner = results.study.spec.get("pruner", {}).get("name", "pareto")
    if pruner == "pareto":
        return "stopped early: it would not have come on the front"
    return "stopped early" if pruner == "none" else f"stopped early by the {pruner} pruner"  # by a person if "none"


def _describe_waiting(results: StudyResults) -> str:
    waiting = [trial for trial in results.trials if trial.state == "waiting"]
    n_paused = sum(trial.is_paused for trial in waiting)
    n_interrupted = sum(trial.n_attempts > 0 and not trial.is_paused for trial in waiting)
    n_new = len(waiting) - n_interrupted - n_paused
    if n_new == len(waiting):
        return "queued, and not started yet"
    found = [
        (n_new, "not started yet"),
        (n_paused, "waiting for the next turn of its population"),
        (n_interrupted, "back in the queue, after its run was interrupted"),
    ]
    said = [(n, what) for n, what in found if n]
    return said[0][1] if len(said) == 1 else ", ".join(f"{n} {what}" for n, what in said)
