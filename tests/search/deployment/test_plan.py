"""Which models are deployed: of the front, near misses and confirmed candidates. Stub trials, no Keras."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.search.confirmation.test_plan import confirm, plan, search_fixture
from tests.search.stub_trials import StubTrial
from tests.search.supervisor_fixture import SupervisorFixture
from tunefront.search.confirmation.searches import NotASearchError
from tunefront.search.deployment.plan import DeploymentError, plan_deployment
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage.open_study import OpenStudy

pytestmark = pytest.mark.usefixtures("fork_server")


@pytest.fixture
def search(tmp_path: Path) -> SupervisorFixture:
    """A finished search: 0 and 2 are its front and were kept, 1 is near 0, 3 is far from all."""
    fixture = search_fixture(tmp_path)
    for number in range(4):
        fixture.study.optuna.enqueue_trial({"adam.learning_rate": round(0.1 + number / 10, 1)})
    assert fixture.run() is Ending.DONE
    return fixture


def test_the_front_is_deployed_and_a_near_miss_has_no_model(search: SupervisorFixture) -> None:
    found = plan_deployment(search.study)
    assert [(model.number, model.path.name, model.training) for model in found.models] == [
        (0, "trial-0.keras", None),
        (2, "trial-2.keras", None),
    ]
    assert found.missing == {1: "no model was kept"}
    search_file = found.models[0].path
    search_file.unlink()
    found = plan_deployment(search.study)
    assert [model.number for model in found.models] == [2]
    assert found.missing[0] == f"its model is not on this machine: {search_file}"


def test_a_confirmed_candidate_comes_first_with_its_most_accurate_model(search: SupervisorFixture) -> None:
    # Trainings are queued seed by seed: 0, 2, 1, 0, 2, 1. Candidate 1 is best in its second training, number 5.
    accuracies = {"t2": 0.7, "t5": 0.95, "t0": 0.6, "t3": 0.6, "t1": 0.5, "t4": 0.5}
    stubs = {name: StubTrial(accuracies=(accuracy,) * 3) for name, accuracy in accuracies.items()}
    confirming = confirm(search, plan(search), **stubs)
    assert confirming.run() is Ending.DONE
    kept = {trial.number for trial in confirming.trials() if Path(trial.model_path).is_file() and trial.model_path}
    assert 5 in kept
    found = plan_deployment(search.study)
    first = {model.number: model.training for model in found.models if model.training is not None}
    assert first[1] == 5
    assert [model.number for model in found.models][: len(first)] == sorted(first)
    assert 1 not in found.missing
    with pytest.raises(NotASearchError, match="takes the search: write 'tunefront deploy digits'$"):
        plan_deployment(confirming.study)


def test_a_study_without_a_model_says_how_to_get_one(search: SupervisorFixture) -> None:
    for model in plan_deployment(search.study).models:
        model.path.unlink()
    with pytest.raises(DeploymentError, match="no kept model to deploy .*'tunefront confirm digits' trains its front"):
        plan_deployment(search.study)


def test_a_study_that_has_just_begun_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="has no complete trial yet"):
        plan_deployment(search_fixture(tmp_path).study)


def test_predicted_numbers_are_refused(search: SupervisorFixture) -> None:
    spec = search.record.spec
    objectives = {**spec["objectives"], "accuracy": {"measure": "rmse"}}
    data = {**spec["data"], "source": "npz", "path": "x.npz", "task": "regression"}
    space = {**spec["space"], "output": "linear", "loss": "mse"}
    record = replace(search.record, spec={**spec, "objectives": objectives, "data": data, "space": space})
    with pytest.raises(DeploymentError, match="predicts numbers"):
        plan_deployment(OpenStudy(search.store, record))
