"""The front of a running study, and the limits that its trials break."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import optuna
from optuna.trial import TrialState

from tunefront.objectives.chance import Chance
from tunefront.objectives.dominance import dominating, on_front
from tunefront.objectives.limits import Objective, broken_limit, violations
from tunefront.objectives.measures import Axis, Direction, known_early
from tunefront.storage.trials import is_feasible

Values = tuple[float, ...]  # one for each objective


@dataclass(frozen=True)
class LiveFront:
    """The complete trials of a study, of all workers, against its objectives.

    Attributes:
        extra: Limits on measures that are no objectives.
        chance: The score of guessing by the measure of accuracy; None if it is not known.
    """

    study: optuna.Study
    objectives: Mapping[Axis, Objective]
    extra: Sequence[Objective] = ()
    chance: Chance | None = None

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
        points = [self.values(measurements), *(values for _, values in self._feasible())]
        return bool(on_front(np.array(points), self._directions)[0])

    def front(self) -> list[tuple[int, Values]]:
        """Return number and values of each trial on the front so far, the best in the first objective first."""
        feasible = self._feasible()
        if not feasible:
            return []
        mask = on_front(np.array([values for _, values in feasible]), self._directions)
        sign = -1 if self._directions[0] == "maximize" else 1
        members = (member for member, is_on in zip(feasible, mask, strict=True) if is_on)
        return sorted(members, key=lambda member: sign * member[1][0])

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
        members = np.array([values for _, values in self.front()]).reshape(-1, len(self.objectives))
        complete = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return {trial.number for trial in complete if dominating(trial.values, members, self._directions).any()}

    @property
    def _directions(self) -> list[Direction]:
        return [objective.measure.direction for objective in self.objectives.values()]

    def _feasible(self) -> list[tuple[int, Values]]:
        complete = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return [
            (trial.number, tuple(trial.values))
            for trial in complete
            if is_feasible(trial, list(self.objectives.values()), self.extra)
        ]
