"""The notes of a run at its end on the front members that it stopped: real processes, no Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.search.stub_trials import EPOCHS, Plan, StubTrial
from tests.search.supervisor.choice_fixture import MakeFixture
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.pruning.front_loss import estimate_front_loss
from tunefront.search.pruning.pareto import ParetoPruner
from tunefront.search.supervisor import notes
from tunefront.search.supervisor.end_reason import Ending

pytestmark = pytest.mark.usefixtures("fork_server")

OBJECTIVES = {"accuracy": "accuracy", "memory": "model_bytes", "time": False}
# Nine trials of one size learn more or less. The larger models after them start at the same level or lower, and
# learn nothing.
PLAN: Plan = {
    number: StubTrial(accuracies=(0.80, 0.82 + number / 200, 0.84 + number / 100), model_bytes=1000.0)
    for number in range(9)
} | {number: StubTrial(accuracies=(0.80 - (number - 9) / 50,) * 3, model_bytes=2000.0) for number in range(9, 13)}


@pytest.fixture
def make_fixture(tmp_path: Path) -> MakeFixture:
    def make(plan: Plan = PLAN, **changes: Any) -> SupervisorFixture:
        pruner = {"name": "pareto", "min_epochs": 1, "front_loss": 0.5}
        return SupervisorFixture(
            tmp_path, make_spec(**{"objectives": OBJECTIVES, "trials": 13, "pruner": pruner} | changes), plan
        )

    return make


def noted(fixture: SupervisorFixture) -> Any:
    return fixture.study.optuna.user_attrs.get("front_loss")


def test_a_run_notes_what_stopping_has_cost(make_fixture: MakeFixture) -> None:
    fixture = make_fixture()
    assert fixture.run() is Ending.DONE
    n_stopped = fixture.states().count("pruned")
    assert n_stopped >= 1
    pruner = ParetoPruner(fixture.spec.parsed_objectives(), EPOCHS, 0.5, guessing=0.75, uses_tolerance=True)
    expected = estimate_front_loss(pruner, fixture.trials())
    assert expected is not None
    assert 0 < expected.lost < n_stopped
    assert noted(fixture) == {
        "lost": pytest.approx(expected.lost),
        "at_risk": pytest.approx(1 + expected.lost),  # the best of the nine, and those
        "low": pytest.approx(expected.low),
        "high": pytest.approx(expected.high),
        "n_stopped": n_stopped,
        "front_loss": 0.5,
    }


def test_a_run_that_is_interrupted_notes_it_and_the_next_one_renews_it(make_fixture: MakeFixture) -> None:
    first = make_fixture()
    assert first.run(lambda: "pruned" in first.states()) is Ending.INTERRUPTED
    assert noted(first)["n_stopped"] == 1
    second = make_fixture()
    assert second.run() is Ending.DONE
    assert noted(second)["n_stopped"] == second.states().count("pruned") > 1


@pytest.mark.parametrize(
    "changes",
    [
        {"pruner": {"name": "none"}},
        {"plan": {}, "trials": 2},  # nothing is stopped
        {
            "pruner": {"name": "median", "n_startup_trials": 2},
            "objectives": {"accuracy": "accuracy", "memory": False, "time": False},
        },
    ],
)
def test_nothing_is_noted_with_another_pruner_or_when_nothing_was_stopped(
    make_fixture: MakeFixture, changes: dict[str, Any]
) -> None:
    fixture = make_fixture(**changes)
    fixture.run()
    assert noted(fixture) is None


def test_an_estimate_that_is_open_is_noted_as_such(make_fixture: MakeFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "estimate_front_loss", lambda *_: None)
    fixture = make_fixture()
    fixture.run()
    n_stopped = fixture.states().count("pruned")
    nothing = {"lost": None, "at_risk": None, "low": None, "high": None}
    assert noted(fixture) == {**nothing, "n_stopped": n_stopped, "front_loss": 0.5}
