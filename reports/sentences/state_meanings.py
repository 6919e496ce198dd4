"""The meanings of trials' states, in a few words."""

from __future__ import annotations

from tunefront.reports.study_results import StudyResults

_MEANINGS = {
    "complete": "trained to the end",
    "refused": "breaks a limit that is known before training, so it was not trained",
    "failed": "ended with an error",
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
    n_interrupted = sum(trial.state == "waiting" and trial.n_attempts > 0 for trial in results.trials)
    n_new = results.counts["waiting"] - n_interrupted
    if not n_interrupted:
        return "queued, and not started yet"
    interrupted = "back in the queue, after its run was interrupted"
    return f"{n_new} not started yet, {n_interrupted} {interrupted}" if n_new else interrupted
