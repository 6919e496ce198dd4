"""Trials that are not worth their time: refused before training, stopped early, or outside the limits."""

from __future__ import annotations

import optuna
import pytest

from tests.search.stub_trials import StubTrial
from tests.search.supervisor.choice_fixture import MakeFixture
from tunefront.search.supervisor.end_reason import Ending

pytestmark = pytest.mark.usefixtures("fork_server")


def test_a_trial_is_refused_when_it_breaks_a_limit_before_training(make_fixture: MakeFixture) -> None:
    limits = {"memory": {"measure": "model_bytes", "at_most": "1 kB"}, "accuracy": "accuracy"}
    fixture = make_fixture(
        {0: StubTrial(model_bytes=1001.0), 2: StubTrial(model_bytes=5e6)}, trials=2, objectives=limits
    )
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["refused", "complete", "refused", "complete"]
    refused = fixture.trials()[2]
    assert refused.reason == "model_bytes 5 MB breaks its limit of at most 1 kB"
    assert refused.epochs == []
    assert not refused.is_feasible
    assert fixture.trials()[1].is_feasible
    assert fixture.living_trials() == []


def test_limits_hold_on_measures_that_are_no_objectives(make_fixture: MakeFixture) -> None:
    # The stub's weights are a third of its model; its validation takes 0.75 s in all.
    limits = {"weight_bytes": 400.0, "train_seconds": 4.0}
    plan = {
        0: StubTrial(model_bytes=1500.0),
        1: StubTrial(train_seconds=2.0, accuracies=(0.9, 0.9, 0.9)),
        2: StubTrial(accuracies=(0.5, 0.5, 0.5)),
    }
    objectives = {"accuracy": "accuracy", "memory": "model_bytes", "time": "validation_seconds"}
    fixture = make_fixture(plan, trials=2, objectives=objectives, limits=limits)
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["refused", "complete", "complete"]
    trials = fixture.trials()
    assert trials[0].reason == "weight_bytes 500 B breaks its limit of at most 400 B"
    assert trials[1].reason == "train_seconds 6 s breaks its limit of at most 4 s"
    assert [trial.is_feasible for trial in trials] == [False, False, True]
    assert [trial.number for trial in trials if trial.model_path] == [2]  # the more accurate one breaks a limit


def test_a_trial_fails_when_a_measure_with_a_limit_was_not_measured(make_fixture: MakeFixture) -> None:
    fixture = make_fixture(trials=1, max_failures=0, limits={"peak_bytes": 1e9})
    assert fixture.run() is Ending.TOO_MANY_FAILURES
    assert "peak_bytes cannot be measured on this machine" in fixture.trials()[0].reason


def test_a_trial_is_pruned_when_it_is_dominated(make_fixture: MakeFixture) -> None:
    pruner = {"name": "pareto", "min_epochs": 1, "tolerance": False}  # the first ten are alike
    plan = {number: StubTrial(accuracies=(0.9, 0.9, 0.9)) for number in range(10)}
    plan[10] = StubTrial(accuracies=(0.5, 0.95, 0.95), model_bytes=2000.0, train_seconds=2.0)  # after its first epoch
    plan[11] = StubTrial(accuracies=(0.95, 0.5, 0.5), model_bytes=2000.0, train_seconds=2.0)
    fixture = make_fixture(plan, n_slots=1, trials=12, pruner=pruner)
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["complete"] * 10 + ["pruned", "complete"]
    pruned = fixture.trials()[10]
    assert [epoch.epoch for epoch in pruned.epochs] == [1]
    assert "trial 0 dominates it" in pruned.reason
    assert pruned.measurements["train_seconds"] == 2.0
    assert fixture.counts().finished == 12
    assert fixture.living_trials() == []


def test_values_outside_the_limits_are_complete_but_not_on_the_front(make_fixture: MakeFixture) -> None:
    limits = {"accuracy": {"measure": "accuracy", "at_least": 0.8}, "memory": "model_bytes"}
    fixture = make_fixture({1: StubTrial(accuracies=(0.9, 0.9, 0.9))}, trials=2, objectives=limits)
    fixture.run()
    assert [trial.is_feasible for trial in fixture.trials()] == [False, True]
    assert fixture.kept_models() == ["trial-1.keras"]


def test_samplers_learn_of_a_stopped_trial_only_what_its_end_would_have_kept_or_broken(
    make_fixture: MakeFixture,
) -> None:
    objectives = {
        "accuracy": {"measure": "accuracy", "at_least": 0.55},
        "memory": {"measure": "model_bytes", "at_most": 1e9},
        "time": {"measure": "train_seconds", "at_most": 10.0},
    }
    plan = {number: StubTrial(accuracies=(0.5, 0.6, 0.7), train_seconds=2.0) for number in range(8)}
    fixture = make_fixture(
        {**plan, 8: StubTrial(accuracies=(0.5, 0.6, 0.7), train_seconds=50.0)},
        trials=9,
        objectives=objectives,
        pruner={"name": "pareto"},
    )
    assert fixture.run() is Ending.DONE
    assert "breaks its limit of at most 10 s" in fixture.trials()[8].reason
    (stopped,) = fixture.study.optuna.get_trials(states=(optuna.trial.TrialState.PRUNED,))
    of_accuracy, of_memory, of_time = stopped.system_attrs["constraints"]
    assert of_accuracy == 0  # nobody knows it
    assert of_memory < 0 < of_time
