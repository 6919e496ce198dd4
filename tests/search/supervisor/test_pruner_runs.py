"""What each pruner stops while a study runs, and which values it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.search.stub_trials import StubTrial
from tests.search.supervisor.choice_fixture import SINGLE, MakeFixture
from tests.search.supervisor_fixture import SupervisorFixture
from tunefront.search.supervisor.end_reason import Ending

pytestmark = pytest.mark.usefixtures("fork_server")


def intermediate_values(fixture: SupervisorFixture) -> list[Mapping[int, float]]:
    return [trial.intermediate_values for trial in fixture.study.optuna.get_trials()]


def test_the_median_pruner_stops_what_is_below_the_median(make_fixture: MakeFixture) -> None:
    plan = {number: StubTrial(accuracies=(0.5, 0.6, 0.7)) for number in range(5)}
    plan |= {
        5: StubTrial(accuracies=(0.5, 0.4, 0.9)),
        6: StubTrial(accuracies=(0.4, 0.9, 0.9)),
        7: StubTrial(accuracies=(0.6, 0.7, 0.9)),
    }
    fixture = make_fixture(plan, trials=8, pruner={"name": "median"}, **SINGLE)
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["complete"] * 5 + ["pruned", "pruned", "complete"]
    assert fixture.trials()[5].reason == "epoch 2: stopped by the median rule at accuracy 40.00 %"
    assert "trial 5 stopped at 2/3: accuracy 40.00 %, by the median rule" in fixture.view.lines
    assert fixture.view.snapshots[0].epochs_saved == 0
    assert [len(trial.epochs) for trial in fixture.trials()] == [3] * 5 + [2, 1, 3]
    assert intermediate_values(fixture)[5:] == [{1: 0.5, 2: 0.4}, {1: 0.4}, {1: 0.6, 2: 0.7, 3: 0.9}]


@pytest.mark.parametrize(
    ("pruner", "accuracies", "n_epochs"),
    [
        ({"name": "percentile", "percentile": 25.0, "n_startup_trials": 2}, (0.5, 0.6, 0.7), 3),
        ({"name": "percentile", "percentile": 25.0, "n_startup_trials": 2}, (0.4, 0.6, 0.7), 1),
        ({"name": "successive_halving", "reduction_factor": 2}, (0.1, 0.6, 0.7), 1),
        ({"name": "successive_halving", "reduction_factor": 2}, (0.9, 0.1, 0.7), 2),
        ({"name": "hyperband", "reduction_factor": 2}, (0.9, 0.9, 0.9), 3),
        ({"name": "threshold", "lower": 0.3}, (0.5, 0.2, 0.7), 2),
        ({"name": "threshold", "lower": 0.3, "n_warmup_steps": 1}, (0.2, 0.5, 0.7), 3),
        ({"name": "threshold", "lower": 0.3, "n_warmup_steps": 1}, (0.2, 0.2, 0.7), 2),
        ({"name": "threshold", "lower": 0.3, "interval_steps": 2}, (0.5, 0.2, 0.7), 3),  # judged at 1, 3, ...
        ({"name": "patient", "patience": 0}, (0.5, 0.4, 0.7), 2),
        ({"name": "patient", "patience": 0, "wrapped": {"name": "median", "n_startup_trials": 9}}, (0.5, 0.4, 0.7), 3),
        ({"name": "wilcoxon"}, (0.5, 0.6, 0.7), 3),
        ({"name": "pareto"}, (0.1, 0.1, 0.1), 3),
        ({"name": "none"}, (0.1, 0.1, 0.1), 3),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_each_pruner_judges_epochs(
    make_fixture: MakeFixture, pruner: dict[str, Any], accuracies: tuple[float, ...], n_epochs: int
) -> None:
    plan = {number: StubTrial(accuracies=(0.5, 0.6, 0.7)) for number in range(4)} | {
        4: StubTrial(accuracies=accuracies)
    }
    startup = {"name": "none"} if pruner["name"] == "successive_halving" else pruner
    make_fixture(
        plan, trials=4, pruner=pruner if startup is pruner else {"name": "threshold", "lower": 0.0}, **SINGLE
    ).run()
    fixture = make_fixture(plan, trials=5, pruner=pruner, **SINGLE)
    if pruner["name"] == "successive_halving":  # the rungs that the first four would have written
        for trial in fixture.study.optuna.get_trials():
            for rung, step in enumerate((1, 2)):
                _set_rung(fixture, trial._trial_id, rung, trial.intermediate_values[step])
    assert fixture.run() is Ending.DONE
    assert len(fixture.trials()[4].epochs) == n_epochs
    assert len(intermediate_values(fixture)[4]) == n_epochs


def test_bohb_is_tpe_that_learns_from_what_hyperband_stopped(make_fixture: MakeFixture) -> None:
    plan = {number: StubTrial(accuracies=(0.1 * (number % 9), 0.5, 0.1 * (number % 9))) for number in range(40)}
    sampler = {"name": "bohb", "n_startup_trials": 5}
    fixture = make_fixture(plan, trials=40, sampler=sampler, pruner={"name": "hyperband"}, **SINGLE)
    assert fixture.run() is Ending.DONE
    stopped = [trial for trial in fixture.trials() if trial.state == "pruned"]
    assert stopped
    assert all("hyperband" in trial.reason for trial in stopped)
    # TPE reads the values of stopped trials epoch by epoch: without them it could not rank these trials.
    assert all(intermediate_values(fixture)[trial.number] for trial in stopped)


def _set_rung(fixture: SupervisorFixture, trial_id: int, rung: int, value: float) -> None:
    import sqlalchemy as sa

    table = sa.table("trial_system_attributes", *[sa.column(name) for name in ("trial_id", "key", "value_json")])
    with fixture.store.engine.begin() as connection:
        connection.execute(
            table.insert().values(trial_id=trial_id, key=f"completed_rung_{rung}", value_json=str(value))
        )


def test_no_intermediate_values_are_written_with_several_objectives(make_fixture: MakeFixture) -> None:
    fixture = make_fixture(objectives={"accuracy": "accuracy", "memory": "model_bytes"})
    fixture.run()
    assert intermediate_values(fixture) == [{}] * 4


def test_a_retry_is_judged_by_its_own_epochs(make_fixture: MakeFixture) -> None:
    plan = {0: StubTrial("hang once", accuracies=(0.5, 0.6, 0.7))}  # its first attempt reaches accuracy 0.1 at epoch 1
    pruner = {"name": "successive_halving", "reduction_factor": 2}
    first = make_fixture(plan, trials=1, pruner=pruner, **SINGLE)
    first.run(lambda: any(trial.epochs for trial in first.trials()))
    study = first.study.optuna
    assert study.get_trials()[0].system_attrs["completed_rung_0"] == 0.1
    second = make_fixture(plan, trials=1, pruner=pruner, worker_id="bert", **SINGLE)
    assert second.run() is Ending.DONE
    assert intermediate_values(second) == [{1: 0.5, 2: 0.6, 3: 0.7}]
    assert study.get_trials()[0].system_attrs["completed_rung_0"] == 0.5


def test_a_trial_trains_its_own_epochs_and_is_not_judged_at_its_last(make_fixture: MakeFixture) -> None:
    plan = dict.fromkeys(range(8), StubTrial(accuracies=(0.5, 0.6, 0.7, 0.8)))
    pruner = {"name": "threshold", "upper": 0.55}  # stops what is above 55 % in its second epoch
    fixture = make_fixture(plan, trials=8, training={"epochs": [2, 4]}, pruner=pruner, **SINGLE)
    fixture.run()
    ended = {(trial.parameters["training.epochs"], trial.state, len(trial.epochs)) for trial in fixture.trials()}
    assert ended == {(2, "complete", 2), (4, "pruned", 2)}
    shown = {slot.epochs for snapshot in fixture.view.snapshots for slot in snapshot.slots if slot.number is not None}
    assert shown <= {2, 4}


def test_the_pareto_pruner_judges_each_length_by_itself(make_fixture: MakeFixture) -> None:
    """Long trials bloom in their last epoch; if short ones counted as their ends, every later long one was stopped."""
    plan = {number: StubTrial(accuracies=(0.5, 0.5, 0.5, 0.5, 0.5, 0.95)) for number in range(40)}
    training = {"epochs": [3, 6]}
    pruner = {"name": "pareto", "min_epochs": 1, "tolerance": False}  # those of a length are alike
    fixture = make_fixture(plan, trials=40, training=training, pruner=pruner, **SINGLE)
    fixture.run()
    ended = [(trial.parameters["training.epochs"], trial.state) for trial in fixture.trials()]
    n_long = sum(epochs == 6 for epochs, _ in ended)
    assert ended.count((6, "complete")) == n_long > 9
    # Short trials end at 50 %. The first eight of them end; later ones are stopped once a long one has 95 %.
    assert ended.count((3, "pruned")) > 0
    assert ended.count((3, "complete")) >= 8
