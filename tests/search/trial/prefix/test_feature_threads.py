"""Trainings from stored features on several threads, where sums have no fixed order: nearly those of plain ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.search.trial.prefix.trials import frozen, plainly, spec_of, task_of, train
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.launching.slots import Slot

pytestmark = [pytest.mark.exhaustive, pytest.mark.keras, pytest.mark.timeout(1800)]
N_STEPS = 20


@pytest.mark.parametrize("fraction", [0.8, 0.9, 1.0])
def test_two_threads_leave_losses_and_accuracy_as_they_are(
    launcher: Launcher, weights_of: Callable[[str, float], Path], tmp_path: Path, fraction: float
) -> None:
    chosen = frozen(
        weights_of("MobileNetV2", 0.35), "MobileNetV2", own={"freeze_fraction": fraction}, steps_per_epoch=1
    )
    task = task_of(spec_of({"epochs": N_STEPS, "keep_weights": "last"}), chosen, tmp_path / "trial")
    task = replace(task, slot=Slot("cpu0", 2))
    stored, plain = train(launcher, task), train(launcher, plainly(task))
    assert "prefix_seconds" in stored.measurements
    assert "prefix_seconds" not in plain.measurements
    losses, plain_losses = ([metrics["loss"] for _, _, metrics in told.epochs] for told in (stored, plain))
    np.testing.assert_allclose(losses, plain_losses, rtol=1e-5)  # each of one step
    assert len(set(losses)) == N_STEPS
    one_image = 1 / task.dataset.n_validation
    assert stored.measurements["accuracy"] == pytest.approx(plain.measurements["accuracy"], abs=1.001 * one_image)
