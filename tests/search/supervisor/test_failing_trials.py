"""Trials that go wrong: each fails alone, and one that only could not save its model is complete."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.search.stub_trials import StubTrial
from tests.search.supervisor.choice_fixture import MakeFixture
from tests.search.supervisor_fixture import LeapingClock, SupervisorFixture
from tunefront.search.supervisor.end_reason import Ending

pytestmark = pytest.mark.usefixtures("fork_server")


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("crash by SIGSEGV", "crashed with SIGSEGV"),
        ("crash by SIGKILL", "killed from outside (signal 9): most likely the machine ran out of memory"),
        ("exit silently", "ended without a result (exit code 3)"),
        ("raise an error", "ended without a result (exit code 1)"),
        ("fail", "out of memory: 3 GB were not to be had"),
        ("send bytes", ""),
        ("send text", ""),
        ("send a list", ""),
        ("send an unknown field", ""),
        ("send an unknown kind", ""),
        ("send an epoch without content", ""),
        ("send an epoch of other fields", ""),
        ("send trained without epochs", ""),
        ("send answers that are a list", ""),
        ("send answers of other fields", ""),
        ("die in a message", ""),
    ],
)
@pytest.mark.timeout(120)
def test_one_trial_fails_alone_when_it(make_fixture: MakeFixture, behaviour: str, reason: str) -> None:
    fixture = make_fixture({1: StubTrial(behaviour)}, trials=3)
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["complete", "failed", "complete", "complete"]
    failed = fixture.trials()[1]
    assert failed.values is None
    assert failed.reason == reason or (not reason and failed.reason)
    assert any(line.startswith("trial 1: failed: ") for line in fixture.view.lines)
    assert fixture.living_trials() == []
    assert ".partial" not in str(fixture.kept_models())


@pytest.mark.timeout(120)
def test_a_trial_fails_alone_when_what_it_measures_is_no_finite_number(make_fixture: MakeFixture) -> None:
    """NaN as a value would end Optuna's study, and an infinity would be its best."""
    reasons = {
        "measure nan in accuracy": "accuracy became nan in epoch 1",
        "measure inf in accuracy": "accuracy became inf in epoch 1",
        "measure nan in metrics": "val_loss became nan in epoch 1",
        "measure -inf in metrics": "val_loss became -inf in epoch 1",
        "measure nan in trained": "train_seconds became nan",
        "measure inf in trained": "train_seconds became inf",
        f"measure {10**400} in trained": "train_seconds became too large",
        "send text as a number": "its process sent what cannot be read: train_seconds is no number but '1 s'",
    }
    fixture = make_fixture(
        {number: StubTrial(behaviour) for number, behaviour in enumerate(reasons)}, trials=1, max_failures=20
    )
    assert fixture.run() is Ending.DONE
    *failed, last = fixture.trials()
    assert [trial.reason for trial in failed] == list(reasons.values())
    assert {trial.state for trial in failed} == {"failed"}
    assert last.state == "complete"
    for trial in failed:
        assert trial.values is None
        stored = [
            *trial.measurements.values(),
            *(number for epoch in trial.epochs for number in epoch.metrics.values()),
        ]
        assert np.isfinite(stored).all()
    assert fixture.living_trials() == []


@pytest.mark.parametrize(
    ("behaviour", "n_epochs"),
    [("hang", 1), ("hang at once", 0)],
)
@pytest.mark.timeout(120)
def test_one_trial_fails_alone_when_it_takes_longer_than_the_time_limit(
    make_fixture: MakeFixture, behaviour: str, n_epochs: int
) -> None:
    fixture = make_fixture({0: StubTrial(behaviour)}, trials=2)
    fixture.clock = clock = LeapingClock(
        lambda: any(fixture.notes.glob("0-*.pid")) and len(fixture.trials()[0].epochs) == n_epochs
    )
    assert fixture.run(clock.look) is Ending.DONE
    assert fixture.states() == ["failed", "complete", "complete"]
    expected = f"not finished within training.time_limit = 60 s ({n_epochs} of 3 epochs done)"
    assert fixture.trials()[0].reason == expected
    assert fixture.living_trials() == []


