"""The stages of a training whose settings changed, in words, and what its numbers stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tunefront.reports.study_results import StudyResults
from tunefront.reports.words import show_value
from tunefront.storage.trials import TrialRecord


def describe_stages(trial: TrialRecord) -> list[str]:
    """Return a line for each stage: ``"epochs 5 to 8, from trial 3's weights: learning_rate 0.012"``.

    The first one has all settings that could change, each further one those that differ from the one before.
    """
    n_trained = len(trial.epochs)
    begun = [stage for stage in trial.stages if stage.first_epoch <= max(n_trained, 1)]
    lines: list[str] = []
    before: dict[str, Any] = {}
    for place, stage in enumerate(begun):
        last = begun[place + 1].first_epoch - 1 if place + 1 < len(begun) else n_trained
        changed = {name: value for name, value in stage.parameters.items() if before.get(name) != value}
        what = ", ".join(f"{name.rpartition('.')[2]} {show_value(value)}" for name, value in changed.items())
        whose = "" if stage.weights_of is None else f", from trial {stage.weights_of}'s weights"
        lines.append(f"{_epochs(stage.first_epoch, last)}{whose}: {what or 'as before'}")
        before = {**before, **stage.parameters}
    return lines


def _epochs(first: int, last: int) -> str:
    return f"epochs {first} to {last}" if first < last else f"epoch {first}"


def describe_inherited(results: StudyResults) -> str:
    """Say whose numbers on the front belong to a chain of weights, and how to get others; empty if none do."""
    inherited = [trial.number for trial in results.front if trial.ancestors]
    if not inherited or results.study.spec.get("confirms"):
        return ""
    return (
        f"{_numbered(inherited)} of the front went on with other trials' weights, so that "
        f"{'its' if len(inherited) == 1 else 'their'} scores are of a chain of trainings, and training times those of "
        f"the whole chain. 'tunefront confirm {results.study.name}' repeats the changes of settings from scratch, "
        "with new seeds."
    )


def describe_apart(results: StudyResults) -> str:
    """Say that the members of a population inherited only from those of their own machine; empty if from all."""
    if not results.are_populations_apart:
        return ""
    return (
        "Its members trained on several machines that did not see each other's checkpoints, so that each inherited "
        "only from members of its own machine. With --artifacts, a place that all machines reach, they are one "
        "population."
    )


def describe_replayed(finalists: Sequence[TrialRecord]) -> str:
    """Say which confirmed numbers are of a replayed course of settings, beside inherited ones; empty if none are."""
    staged = [trial.number for trial in finalists if trial.ancestors]
    if not staged:
        return ""
    is_one = len(staged) == 1
    return (
        f"{_numbered(staged)} went on with other trials' weights in the search: {'its' if is_one else 'their'} score "
        f'"in search" was inherited. Here {"its" if is_one else "their"} settings changed at the same epochs, from '
        "scratch and with weights of their own."
    )


def _numbered(numbers: Sequence[int]) -> str:
    return f"Trial{'s' if len(numbers) > 1 else ''} {', '.join(map(str, sorted(numbers)))}"
