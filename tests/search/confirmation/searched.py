"""A small search with stub trials, and its confirmation."""

from __future__ import annotations

from pathlib import Path

from tests.search.stub_trials import StubTrial
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.confirmation.plan import ConfirmationPlan, plan_confirmation
from tunefront.storage import studies

# Accuracy and size of four trials: 0 and 2 are the front, 1 is near 0, 3 is far from all.
SEARCH = {
    0: StubTrial(accuracies=(0.9, 0.9, 0.9), model_bytes=1000),
    1: StubTrial(accuracies=(0.89, 0.89, 0.89), model_bytes=1001),
    2: StubTrial(accuracies=(0.8, 0.8, 0.8), model_bytes=500),
    3: StubTrial(accuracies=(0.1, 0.1, 0.1), model_bytes=9000, train_seconds=2.0),
}
SPACE = {"optimizer": "adam", "adam": {"learning_rate": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]}}


def search_fixture(folder: Path) -> SupervisorFixture:
    objectives = {
        "accuracy": {"measure": "accuracy", "at_least": 0.05},
        "memory": "model_bytes",
        "time": "train_seconds",
    }
    spec = make_spec(space=SPACE, objectives=objectives, pruner={"name": "pareto"}, sampler={"name": "tpe"})
    return SupervisorFixture(folder, spec, SEARCH)


def plan(search: SupervisorFixture, n_seeds: int = 2, n_near: int | None = None) -> ConfirmationPlan:
    return plan_confirmation(search.study, n_seeds, n_near)


def confirm(search: SupervisorFixture, found: ConfirmationPlan, **stubs: StubTrial) -> SupervisorFixture:
    """Return a fixture that works on the confirmation, with everything queued."""
    folder = search.folder / "confirmation"
    folder.mkdir(exist_ok=True)
    numbered = {int(name.removeprefix("t")): stub for name, stub in stubs.items()}
    fixture = SupervisorFixture(folder, found.spec, numbered, url=search.url)
    studies.update_spec(fixture.study, found.spec.as_json())  # as running.py does
    found.enqueue(fixture.study)
    return fixture


def queued(fixture: SupervisorFixture) -> list[tuple[int, int]]:
    trials = fixture.study.optuna.get_trials(deepcopy=False)
    return [(trial.user_attrs["candidate"], trial.user_attrs["seed"]) for trial in trials]
