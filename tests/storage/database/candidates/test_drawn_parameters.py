"""The parameters of a candidate that are written in one transaction: rows, errors and repetition as by Optuna."""

from __future__ import annotations

from typing import Any

import optuna
import pytest
import sqlalchemy as sa
from optuna.distributions import BaseDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from tests.search.supervisor.outage_fixture import on_statement
from tests.storage.study_fixture import StudyFixture
from tunefront.storage.database.candidates.drawn_parameters import DrawnParameters
from tunefront.storage.database.optuna_tables import trial_params

FIXED = {"kind": "deep", "drop": 0.25}


def drawn_on(fixture: StudyFixture) -> DrawnParameters:
    return DrawnParameters(fixture.store.engine, fixture.study.study_id)


def start(fixture: StudyFixture, seed: int, fixed: dict[str, Any] | None = None) -> optuna.Trial:
    fixture.study.optuna.sampler = RandomSampler(seed=seed)
    if fixed is not None:
        fixture.study.optuna.enqueue_trial(fixed)
    return fixture.study.optuna.ask()


def suggest(trial: optuna.Trial) -> list[Any]:
    """Draw a parameter of each sort, one of them twice, and some only where another has a value."""
    kind = trial.suggest_categorical("kind", ["flat", "deep", None, 2.5, True])
    found = [kind, trial.suggest_float("rate", 1e-4, 0.1, log=True), trial.suggest_int("units", 8, 64, step=8)]
    if kind == "deep":
        found.append(trial.suggest_int("layers", 2, 2))
    found += [trial.suggest_float("drop", 0.0, 0.5, step=0.125), trial.suggest_float("rate", 1e-4, 0.1, log=True)]
    return found


def rows(fixture: StudyFixture, trial: optuna.Trial) -> list[tuple[Any, ...]]:
    """Return all that the table has of a trial's parameters, in the order in which it got them."""
    columns = (trial_params.c.param_name, trial_params.c.param_value, trial_params.c.distribution_json)
    query = sa.select(*columns).where(trial_params.c.trial_id == trial._trial_id).order_by(trial_params.c.param_id)
    with fixture.store.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]


@pytest.mark.parametrize("fixed", [None, FIXED])
def test_rows_and_values_are_those_of_optuna(fixture: StudyFixture, fixed: dict[str, Any] | None) -> None:
    drawn = drawn_on(fixture)
    for seed in range(4):  # later ones meet parameters of earlier trials
        by_optuna = start(fixture, seed, fixed)
        expected = suggest(by_optuna)
        ours = start(fixture, seed, fixed)
        with drawn.of(ours):
            assert suggest(ours) == expected
            assert rows(fixture, ours) == []
        assert rows(fixture, ours) == rows(fixture, by_optuna) != []
        read = fixture.study.optuna.get_trials()
        assert (read[-1].params, read[-1].distributions) == (read[-2].params, read[-2].distributions)
        assert (ours.params, ours.distributions) == (by_optuna.params, by_optuna.distributions)
        assert suggest(ours) == expected  # from what the trial knows, through Optuna's own storage again


def draw_after_another(drawn: DrawnParameters, trial: optuna.Trial, name: str, distribution: BaseDistribution) -> None:
    with drawn.of(trial):
        trial.suggest_float("drop", 0.0, 0.5, step=0.125)
        trial._suggest(name, distribution)


@pytest.mark.parametrize("is_known", [False, True])
def test_another_distribution_is_refused_as_by_optuna(fixture: StudyFixture, is_known: bool) -> None:
    drawn, first = drawn_on(fixture), start(fixture, 0)
    if is_known:
        with drawn.of(first):
            suggest(first)
    else:
        suggest(first)
    others: dict[str, BaseDistribution] = {
        "kind": optuna.distributions.CategoricalDistribution(["flat", "deep"]),
        "rate": optuna.distributions.FloatDistribution(1e-4, 0.1),
    }
    for name, other in others.items():
        by_optuna, ours = start(fixture, 1), start(fixture, 1)
        with pytest.raises(ValueError) as expected:  # noqa: PT011 - its words are compared
            by_optuna._suggest(name, other)
        with pytest.raises(ValueError) as found:  # noqa: PT011
            draw_after_another(drawn, ours, name, other)
        assert str(found.value) == str(expected.value)
        assert [row[0] for row in rows(fixture, ours)] == ["drop"]


def test_what_could_not_be_written_is_written_the_next_time(fixture: StudyFixture) -> None:
    drawn, trial = drawn_on(fixture), start(fixture, 0)

    def fail() -> None:
        raise sa.exc.OperationalError("INSERT", None, Exception("the server is away"))

    with (
        on_statement(fixture.store.engine, "INSERT INTO trial_params", fail),
        pytest.raises(sa.exc.OperationalError),
        drawn.of(trial),
    ):
        first = suggest(trial)
    assert rows(fixture, trial) == []
    with drawn.of(trial):
        assert suggest(trial) == first
    assert len(rows(fixture, trial)) == len(trial.params) >= 4


def test_a_candidate_that_another_worker_has_written_is_no_error(fixture: StudyFixture) -> None:
    trial = start(fixture, 0)
    again = optuna.Trial(fixture.study.optuna, trial._trial_id)
    with drawn_on(fixture).of(again):
        suggest(trial)
        fixture.study.optuna.sampler = RandomSampler(seed=0)
        suggest(again)
    assert again.params == trial.params
    assert [row[0] for row in rows(fixture, trial)] == list(trial.params)


def test_a_trial_that_has_ended_takes_no_parameters(fixture: StudyFixture) -> None:
    trial = start(fixture, 0)

    def end_meanwhile() -> None:
        with drawn_on(fixture).of(trial):
            suggest(trial)
            fixture.study.optuna.tell(trial.number, state=TrialState.FAIL)

    with pytest.raises(UpdateFinishedTrialError):
        end_meanwhile()
    assert rows(fixture, trial) == []
