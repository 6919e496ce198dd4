from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import numpy as np
import optuna
import pytest

from tests.storage.study_fixture import DATASET, SPEC
from tunefront.objectives.chance import Chance
from tunefront.objectives.dominance import dominating, on_front
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES, Axis
from tunefront.search.supervisor.live_front import LiveFront
from tunefront.storage import studies
from tunefront.storage.database.connection import Store, open_store

OBJECTIVES: dict[Axis, Objective] = {
    "accuracy": Objective(MEASURES["accuracy"], at_least=0.5),
    "memory": Objective(MEASURES["model_bytes"], at_most=1e6),
    "time": Objective(MEASURES["train_seconds"]),
}


def measured(accuracy: float, model_bytes: float, train_seconds: float) -> dict[str, float]:
    return {
        "accuracy": accuracy,
        "model_bytes": model_bytes,
        "train_seconds": train_seconds,
        "weight_bytes": 1.0,
        "peak_bytes": 7.0,
    }


_NUMBERS = count()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('fronts')}/tunefront.db", is_writer=True)
    yield opened
    opened.engine.dispose()


def front_of(store: Store, objectives: Mapping[Axis, Objective] = OBJECTIVES, **options: Any) -> LiveFront:
    """Return the live front of a study without trials."""
    measures = [objective.measure for objective in objectives.values()]
    directions, names = [each.direction for each in measures], [each.name for each in measures]
    study = studies.create(store, f"study {next(_NUMBERS)}", SPEC, DATASET, directions, names)
    return LiveFront(study, objectives, **options)


@pytest.fixture
def live_front(store: Store) -> LiveFront:
    return front_of(store)


def complete(live_front: LiveFront, *values: float) -> None:
    trial = live_front.study.optuna.ask()
    live_front.study.optuna.tell(trial, live_front.values(measured(*values)))


def test_values_are_in_the_order_of_the_objectives(live_front: LiveFront) -> None:
    assert live_front.values(measured(0.9, 1000.0, 2.0)) == (0.9, 1000.0, 2.0)


def test_violations_are_of_limits_that_were_measured(live_front: LiveFront) -> None:
    found = live_front.violations(measured(0.4, 2e6, 2.0))
    assert found == {"accuracy": pytest.approx(0.1), "model_bytes": pytest.approx(1e6)}
    assert live_front.violations({"model_bytes": 1e6}) == {"model_bytes": 0.0}  # the limit itself is allowed
    assert live_front.violations({}) == {}


@pytest.mark.parametrize(
    ("model_bytes", "expected"),
    [
        (1e6, ""),
        (1e6 + 1, "model_bytes 1 MB breaks its limit of at most 1 MB"),
        (2.5e6, "model_bytes 2.5 MB breaks its limit of at most 1 MB"),
    ],
)
def test_refusal_names_the_limit_that_is_broken_before_training(
    live_front: LiveFront, model_bytes: float, expected: str
) -> None:
    assert live_front.refusal({"model_bytes": model_bytes, "weight_bytes": 1.0}) == expected


def test_front_leaves_out_what_is_dominated_or_infeasible(live_front: LiveFront) -> None:
    complete(live_front, 0.7, 1000.0, 1.0)  # 0
    complete(live_front, 0.9, 5000.0, 2.0)  # 1
    complete(live_front, 0.9, 5000.0, 3.0)  # 2: dominated by 1
    complete(live_front, 0.4, 10.0, 0.1)  # 3: breaks a limit
    complete(live_front, 0.7, 1000.0, 1.0)  # 4: a tie with 0
    live_front.study.optuna.tell(live_front.study.optuna.ask(), state=optuna.trial.TrialState.PRUNED)
    live_front.study.optuna.ask()
    assert live_front.front() == [(1, (0.9, 5000.0, 2.0)), (0, (0.7, 1000.0, 1.0)), (4, (0.7, 1000.0, 1.0))]


def test_front_leaves_out_what_a_person_told_with_values_beyond_a_limit(live_front: LiveFront) -> None:
    for values in ((0.9, 2e6, 1.0), (0.4, 10.0, 0.1), (0.8, 1000.0, 1.0)):
        live_front.study.optuna.tell(
            live_front.study.optuna.ask(), values
        )  # without constraints, as the dashboard does
    assert live_front.front() == [(2, (0.8, 1000.0, 1.0))]


