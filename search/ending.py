"""Why a supervisor stopped, and what that means for the study."""

from __future__ import annotations

import enum

from objectives import format_quantity
from search.spec import StudySpec


class Ending(enum.Enum):
    """Why a supervisor stopped."""

    DONE = "done"
    TIME_LIMIT = "out of time"
    NO_GROWTH = "the front no longer grows"
    GRID_DONE = "the grid is done"
    INTERRUPTED = "interrupted"
    TOO_MANY_FAILURES = "too many failures"
    TOO_MANY_REFUSALS = "too many refusals"

    @property
    def is_early(self) -> bool:
        """Whether the study is done, though it has not all its trials."""
        return self in (Ending.TIME_LIMIT, Ending.NO_GROWTH, Ending.GRID_DONE)


def describe_early_end(ending: Ending, spec: StudySpec) -> str:
    """Why a study is done before it has all its trials, in a sentence; empty for other endings."""
    if ending is Ending.TIME_LIMIT:
        return f"its time is used up: stop.time_limit is {format_quantity(spec.stop.time_limit or 0.0, 'seconds')}"
    if ending is Ending.NO_GROWTH:
        return f"none of the last {spec.stop.patience} finished trials came on the front: that is stop.patience"
    return "every point of its grid was tried" if ending is Ending.GRID_DONE else ""


def describe_going_on(ending: Ending) -> str:
    """What to change for a study that ended early to go on."""
    if ending is Ending.GRID_DONE:
        return "A larger grid is another study: give it another name"
    key = "stop.time_limit" if ending is Ending.TIME_LIMIT else "stop.patience"
    return f"Raise {key} and the same command goes on with it"
