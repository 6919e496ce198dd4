"""Where trials stand while a study runs: limits as constraints, and the front so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import optuna
from optuna.trial import TrialState

from objectives import MEASURES, Axis, Direction, Objective, on_front
from storage.trials import is_feasible

_KNOWN_EARLY = {name for name, measure in MEASURES.items() if measure.is_known_before_training}

Values = tuple[float, ...]  # one for each objective


@dataclass(frozen=True)
class Standing:
    """The complete trials of a study, of all workers, against its objectives."""

    study: optuna.Study
    objectives: Mapping[Axis, Objective]

    def values(self, measurements: Mapping[str, float]) -> Values:
        """One value for each objective, in the order of the store."""
        return tuple(measurements[objective.measure.name] for objective in self.objectives.values())

    def unmeasured(self, measurements: Mapping[str, float]) -> str:
        """The first objective's measure that is missing; empty if none is."""
        names = (objective.measure.name for objective in self.objectives.values())
        return next((name for name in names if name not in measurements), "")

    def constraints(self, measurements: Mapping[str, float]) -> dict[str, float]:
        """Limits as Optuna's constraints, as far as measured: above 0 is infeasible."""
        return {
            objective.measure.name: objective.violation(measurements[objective.measure.name])
            for objective in self.objectives.values()
            if objective.has_limit and objective.measure.name in measurements
        }

    def early_constraints(self, measurements: Mapping[str, float]) -> dict[str, float]:
        """The same of what is known before training: of a trial that was stopped, no other measurement is its end's."""
        return self.constraints(_known_early(measurements))

    def refusal(self, measurements: Mapping[str, float]) -> str:
        """Which limit is broken by what is known before training; empty if none is."""
        return self.violation(_known_early(measurements))

    def violation(self, measurements: Mapping[str, float]) -> str:
        """Which limit is broken by what was measured; empty if none is."""
        for objective in self.objectives.values():
            value = measurements.get(objective.measure.name)
            if value is not None and objective.violation(value) > 0:
                return objective.describe_violation(value)
        return ""

    def is_on_front(self, measurements: Mapping[str, float]) -> bool:
        """Whether a trial with these measurements, complete by now, is on the front of all."""
        if any(value > 0 for value in self.constraints(measurements).values()):
            return False
        points = [self.values(measurements), *(values for _, values in self._feasible())]
        return bool(on_front(np.array(points), self._directions)[0])

    def front(self) -> list[tuple[int, Values]]:
        """Number and values of each trial on the front so far, the best in the first objective first."""
        feasible = self._feasible()
        if not feasible:
            return []
        mask = on_front(np.array([values for _, values in feasible]), self._directions)
        sign = -1 if self._directions[0] == "maximize" else 1
        members = (member for member, is_on in zip(feasible, mask, strict=True) if is_on)
        return sorted(members, key=lambda member: sign * member[1][0])

    def beaten(self) -> set[int]:
        """Numbers of the complete trials that are not on the front."""
        complete = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return {trial.number for trial in complete} - {number for number, _ in self.front()}

    @property
    def _directions(self) -> list[Direction]:
        return [objective.measure.direction for objective in self.objectives.values()]

    def _feasible(self) -> list[tuple[int, Values]]:
        complete = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return [
            (trial.number, tuple(trial.values)) for trial in complete if is_feasible(trial, self.objectives.values())
        ]


def _known_early(measurements: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in measurements.items() if name in _KNOWN_EARLY}
