"""Trainings from stored features: equal to plain ones, to the last digit, on one thread."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.search.trial.prefix.trials import N_IMAGES, Told, frozen, plainly, spec_of, task_of, train
from tunefront.objectives.measures import PART_SECONDS
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.trial.messages import TrialTask

pytestmark = [pytest.mark.slow, pytest.mark.keras, pytest.mark.timeout(900)]
Weights = Callable[[str, float], Path]
TIMES = {"train_seconds", "validation_seconds", "compile_seconds", "latency_seconds", "peak_bytes"}
TIMES |= set(PART_SECONDS.values())
OF_FEATURES = {"prefix_seconds", "prefix_validation_seconds", "plain_train_seconds"}


def both(launcher: Launcher, task: TrialTask) -> tuple[Told, Told]:
    """Train from features and plainly; check that only times differ."""
    stored, plain = train(launcher, task), train(launcher, plainly(task))
    assert stored.epochs == plain.epochs != []
    assert stored.model == plain.model != {}
    assert measured(stored) == measured(plain)
    assert stored.of("kept")[0].answers == plain.of("kept")[0].answers
    assert set(stored.measurements) - set(plain.measurements) == OF_FEATURES
    return stored, plain


def measured(told: Told) -> dict[str, float]:
    return {name: value for name, value in told.measurements.items() if name not in TIMES | OF_FEATURES}


def features_in(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in (tmp_path / "cache").glob("tunefront/features/*/features.json")]


def test_a_network_with_shortcuts_penalties_and_class_weights(
    launcher: Launcher, weights_of: Weights, tmp_path: Path
) -> None:
    chosen = frozen(
        weights_of("MobileNetV2", 0.35), "MobileNetV2", own={"freeze_fraction": 0.9}, l2=1e-4, class_weights="balanced"
    )
    both(launcher, task_of(spec_of({"epochs": 2}), chosen, tmp_path / "trial"))
    (facts,) = features_in(tmp_path)
    assert facts["shape"] == [N_IMAGES, 1, 1, 56]  # block_14_add, of 160 channels at the width 0.35


def test_folds_in_16_bits(launcher: Launcher, weights_of: Weights, tmp_path: Path) -> None:
    spec = spec_of({"epochs": 2, "precision": "mixed_float16", "validation_steps": 2}, {"folds": 2})
    both(launcher, task_of(spec, frozen(weights_of("MobileNet", 0.25)), tmp_path / "trial"))
    (facts,) = features_in(tmp_path)  # one file serves all folds
    assert (facts["dtype"], facts["shape"][0]) == ("<f2", N_IMAGES)


def test_two_phases_and_a_training_that_goes_on(launcher: Launcher, weights_of: Weights, tmp_path: Path) -> None:
    chosen = frozen(weights_of("MobileNet", 0.25), own={"head_epochs": 1, "fine_tuning_rate": 0.5})
    task = task_of(spec_of({"epochs": 3}), chosen, tmp_path / "trial")
    written = replace(task, checkpoint_folder=str(tmp_path / "checkpoints"), turns=(1, 2))
    stored = train(launcher, written, copies=tmp_path / "copies")
    plain = train(launcher, plainly(task))
    assert (stored.epochs, stored.model, measured(stored)) == (plain.epochs, plain.model, measured(plain))
    assert sorted(facts["shape"][1:] for facts in features_in(tmp_path)) == [[2, 2, 128], [256]]  # conv_pw_11, pooled
    for n_done in (1, 2):  # where the phase changes, and within a phase
        again = replace(written, checkpoint_folder=str(tmp_path / "copies" / str(n_done)), resume_from=n_done)
        resumed = train(launcher, again)
        assert resumed.of("resumed")[0].epoch == {"epoch": n_done}
        assert resumed.epochs == plain.epochs[n_done:]
        assert (resumed.model, measured(resumed)) == (plain.model, measured(plain))
        assert set(resumed.measurements) >= OF_FEATURES
        assert resumed.measurements["prefix_seconds"] == stored.measurements["prefix_seconds"]


def test_a_full_disk_costs_the_features_alone(launcher: Launcher, weights_of: Weights, tmp_path: Path) -> None:
    task = task_of(spec_of({"epochs": 1}), frozen(weights_of("MobileNet", 0.25)), tmp_path / "trial")
    folder = tmp_path / "cache" / "tunefront" / "features"
    folder.write_text("a file where the folder should be")
    told = train(launcher, task)
    assert told.measurements["without_features"] == 1
    assert not set(told.measurements) & OF_FEATURES
    assert f"trains without stored features, on all of the network: {folder}" in told.log
