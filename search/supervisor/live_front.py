"""The front of a running study, and the limits that its trials break.

It grows with the trials: each complete one is read and compared once, however many there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tunefront.objectives.chance import Chance
from tunefront.objectives.dominance import dominating
from tunefront.objectives.limits import Objective, broken_limit, violations
from tunefront.objectives.measures import Axis, Direction, known_early
from tunefront.storage.database.stored_trials import Detail, read_trials
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.trials import is_feasible

Values = tuple[float, ...]  # one for each objective


class _Members:
    """The members of the front among the trials that were added, and the trials that one of them dominates."""

    def __init__(self, directions: Sequence[Direction]) -> None:
        self.seen: Sequence[int] = ()  # see `TrialStates.complete`
        self.n_seen = 0
        self.beaten: set[int] = set()
        self.on_front: dict[int, Values] = {}
        self._off: dict[int, Values] = {}  # kept off the front by a limit alone
        self._directions = directions
        self._points = np.empty((0, len(directions)))

    def add(self, number: int, values: Values, *, is_feasible: bool) -> None:
        if np.isnan(values).any():
            return
        if self.is_dominated(values):
            self.beaten.add(number)
        elif not is_feasible:
            self._off[number] = values
        else:
            for others in (self.on_front, self._off):
                beaten = [other for other, found in others.items() if self._dominates(values, found)]
                self.beaten.update(beaten)
                for other in beaten:
                    del others[other]
            self.on_front[number] = values
            self._points = np.array(list(self.on_front.values()))

    def is_dominated(self, values: Values) -> bool:
        return bool(dominating(values, self._points, self._directions).any())

    def _dominates(self, values: Values, others: Values) -> bool:
        return bool(dominating(others, np.array([values]), self._directions).any())


@dataclass(frozen=True)
class LiveFront:
    """The complete trials of a study, of all workers, against its objectives.

    Attributes:
        extra: Limits on measures that are no objectives.
        chance: The score of guessing by the measure of accuracy; None if it is not known.
    """

    study: OpenStudy
    objectives: Mapping[Axis, Objective]
    extra: Sequence[Objective] = ()
    chance: Chance | None = None
    _known: list[_Members] = field(default_factory=list)

    @property
    def limits(self) -> list[Objective]:
        """Everything that may have a limit: the objectives, then other measures, in the order of the constraints."""
        return [*self.objectives.values(), *self.extra]

    def values(self, measurements: Mapping[str, float]) -> Values:
        """Return the values of the objectives, in the order of the store."""
        return tuple(measurements[objective.measure.name] for objective in self.objectives.values())

    def unmeasured(self, measurements: Mapping[str, float]) -> str:
        """Return the first measure of an objective or a limit that was not measured; empty if none is missing."""
        names = (objective.measure.name for objective in self.limits)
        return next((name for name in names if name not in measurements), "")

    def violations(self, measurements: Mapping[str, float]) -> dict[str, float]:
        """Return by how much each measured value breaks its limit, by measure; 0 or less keeps it."""
        return violations(self.limits, measurements)

    def refusal(self, measurements: Mapping[str, float]) -> str:
        """Return the limit that values known before training break; empty if they break none."""
        return self.broken_limit(known_early(measurements))

    def broken_limit(self, measurements: Mapping[str, float]) -> str:
        """Return the limit that measured values break; empty if they break none."""
        return broken_limit(self.limits, measurements)

    def is_on_front(self, measurements: Mapping[str, float]) -> bool:
        """Return whether a complete trial with these measurements is on the front."""
        if any(value > 0 for value in self.violations(measurements).values()):
            return False
        values = self.values(measurements)
        return not np.isnan(values).any() and not self._members().is_dominated(values)

    def front(self) -> list[tuple[int, Values]]:
        """Return number and values of each trial on the front so far, the best in the first objective first."""
        sign = -1 if self._directions[0] == "maximize" else 1
        return sorted(self._members().on_front.items(), key=lambda member: (sign * member[1][0], member[0]))

    def is_guessing(self, values: Values) -> bool:
        """Return whether a trial's score is no better than guessing; False where that is not known."""
        if self.chance is None or "accuracy" not in self.objectives:
            return False
        return not self.chance.is_beaten_by(values[list(self.objectives).index("accuracy")])

    def describe_entry(self, number: int) -> str:
        """Say as the end of a line that a complete trial has come on the front; empty if it has not."""
        values = dict(self.front()).get(number)
        if values is None:
            return ""
        return "; new on the front" + (", though no better than guessing" if self.is_guessing(values) else "")

    def beaten(self) -> set[int]:
        """Return the numbers of the complete trials that another one within the limits dominates.

        Trials that only a limit keeps off the front are not among them, because the limit may be relaxed.
        """
        return self._members().beaten

    @property
    def _directions(self) -> list[Direction]:
        return [objective.measure.direction for objective in self.objectives.values()]

    def _members(self) -> _Members:
        """Return the members after all trials that are complete by now."""
        complete = self.study.states.complete()
        if not self._known or self._known[0].seen is not complete:  # the first time, or trials are gone
            self._known[:] = [_Members(self._directions)]
            self._known[0].seen = complete
        members = self._known[0]
        if members.n_seen < len(complete):
            ids = {self.study.trial_id(number) for number in complete[members.n_seen :]}
            with self.study.store.reading() as connection:
                new = read_trials(connection, self.study.study_id, ids, detail=Detail.NOTHING)
            for trial in new:
                is_within = is_feasible(trial, list(self.objectives.values()), self.extra)
                members.add(trial.number, tuple(trial.values), is_feasible=is_within)
            members.n_seen = len(complete)
        return members
