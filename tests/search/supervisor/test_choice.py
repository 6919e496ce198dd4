"""The trials of supervisors, and their order: samplers and start candidates at work."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.search.stub_trials import StubTrial
from tests.search.supervisor.choice_fixture import MakeFixture
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.sampling.start_queue import enqueue_starts
from tunefront.search.supervisor.end_reason import Ending
from tunefront.spaces.grid import Grid

pytestmark = pytest.mark.usefixtures("fork_server")

CNN = {"n_blocks": 1, "dense_units": 0, "kernel_size": 3, "batch_norm": False, "dropout": 0.0}
GRID_SPACE = {
    "optimizer": ["adam", "sgd"],
    "adam": {"learning_rate": [0.01, 0.001, 0.0001]},
    "sgd": {"learning_rate": [0.1, 0.01], "momentum": 0.9, "nesterov": False},
    "plain_cnn": {**CNN, "filters": [4, 8]},
}  # (3 + 2) * 2 = 10 points


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


@pytest.mark.parametrize(
    ("name", "package"),
    [(name, "optuna") for name in ("random", "qmc", "tpe", "hypervolume", "nsga2", "nsga3")]
    + [("gp", "torch"), ("cmaes", "cmaes")],
)
def test_a_study_with_limits_and_each_sampler_has_no_broken_limit_on_its_front(
    make_fixture: MakeFixture, name: str, package: str, recwarn: pytest.WarningsRecorder
) -> None:
    pytest.importorskip(package, reason=f"needs tunefront[{name}]")
    settings = {name: {"n_startup_trials": 3} for name in ("tpe", "hypervolume")}
    settings |= {"gp": {"n_startup_trials": 10}, "cmaes": {"population_size": 3}}
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
