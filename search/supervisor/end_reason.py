"""The reason why a supervisor stopped, and what it means for the study."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

from tunefront.objectives.quantities import format_quantity
from tunefront.search.spec.study_spec import StudySpec


class Ending(enum.Enum):
    """The reasons why a supervisor stops."""

    DONE = "done"
    TIME_LIMIT = "out of time"
    NO_GROWTH = "the front no longer grows"
    GRID_DONE = "the grid is done"
    SPACE_DONE = "the space is done"
    STOPPED = "the study was stopped"
    INTERRUPTED = "interrupted"
    TOO_MANY_FAILURES = "too many failures"
    TOO_MANY_REFUSALS = "too many refusals"

    @property
    def is_early(self) -> bool:
        """Whether the study is done although it has not all its trials."""
        return self in (Ending.TIME_LIMIT, Ending.NO_GROWTH, Ending.GRID_DONE, Ending.SPACE_DONE)

    @property
    def is_over(self) -> bool:
        """Whether the study needs no further trial, unless a person changes that."""
        return self.is_early or self in (Ending.DONE, Ending.TOO_MANY_FAILURES, Ending.TOO_MANY_REFUSALS)


def describe_early_end(ending: Ending, spec: StudySpec) -> str:
    """Return a sentence that says why a study is done before it has all its trials; empty for other endings."""
    if ending is Ending.TIME_LIMIT:
        return f"its time is used up: stop.time_limit is {format_quantity(spec.stop.time_limit or 0.0, 'seconds')}"
    if ending is Ending.NO_GROWTH:
        return f"none of the last {spec.stop.patience} finished trials came on the front: that is stop.patience"
    if ending is Ending.SPACE_DONE:
        return "every candidate of its space was tried, and none is trained twice"
    return "every point of its grid was tried" if ending is Ending.GRID_DONE else ""


def describe_going_on(ending: Ending) -> str:
    """Return what to change so that a study that ended early goes on."""
    if ending is Ending.GRID_DONE:
        return "A larger grid is another study: give it another name"
    if ending is Ending.SPACE_DONE:
        return "A larger space is another study: give it another name"
    key = "stop.time_limit" if ending is Ending.TIME_LIMIT else "stop.patience"
    return f"Raise {key} and the same command goes on with it"


@dataclass(frozen=True)
class ExitMessage:
    """The message for a person at the end of a run, and the exit code; empty and 0 if the study has all its trials."""

    text: str
    exit_code: int


@dataclass(frozen=True)
class CommonReason:
    """The most frequent reason why trials failed, or were refused.

    Attributes:
        n_alike: The number of trials that ended for this reason.
        n_ended: The number of trials that ended in this way, for any reason.
        n_finished: The number of trials that are complete or pruned.
    """

    text: str
    n_alike: int
    n_ended: int
    n_finished: int

    @property
    def is_the_cause(self) -> bool:
        """Whether more trials would end for the same reason, because at least nine of ten did."""
        return self.n_alike >= 0.9 * self.n_ended


_KEPT = "every finished trial is kept, and trainings go on from their last checkpoint"


def describe_stop(
    ending: Ending,
    spec: StudySpec,
    again: str,
    status: str,
    resume: str,
    logs: Path,
    reason: CommonReason | None = None,
) -> ExitMessage:
    """Return a message on what happened and how to go on.

    Args:
        again: The command that continues the study.
        status: The command that shows the study.
        resume: The command that opens a stopped study again.
        logs: The folder of the trials' output.
        reason: The most frequent reason, if trials failed or were refused.
    """
    if ending is Ending.DONE:
        return ExitMessage("", 0)
    if ending.is_early:
        return ExitMessage(
            f"The study is done early: {describe_early_end(ending, spec)}. {describe_going_on(ending)}", 0
        )
    if ending is Ending.INTERRUPTED:
        return ExitMessage(f"Interrupted; {_KEPT}. Go on with:\n  {again}", 130)
    if ending is Ending.STOPPED:
        return ExitMessage(
            f"The study is over, because a person stopped it; {_KEPT}. Open it again, and go on with it:\n"
            f"  {resume}\n  {again}",
            0,
        )
    key, remedy = "max_failures", "Change what causes them and give the study another name, or raise max_failures, and"
    if ending is Ending.TOO_MANY_REFUSALS:
        key, remedy = (
            "max_refusals",
            "Relax the limit that they break, which queues them again, or raise max_refusals, and",
        )
    if reason is not None and reason.is_the_cause:
        return ExitMessage(_describe_cause(ending, spec, key, again, logs, reason), 1)
    return ExitMessage(
        f"The study stopped: {ending.value}, more than {key} = {getattr(spec, key)}. Their reasons are above "
        f"and in '{status}', their output is in {logs}. {remedy} go on with:\n  {again}",
        1,
    )


def _describe_cause(ending: Ending, spec: StudySpec, key: str, again: str, logs: Path, reason: CommonReason) -> str:
    """Describe the one reason for which nearly all trials end; it comes first, because it would end more of them."""
    what = "failed" if ending is Ending.TOO_MANY_FAILURES else "were refused"
    how_many = f"all {reason.n_ended}" if reason.n_alike == reason.n_ended else f"{reason.n_alike} of {reason.n_ended}"
    text = f"The study stopped: {how_many} trials that {what} did so for one reason:\n  {reason.text}\n"
    if ending is Ending.TOO_MANY_REFUSALS:
        remedy = "Relax that limit, which queues them again, or change the ranges in [space] under another name"
        return text + f"{remedy}:\n  {again}"
    text += f"Their output is in {logs}. "
    if not reason.n_finished:
        return text + (
            f"Mend that first: more trials would end the same way. No trial is finished, so nothing is lost by "
            f"starting anew, with 'tunefront delete {spec.name} --results' or under another name:\n  {again}"
        )
    return text + (
        "Mend that first: more trials would end the same way. If the spec must change, give it another name; if not, "
        f"go on with {key} above {reason.n_ended}:\n  {again}"
    )
