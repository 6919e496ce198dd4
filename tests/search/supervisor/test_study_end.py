"""The time that a search was worked on, and the trials since its front last grew."""

from __future__ import annotations

import optuna
import pytest
from optuna.trial import TrialState

from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES
from tunefront.search.supervisor.study_end import n_since_growth, search_seconds
from tunefront.storage.studies import WorkerRecord


def worker(name: str, started_at: float, seen_at: float) -> WorkerRecord:
    return WorkerRecord(name, "host", 1, {}, started_at, seen_at)


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], 10.0),  # a worker that did not register knows its own seconds
        ([worker("me", 100.0, 105.0)], 10.0),  # its own clock is finer than what it noted
        ([worker("me", 100.0, 105.0), worker("old", 20.0, 50.0)], 40.0),  # a pause does not count
        ([worker("me", 100.0, 105.0), worker("with", 95.0, 105.0)], 15.0),  # time worked together counts once
        ([worker("me", 100.0, 105.0), worker("a", 0.0, 60.0), worker("b", 10.0, 20.0), worker("c", 50.0, 70.0)], 80.0),
    ],
)
def test_search_seconds(others: list[WorkerRecord], expected: float) -> None:
    assert search_seconds(others, "me", 10.0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("values", "order", "expected"),
    [
        ([], [], 0),
        ([(0.5, 10.0)], [0], 0),
        ([(0.5, 10.0), (0.4, 20.0), (0.5, 10.0)], [0, 1, 2], 2),  # beaten, and equal
        ([(0.5, 10.0), (0.4, 5.0)], [0, 1], 0),  # worse in one and better in another
        ([(0.5, 10.0), (0.4, 20.0), (0.6, 10.0)], [2, 0, 1], 2),  # in the order of ending, not of number
        ([(0.5, 10.0), None, None], [0, 1, 2], 2),  # pruned
        ([None, None], [0, 1], 2),  # no front yet
        ([(0.5, 10.0), (0.9, 20.0)], [0, 1], 0),
        ([(0.5, 10.0), (0.9, 40.0)], [0, 1], 1),  # breaks the limit
        ([(0.5, 10.0), (0.9, 40.0), (0.6, 10.0)], [0, 1, 2], 0),
    ],
)
def test_n_since_growth(values: list[tuple[float, float] | None], order: list[int], expected: int) -> None:
    objectives = [Objective(MEASURES["accuracy"]), Objective(MEASURES["model_bytes"], at_most=30.0)]
    study = optuna.create_study(directions=["maximize", "minimize"])
    for value in values:
        study.tell(study.ask(), value, state=TrialState.PRUNED if value is None else None)
    assert n_since_growth(study, order, objectives) == expected
