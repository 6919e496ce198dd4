"""The trials of supervisors, their order, and the end of a search: samplers, starts, pruners and [stop] at work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.search.stub_trials import Plan, StubTrial
from tests.search.supervisor_fixture import LeapingClock, SupervisorFixture, make_spec
from tunefront.search.sampling.start_queue import enqueue_starts
from tunefront.search.supervisor.end_reason import Ending
from tunefront.spaces.grid import Grid
from tunefront.storage import queue, studies
from tunefront.storage.counts import finished_numbers
from tunefront.storage.outcomes import Outcome

pytestmark = pytest.mark.usefixtures("fork_server")

MakeFixture = Callable[..., SupervisorFixture]
CNN = {"n_blocks": 1, "dense_units": 0, "kernel_size": 3, "batch_norm": False, "dropout": 0.0}
GRID_SPACE = {
    "optimizer": ["adam", "sgd"],
    "adam": {"learning_rate": [0.01, 0.001, 0.0001]},
    "sgd": {"learning_rate": [0.1, 0.01], "momentum": 0.9, "nesterov": False},
    "plain_cnn": {**CNN, "filters": [4, 8]},
}  # (3 + 2) * 2 = 10 points
SINGLE = {"objectives": {"accuracy": "accuracy", "memory": False, "time": False}}


@pytest.fixture
def make_fixture(tmp_path: Path) -> MakeFixture:
    def make(
        plan: Plan | None = None, *, n_slots: int = 1, worker_id: str = "anna", **changes: Any
    ) -> SupervisorFixture:
        return SupervisorFixture(tmp_path, make_spec(**changes), plan or {}, n_slots=n_slots, worker_id=worker_id)

    return make


def run_together(*fixtures: SupervisorFixture) -> list[Ending]:
    """Run two supervisors on one SQLite file, each in its own thread."""
    endings: dict[int, Ending] = {}

    def run(index: int) -> None:
        endings[index] = fixtures[index].run()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(fixtures))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return [endings[index] for index in range(len(fixtures))]


def distinct(fixture: SupervisorFixture) -> int:
    return len({str(sorted(trial.parameters.items())) for trial in fixture.trials()})


# Samplers that share a sequence


def test_a_grid_is_visited_once_and_then_the_study_is_done(make_fixture: MakeFixture) -> None:
    changes = {"space": GRID_SPACE, "sampler": {"name": "grid"}, "trials": 30}
    plan = {
        number: StubTrial(pause_seconds=0.1) for number in range(10)
    }  # so that neither is done before the other is up
    fixtures = [make_fixture(plan, n_slots=2, worker_id=name, **changes) for name in ("anna", "bert")]
    assert run_together(*fixtures) == [Ending.GRID_DONE] * 2
    assert len(fixtures[0].trials()) == distinct(fixtures[0]) == 10
    assert {trial.worker_id for trial in fixtures[0].trials()} == {"anna", "bert"}
    assert fixtures[0].study.optuna.user_attrs["ending"] == "every point of its grid was tried"
    again = make_fixture(**changes)
    assert again.run() is Ending.GRID_DONE
    assert len(again.trials()) == 10


@pytest.mark.parametrize("seed", range(4))
def test_a_start_that_leaves_something_out_is_a_point_of_the_grid(make_fixture: MakeFixture, seed: int) -> None:
    starts = [{"optimizer": "sgd"}, {"optimizer": "sgd"}, {"plain_cnn": {"filters": 8}}]
    fixture = make_fixture(space=GRID_SPACE, sampler={"name": "grid"}, trials=30, seed=seed, start=starts)
    grid = Grid(fixture.spec.parsed_space(), seed)
    assert enqueue_starts(fixture.study, fixture.spec.start_parameters(), grid) == 3
    assert enqueue_starts(fixture.study, fixture.spec.start_parameters(), grid) == 0
    assert fixture.run() is Ending.GRID_DONE
    assert len(fixture.trials()) == distinct(fixture) == 10
    first, second, third = (trial.parameters for trial in fixture.trials()[:3])
    assert (first["optimizer.name"], second["optimizer.name"], third["plain_cnn.filters"]) == ("sgd", "sgd", 8)


def test_a_grid_goes_on_where_it_was_interrupted(make_fixture: MakeFixture) -> None:
    changes = {"space": GRID_SPACE, "sampler": {"name": "grid"}, "trials": 30}
    plan = {3: StubTrial("hang once"), 5: StubTrial("fail")}
    first = make_fixture(plan, **changes)
    assert first.run((first.out / "models" / ".partial-3.hung").exists) is Ending.INTERRUPTED
    assert first.states() == ["complete"] * 3 + ["waiting"]
    second = make_fixture(plan, worker_id="bert", **changes)
    assert second.run() is Ending.GRID_DONE
    assert len(second.trials()) == distinct(second) == 10
    assert second.states()[5] == "failed"  # its point was tried: nothing else takes its place


def test_a_grid_larger_than_the_study_ends_with_its_trials(make_fixture: MakeFixture) -> None:
    fixture = make_fixture(space=GRID_SPACE, sampler={"name": "grid"}, trials=6)
    assert fixture.run() is Ending.DONE
    assert len(fixture.trials()) == distinct(fixture) == 6


def test_two_supervisors_draw_one_qmc_sequence(make_fixture: MakeFixture, tmp_path: Path) -> None:
    changes = {"sampler": {"name": "qmc"}, "trials": 16}
    fixtures = [make_fixture(n_slots=2, worker_id=name, **changes) for name in ("anna", "bert")]
    assert run_together(*fixtures) == [Ending.DONE] * 2
    assert len(fixtures[0].trials()) == distinct(fixtures[0]) == 16
    (tmp_path / "alone").mkdir()
    alone = SupervisorFixture(tmp_path / "alone", make_spec(**changes), {})
    alone.run()
    assert [trial.parameters for trial in alone.trials()] == [trial.parameters for trial in fixtures[0].trials()]


def test_an_interruption_leaves_no_gap_in_a_qmc_sequence(make_fixture: MakeFixture, tmp_path: Path) -> None:
    changes = {"sampler": {"name": "qmc"}, "trials": 6}
    plan = {2: StubTrial("hang once")}
    first = make_fixture(plan, **changes)
    first.run((first.out / "models" / ".partial-2.hung").exists)
    make_fixture(plan, worker_id="bert", **changes).run()
    (tmp_path / "alone").mkdir()
    alone = SupervisorFixture(tmp_path / "alone", make_spec(**changes), {})
    alone.run()
    assert [trial.parameters for trial in first.trials()] == [trial.parameters for trial in alone.trials()]


# Every sampler


@pytest.mark.parametrize(
    ("name", "package"),
    [(name, "optuna") for name in ("random", "qmc", "tpe", "nsga2", "nsga3")] + [("gp", "torch"), ("cmaes", "cmaes")],
)
def test_a_study_with_limits_and_each_sampler_has_no_broken_limit_on_its_front(
    make_fixture: MakeFixture, name: str, package: str, recwarn: pytest.WarningsRecorder
) -> None:
    pytest.importorskip(package, reason=f"needs tunefront[{name}]")
    settings = {"tpe": {"n_startup_trials": 3}, "gp": {"n_startup_trials": 10}, "cmaes": {"population_size": 3}}
    settings |= {name: {"population_size": 3} for name in ("nsga2", "nsga3")}
    plan = {
        number: StubTrial(accuracies=(0.1 * (number % 7), 0.1 * (number % 7), 0.1 * (number % 7)), model_bytes=1e9)
        if number % 5 == 4  # refused
        else StubTrial(accuracies=(0.1 * (number % 7), 0.1 * (number % 7), 0.1 * (number % 7)))
        for number in range(30)
    }
    objectives: dict[str, Any] = {"accuracy": {"measure": "accuracy", "at_least": 0.35}}
    objectives["memory"] = {"measure": "model_bytes", "at_most": "1 MB"} if name != "cmaes" else False
    objectives["time"] = False
    fixture = make_fixture(
        plan, n_slots=2, trials=12, sampler={"name": name, **settings.get(name, {})}, objectives=objectives
    )
    assert fixture.run() is Ending.DONE
    assert fixture.counts().finished == 12
    snapshots = [snapshot for snapshot in fixture.view.snapshots if snapshot.front]
    assert all(values[0] >= 0.35 for snapshot in snapshots for _, values in snapshot.front)
    assert fixture.kept_models()
    assert [str(warning.message) for warning in recwarn if "onstraint" in str(warning.message)] == []


# Known good candidates


STARTS = [{"plain_cnn": {"filters": 16, "dropout": 0.2}}, {"adam": {"learning_rate": 0.001}}]


def test_start_candidates_are_trained_first_and_queued_once(make_fixture: MakeFixture) -> None:
    changes = {"start": STARTS, "space": {"batch_size": [32, 64, 128]}, "trials": 4}
    fixture = make_fixture(**changes)
    for _ in range(2):  # a second worker, or the same command again
        enqueue_starts(fixture.study, fixture.spec.start_parameters())
    assert fixture.run() is Ending.DONE
    parameters = [trial.parameters for trial in fixture.trials()]
    assert len(parameters) == 4
    assert (parameters[0]["plain_cnn.filters"], parameters[0]["plain_cnn.dropout"]) == (16, 0.2)
    assert parameters[1]["adam.learning_rate"] == 0.001
    assert parameters[0]["adam.learning_rate"] != parameters[1]["adam.learning_rate"]
    assert parameters[0]["plain_cnn.n_blocks"] in (1, 2, 3)
    assert enqueue_starts(fixture.study, fixture.spec.start_parameters()) == 0


def test_what_start_candidates_leave_out_differs_between_them(make_fixture: MakeFixture) -> None:
    fixture = make_fixture(start=[{} for _ in range(4)], trials=4)
    enqueue_starts(fixture.study, fixture.spec.start_parameters())
    fixture.run()
    assert distinct(fixture) == 4


# Optuna's pruners


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


# When a search is over


def test_a_search_stops_when_its_front_no_longer_grows(make_fixture: MakeFixture) -> None:
    plan = {
        0: StubTrial(accuracies=(0.5, 0.5, 0.5)),
        1: StubTrial(accuracies=(0.4, 0.4, 0.4)),  # beaten by 0
        2: StubTrial(accuracies=(0.6, 0.6, 0.6)),  # grows
        3: StubTrial(accuracies=(0.6, 0.6, 0.6)),  # as good as 2: the hypervolume stays
        4: StubTrial(accuracies=(0.1, 0.1, 0.1)),
        5: StubTrial("fail"),  # does not count
        6: StubTrial(accuracies=(0.2, 0.2, 0.2)),
        7: StubTrial(accuracies=(0.9, 0.9, 0.9)),
    }
    fixture = make_fixture(plan, trials=20, stop={"patience": 3})
    assert fixture.run() is Ending.NO_GROWTH
    assert len(fixture.trials()) == 7
    study = fixture.study.optuna
    assert study.user_attrs["ending"].startswith("none of the last 3 finished trials came on the front")
    assert make_fixture(plan, trials=20, stop={"patience": 3}).run() is Ending.NO_GROWTH
    assert make_fixture(plan, trials=9, stop={"patience": 4}).run() is Ending.DONE
    assert study.user_attrs["ending"] == ""


def test_what_runs_may_still_make_the_front_grow(make_fixture: MakeFixture) -> None:
    slow = StubTrial(accuracies=(0.9, 0.9, 0.9), pause_seconds=0.4)
    plan = {0: StubTrial(), 1: slow} | {number: StubTrial(accuracies=(0.1, 0.1, 0.1)) for number in range(2, 9)}
    fixture = make_fixture(plan, n_slots=2, trials=20, stop={"patience": 3})
    assert fixture.run() is Ending.NO_GROWTH
    assert fixture.states() == ["complete"] * len(fixture.trials())
    order = list(finished_numbers(fixture.study))
    assert 3 <= len(order) - 1 - order.index(1) <= 4  # when 1 ended, it grew; three more, and what ran beside


def test_what_runs_elsewhere_may_still_make_the_front_grow(make_fixture: MakeFixture) -> None:
    plan = {number: StubTrial(accuracies=(0.1, 0.1, 0.1)) for number in range(20)}
    fixture = make_fixture(plan, trials=20, stop={"patience": 3})
    study = fixture.study
    with fixture.store.exclusively():
        leased = queue.lease_next(study, 20, "bert", "cpu0")
    assert leased is not None
    n_idle = 0

    def bert_ends_while_this_one_idles() -> bool:
        nonlocal n_idle
        n_idle += fixture.counts().complete == 4
        if n_idle == 3:
            queue.finish(study, leased[0], Outcome.COMPLETE, values=[0.99, 1.0, 0.1])
        return False

    assert fixture.run(bert_ends_while_this_one_idles) is Ending.NO_GROWTH
    assert n_idle >= 3
    assert fixture.states() == ["complete"] * 8  # one, three without growth, bert's, and three more


def test_a_study_that_goes_on_is_not_called_done_early_although_it_is_killed(make_fixture: MakeFixture) -> None:
    assert make_fixture(trials=9, stop={"patience": 1}, sampler={"name": "random"}).run() is Ending.NO_GROWTH
    fixture = make_fixture(trials=9, stop={"patience": 9}, sampler={"name": "random"})
    study = fixture.study.optuna
    assert study.user_attrs["ending"]
    n_before = len(fixture.trials())

    def killed() -> bool:
        if len(fixture.trials()) > n_before:
            raise MemoryError
        return False

    with pytest.raises(MemoryError):
        fixture.run(killed)
    assert study.user_attrs["ending"] == ""


def test_a_search_stops_at_its_time_limit_and_goes_on_with_a_larger_one(make_fixture: MakeFixture) -> None:
    plan = {number: StubTrial(pause_seconds=0.1) for number in range(9)} | {2: StubTrial("hang once")}
    first = make_fixture(plan, trials=4, stop={"time_limit": 60.0})
    first.clock = clock = LeapingClock((first.out / "models" / ".partial-2.hung").exists)
    assert first.run(clock.look) is Ending.TIME_LIMIT
    assert first.trials()[2].reason == "out of time"
    assert first.states() == ["complete", "complete", "waiting"]
    assert first.living_trials() == []
    assert first.study.optuna.user_attrs["ending"].startswith("its time is used up")
    more = make_fixture(plan, trials=4, stop={"time_limit": 60.0})
    assert more.run() is Ending.DONE
    assert more.states() == ["complete"] * 4
    assert make_fixture(plan, trials=4, stop={"time_limit": 0.001}).run() is Ending.DONE  # it has all its trials


def test_a_run_shorter_than_a_renewal_counts_for_the_time_limit(make_fixture: MakeFixture) -> None:
    plan = {number: StubTrial(pause_seconds=0.2) for number in range(9)}
    first = make_fixture(plan, trials=4, stop={"time_limit": 1.0})
    studies.register_worker(first.study, "anna", "host", 1, {})
    assert first.run() is Ending.TIME_LIMIT
    n_trials = len(first.trials())
    again = make_fixture(plan, trials=4, stop={"time_limit": 1.0}, worker_id="bert")
    studies.register_worker(again.study, "bert", "host", 2, {})
    assert again.run() is Ending.TIME_LIMIT
    assert len(again.trials()) == n_trials


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
    pruner = {"name": "pareto", "min_epochs": 1}
    fixture = make_fixture(plan, trials=40, training=training, pruner=pruner, **SINGLE)
    fixture.run()
    ended = [(trial.parameters["training.epochs"], trial.state) for trial in fixture.trials()]
    n_long = sum(epochs == 6 for epochs, _ in ended)
    assert ended.count((6, "complete")) == n_long > 9
    # Short trials end at 50 %. The first eight of them end; later ones are stopped once a long one has 95 %.
    assert ended.count((3, "pruned")) > 0
    assert ended.count((3, "complete")) >= 8
