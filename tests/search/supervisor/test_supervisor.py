"""A supervised study when all goes well, and when it gives up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.stub_trials import StubTrial
from tests.search.supervisor.choice_fixture import MakeFixture
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.launching.gpu_shares import GpuShare
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import queue

pytestmark = pytest.mark.usefixtures("fork_server")


def test_a_study_is_done_when_it_has_its_trials(make_fixture: MakeFixture) -> None:
    fixture = make_fixture(n_slots=2)
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["complete"] * 4
    for trial in fixture.trials():
        assert trial.values == (0.7, 1000.0, 3.0)
        assert [epoch.accuracy for epoch in trial.epochs] == [0.5, 0.6, 0.7]
        assert trial.measurements["trial_seconds"] > 0
        assert "slots_on_gpu" not in trial.measurements
        assert trial.measurements["load_average"] >= 0
        assert trial.measurements["other_slots_busy"] in (0.0, pytest.approx(1.0, abs=1.0))
        assert (trial.n_attempts, trial.worker_id, trial.slot) == (1, "anna", "")
        assert (fixture.out / "logs" / f"trial-{trial.number}.log").read_text() == f"trial {trial.number} prints\n"
    assert fixture.living_trials() == []
    assert [line.split(":")[:2] for line in sorted(fixture.view.lines)] == [
        [f"trial {number}", " complete"] for number in range(4)
    ]


def test_a_trial_that_shared_its_gpu_says_with_how_many(make_fixture: MakeFixture) -> None:
    fixture = make_fixture(trials=1)
    fixture.gpu_share = GpuShare(4, 3_000_000_000, 16_000_000_000)
    assert fixture.run() is Ending.DONE
    (trial,) = fixture.trials()
    assert trial.measurements["slots_on_gpu"] == 4
    assert trial.slots_on_gpu == 4


def test_a_study_that_is_done_starts_nothing(make_fixture: MakeFixture) -> None:
    make_fixture().run()
    again = make_fixture({})
    assert again.run() is Ending.DONE
    assert len(again.trials()) == 4
    assert again.view.lines == []


def test_a_study_goes_on_when_it_is_given_more_trials(make_fixture: MakeFixture) -> None:
    make_fixture(trials=2).run()
    more = make_fixture(trials=3)
    assert more.run() is Ending.DONE
    assert more.states() == ["complete"] * 3


def test_a_supervisor_has_no_more_trials_under_way_than_slots(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({number: StubTrial(pause_seconds=0.15) for number in range(5)}, n_slots=2, trials=5)
    fixture.run()
    n_running = [snapshot.counts.running for snapshot in fixture.view.snapshots]
    assert max(n_running) == 2
    slots = [slot.name for slot in fixture.view.snapshots[0].slots]
    assert slots == ["cpu0", "cpu1"]


def test_trials_draw_different_candidates(make_fixture: MakeFixture) -> None:
    fixture = make_fixture()
    fixture.run()
    assert len({str(trial.parameters) for trial in fixture.trials()}) == 4


def test_results_do_not_depend_on_the_number_of_slots(tmp_path: Path) -> None:
    parameters = []
    for n_slots in (1, 3):
        (tmp_path / str(n_slots)).mkdir()
        fixture = SupervisorFixture(tmp_path / str(n_slots), make_spec(), {}, n_slots=n_slots)
        fixture.run()
        parameters.append([trial.parameters for trial in fixture.trials()])
    assert parameters[0] == parameters[1]


def test_the_study_stops_when_too_many_trials_fail(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({number: StubTrial("exit silently") for number in range(50)}, max_failures=2, trials=20)
    assert fixture.run() is Ending.TOO_MANY_FAILURES
    assert fixture.states() == ["failed"] * 3
    assert fixture.living_trials() == []


def test_the_study_stops_when_too_many_trials_are_refused(make_fixture: MakeFixture) -> None:
    limits = {"memory": {"measure": "model_bytes", "at_most": "1 B"}}
    fixture = make_fixture(max_refusals=3, trials=20, objectives=limits)
    assert fixture.run() is Ending.TOO_MANY_REFUSALS
    assert fixture.states() == ["refused"] * 4


def test_a_trial_under_way_goes_back_when_the_study_gives_up(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({0: StubTrial("hang"), 1: StubTrial("exit silently")}, n_slots=2, max_failures=0)
    assert fixture.run() is Ending.TOO_MANY_FAILURES
    assert fixture.states() == ["waiting", "failed"]
    assert fixture.living_trials() == []


def test_only_models_on_the_front_are_kept(make_fixture: MakeFixture) -> None:
    plan = {
        0: StubTrial(accuracies=(0.5, 0.5, 0.5)),  # beaten by 1
        1: StubTrial(accuracies=(0.9, 0.9, 0.9)),
        2: StubTrial(accuracies=(0.8, 0.8, 0.8)),  # never on the front
        3: StubTrial(accuracies=(0.4, 0.4, 0.4), model_bytes=10.0),
    }
    fixture = make_fixture(plan)
    fixture.run()
    assert fixture.kept_models() == ["trial-1.keras", "trial-3.keras"]
    paths = [Path(trial.model_path).name for trial in fixture.trials()]
    assert paths == ["", "trial-1.keras", "", "trial-3.keras"]
    assert (fixture.out / "models" / "trial-1.keras").read_text() == "model of trial 1"
    assert "latency_seconds" in fixture.trials()[1].measurements
    assert "latency_seconds" not in fixture.trials()[2].measurements


def test_a_model_stays_when_another_supervisor_is_about_to_record_its_trial(make_fixture: MakeFixture) -> None:
    # Two supervisors on one machine share a results folder. The other one has published its model and
    # has not told the store yet, and a running trial is not beaten.
    fixture = make_fixture(trials=2)
    study = fixture.study
    with fixture.store.exclusively():
        assert queue.lease_next(study, 2, "bert", "cpu0")
    models = fixture.out / "models"
    models.mkdir(parents=True)
    (models / "trial-0.keras").write_text("model of trial 0")
    fixture.run(lambda: len(fixture.view.lines) == 1)
    assert fixture.states() == ["running", "complete"]
    assert fixture.kept_models() == ["trial-0.keras", "trial-1.keras"]
