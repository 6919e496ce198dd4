"""The good trials against Optuna's own division of all trials, after each trial that has ended."""

from __future__ import annotations

import random

import optuna
import pytest
from optuna.samplers._tpe.sampler import _split_trials, default_gamma, default_gamma_multiobjective
from optuna.trial import FrozenTrial, TrialState

from tunefront.search.sampling import good_trials
from tunefront.search.sampling.good_trials import GoodTrials


def ended(number: int, n_values: int, chance: random.Random, *, has_limits: bool) -> FrozenTrial:
    """Return a trial that may be stopped, or break a limit; values are round, so that some are equal."""
    is_complete = chance.random() < 0.85
    values = [round(chance.random() * (1 - number / 1000), 2) for _ in range(n_values)]
    return FrozenTrial(
        number=number,
        state=TrialState.COMPLETE if is_complete else TrialState.PRUNED,
        value=None,
        values=values if is_complete else None,
        datetime_start=None,
        datetime_complete=None,
        params={},
        distributions={},
        user_attrs={},
        system_attrs={"constraints": [chance.uniform(-1, 0.3)]} if has_limits else {},
        intermediate_values={},
        trial_id=number,
    )


@pytest.mark.parametrize("n_at_once", [1, 7])
@pytest.mark.parametrize("has_limits", [False, True])
@pytest.mark.parametrize("directions", [["maximize", "minimize", "minimize"], ["maximize", "minimize"], ["minimize"]])
def test_good_trials_are_those_of_optuna_in_whatever_order_trials_end(
    directions: list[str], has_limits: bool, n_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(good_trials, "_MANY", 5)  # seven at once are ranked with all others
    chance, study = random.Random(len(directions)), optuna.create_study(directions=directions)
    trials = [ended(number, len(directions), chance, has_limits=has_limits) for number in range(210)]
    order = sorted(trials, key=lambda trial: trial.number + chance.random() * 9)
    gamma = default_gamma if len(directions) == 1 else default_gamma_multiobjective
    good, met = GoodTrials(), []
    assert good.numbers(study) == []
    for start in range(0, len(order), n_at_once):
        for trial in order[start : start + n_at_once]:
            good.add(trial)
            met.append(trial)
        below, _ = _split_trials(study, sorted(met, key=lambda trial: trial.number), gamma(len(met)))
        assert sorted(good.numbers(study)) == [trial.number for trial in below]


def test_where_all_trials_break_a_limit_the_least_bad_ones_are_good() -> None:
    study, good = optuna.create_study(directions=["minimize", "minimize"]), GoodTrials()
    for number in range(20):
        trial = ended(number, 2, random.Random(0), has_limits=False)
        trial.system_attrs["constraints"] = [float(abs(number - 12) + 1)]
        good.add(trial)
    assert sorted(good.numbers(study)) == [11, 12]  # 13 is as bad as 11, and newer