def test_beaten_is_what_another_one_within_the_limits_dominates(live_front: LiveFront) -> None:
    complete(live_front, 0.8, 1000.0, 1.0)  # 0: on the front
    complete(live_front, 0.8, 1000.0, 1.5)  # 1: dominated by 0
    complete(live_front, 0.9, 2e6, 1.0)  # 2: only a limit keeps it off the front
    complete(live_front, 0.7, 2e6, 1.0)  # 3: breaks a limit, and 0 dominates it
    complete(live_front, 0.9, 2e6, 3.0)  # 4: dominated by 2, which does not count
    complete(live_front, 0.8, 1000.0, 1.0)  # 5: a tie with 0
    assert live_front.beaten() == {1, 3}


def test_nothing_is_beaten_when_nothing_keeps_the_limits(live_front: LiveFront) -> None:
    complete(live_front, 0.4, 10.0, 0.1)
    assert live_front.beaten() == set()


def test_front_is_empty_when_nothing_is_feasible(live_front: LiveFront) -> None:
    assert live_front.front() == []
    complete(live_front, 0.4, 10.0, 0.1)
    assert live_front.front() == []


def test_front_begins_with_the_best_in_the_first_objective(store: Store) -> None:
    chosen: dict[Axis, Objective] = {axis: o for axis, o in OBJECTIVES.items() if axis != "accuracy"}
    live_front = front_of(store, chosen)
    for values in ((0.0, 900.0, 1.0), (0.0, 500.0, 3.0), (0.0, 700.0, 2.0)):
        complete(live_front, *values)
    assert [number for number, _ in live_front.front()] == [1, 2, 0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.95, 9000.0, 9.0), True),  # the most accurate
        ((0.6, 100.0, 9.0), True),  # the smallest
        ((0.9, 5000.0, 2.0), True),  # a tie
        ((0.9, 5000.0, 2.1), False),
        ((0.4, 1.0, 0.1), False),  # breaks a limit
        ((0.99, 2e6, 0.1), False),  # breaks the other
    ],
)
def test_is_on_front_of_a_trial_that_has_just_ended(
    live_front: LiveFront, values: tuple[float, float, float], expected: bool
) -> None:
    complete(live_front, 0.9, 5000.0, 2.0)
    complete(live_front, 0.4, 1.0, 0.1)  # infeasible: dominates nobody
    assert live_front.is_on_front(measured(*values)) is expected


def test_is_on_front_when_it_is_the_first(live_front: LiveFront) -> None:
    assert live_front.is_on_front(measured(0.5, 1e6, 100.0))


def test_what_enters_the_front_is_named_and_a_guess_is_called_one(store: Store) -> None:
    front = front_of(store, chance=Chance(0.55, 0.02))  # better than guessing is above 59 %
    complete(front, 0.9, 1000.0, 2.0)
    complete(front, 0.8, 2000.0, 3.0)
    complete(front, 0.59, 500.0, 1.0)
    assert [front.describe_entry(number) for number in range(3)] == [
        "; new on the front",
        "",
        "; new on the front, though no better than guessing",
    ]
    assert not front_of(store).is_guessing((0.0, 1.0, 1.0))  # chance is not known


def test_a_front_that_grows_is_that_of_all_trials_at_once(live_front: LiveFront) -> None:
    """Few values, so that there are ties, and trials that break a limit; looked at after each, or after several."""
    generator = np.random.default_rng(0)
    directions = [objective.measure.direction for objective in OBJECTIVES.values()]
    all_values: list[tuple[float, ...]] = []
    for number in range(40):
        values = tuple(float(each) for each in generator.choice([0.4, 0.6, 0.7, 0.8], 3) * (1, 1.4e6, 1))
        complete(live_front, *values)
        all_values.append(values)
        if number % 3 == 2:
            continue
        points = np.array(all_values)
        feasible = (points[:, 0] >= 0.5) & (points[:, 1] <= 1e6)
        members = np.flatnonzero(feasible)[on_front(points[feasible], directions)]
        beaten = [n for n, each in enumerate(points) if dominating(each, points[members], directions).any()]
        assert sorted(number for number, _ in live_front.front()) == members.tolist()
        assert live_front.beaten() == set(beaten)
    assert len(members) > 1
