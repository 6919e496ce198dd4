from __future__ import annotations

from inspect import signature

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from tunefront.reports.dashboard.front import best_trials

DIRECTIONS = [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE]


def trial(number: int, *values: float, violations: list[float] | None = None, key: str = "constraints") -> FrozenTrial:
    attributes = {} if violations is None else {key: violations if key == "constraints" else violations[0]}
    state = TrialState.COMPLETE if values else TrialState.PRUNED
    made = optuna.trial.create_trial(state=state, values=values or None, system_attrs=attributes)
    made.number = number
    return made


def test_best_trials_keep_the_limits() -> None:
    trials = [
        trial(0, 0.21, 10.0, violations=[0.29]),  # the smallest, and no choice
        trial(1, 0.9, 50.0, violations=[-0.4]),
        trial(2, 0.8, 60.0, violations=[-0.3]),  # 1 beats it
        trial(3, 0.6, 20.0, violations=[0.0]),  # the limit itself is allowed
        trial(4, 0.9, 50.0, violations=[-0.4]),  # a tie
        trial(5, violations=[0.0]),  # stopped
        trial(6, 0.4, 15.0, violations=[0.1], key="constraints:accuracy"),  # as an older tunefront stored it
    ]
    assert [found.number for found in best_trials(trials, DIRECTIONS)] == [1, 3, 4]
    assert best_trials([trials[0]], DIRECTIONS) == []
    assert best_trials([], DIRECTIONS) == []


def test_the_dashboard_still_has_the_functions_that_are_replaced() -> None:
    from optuna_dashboard import _app, _pareto_front, _storage

    trials = [trial(0, 0.9, 50.0), trial(1, 0.6, 20.0), trial(2, 0.6, 30.0)]
    assert {t.number for t in _pareto_front.get_pareto_front_trials(trials=trials, directions=DIRECTIONS)} == {0, 1}
    assert {t.number for t in best_trials(trials, DIRECTIONS)} == {0, 1}
    assert {"get_pareto_front_trials", "get_trials", "get_study"} <= vars(_app).keys()
    assert list(signature(_storage.get_trials).parameters) == ["in_memory_cache", "storage", "study_id"]
    assert list(signature(_storage.get_study).parameters) == ["storage", "study_id"]