@pytest.mark.parametrize("behaviour", ["fail and hang", "hang after training"])
@pytest.mark.timeout(120)
def test_the_study_goes_on_when_a_trial_does_not_end_after_its_last_word(
    make_fixture: MakeFixture, behaviour: str
) -> None:
    # After its last message the process is not needed, and frameworks can hang at their end.
    fixture = make_fixture(
        {0: StubTrial(accuracies=(0.9, 0.9, 0.9)), 1: StubTrial(behaviour)},
        trials=3,
        training={"time_limit": 600.0},  # longer than this test may take
    )
    assert fixture.run() is Ending.DONE
    assert fixture.counts().finished == 3
    assert fixture.living_trials() == []


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [("die while saving", "killed from outside"), ("fail while saving", "OSError: no space left on device")],
)
def test_a_trial_is_complete_without_a_model_when_saving_fails(
    make_fixture: MakeFixture, behaviour: str, reason: str
) -> None:
    fixture = make_fixture({0: StubTrial(behaviour)}, trials=1)
    assert fixture.run() is Ending.DONE
    trial = fixture.trials()[0]
    assert (trial.state, trial.values, trial.model_path) == ("complete", (0.7, 1000.0, 3.0), "")
    assert f"its model was not kept: {reason}" in trial.reason
    assert fixture.kept_models() == []


def test_a_trial_is_complete_without_a_model_when_it_cannot_be_given_its_name(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({}, trials=2)
    (fixture.out / "models" / "trial-0.json").mkdir(parents=True)  # nothing can be written there
    assert fixture.run() is Ending.DONE
    first, second = fixture.trials()
    assert (first.state, first.values, first.model_path) == ("complete", (0.7, 1000.0, 3.0), "")
    assert first.reason.startswith("complete, but its model was not kept: ")
    assert "trial-0.json" in first.reason
    assert (second.state, Path(second.model_path).read_text()) == ("complete", "model of trial 1")


def test_a_trial_is_complete_without_a_model_when_its_latency_is_no_number(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({0: StubTrial("measure nan in kept")}, trials=1)
    assert fixture.run() is Ending.DONE
    trial = fixture.trials()[0]
    assert (trial.state, trial.values, trial.model_path) == ("complete", (0.9, 1000.0, 1.0), "")
    assert trial.reason == "complete, but its model was not kept: latency_seconds became nan"
    assert "latency_seconds" not in trial.measurements


@pytest.mark.timeout(120)
def test_a_trial_is_complete_without_a_model_when_it_hangs_while_saving(make_fixture: MakeFixture) -> None:
    # Hanging counts like dying there: what was trained and measured is kept.
    fixture = make_fixture({0: StubTrial("hang while saving")}, trials=1)
    fixture.clock = clock = LeapingClock(lambda: "half a mod" in _partial_text(fixture))
    assert fixture.run(clock.look) is Ending.DONE
    trial = fixture.trials()[0]
    assert (trial.state, trial.values, trial.model_path) == ("complete", (0.7, 1000.0, 3.0), "")
    assert "model was not kept" in trial.reason
    assert fixture.kept_models() == []


def _partial_text(fixture: SupervisorFixture) -> str:
    path = fixture.out / "models" / ".partial-0.keras"
    return path.read_text() if path.exists() else ""


def test_a_trial_fails_when_an_objective_was_not_measured(make_fixture: MakeFixture) -> None:
    # Not every system has peak_bytes.
    fixture = make_fixture(trials=1, max_failures=0, objectives={"accuracy": "accuracy", "memory": "peak_bytes"})
    assert fixture.run() is Ending.TOO_MANY_FAILURES
    assert fixture.states() == ["failed"]
    assert "peak_bytes" in fixture.trials()[0].reason
    assert fixture.living_trials() == []
