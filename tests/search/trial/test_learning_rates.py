"""Learning rates by epoch: schedules, plateaus, and what an epoch tells of its rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.candidates import candidate
from tests.search.trial.digits_training import train
from tunefront.search.data.dataset import Dataset


def test_a_cosine_schedule_ends_at_its_minimum(keras: Any, digits: Dataset) -> None:

    chosen = candidate(schedule="cosine", schedule_settings={"warm_up_epochs": 0.0, "minimum": 0.1}, batch_size=256)
    trainable, *_ = train(keras, digits, chosen, epochs=2)
    assert float(trainable.optimizer.learning_rate) == pytest.approx(0.1 * 0.01, rel=1e-3)


@pytest.mark.parametrize("monitor", ["", "loss", "val_loss", "val_accuracy"])
def test_a_plateau_lowers_the_rate(keras: Any, digits: Dataset, monitor: str) -> None:
    # The rate is so small that the loss does not improve by Keras's least difference of 1e-4.
    settings = {"factor": 0.5, "patience": 1, "cooldown": 0, "minimum": 0.0}
    chosen = candidate(
        schedule="reduce_on_plateau",
        schedule_settings={**settings, **({"monitor": monitor} if monitor else {})},
        optimizer_settings={"learning_rate": 1e-9},
        batch_size=256,
    )
    trainable, *_ = train(keras, digits, chosen, epochs=4)
    assert float(trainable.optimizer.learning_rate) == pytest.approx(1e-9 / 8, rel=1e-3)


@pytest.mark.parametrize(("monitor", "is_lowered"), [("val_accuracy", True), ("loss", False)])
def test_a_plateau_is_that_of_what_is_monitored(
    keras: Any, digits: Dataset, monkeypatch: pytest.MonkeyPatch, monitor: str, is_lowered: bool
) -> None:
    # The training loss falls, and the validation accuracy, which should rise, falls too.
    from tunefront.search.trial.epoch_watcher import Watcher

    real = Watcher._score

    def falling(watcher: Any, validation: Any) -> dict[str, float]:
        watcher.n_scored = getattr(watcher, "n_scored", 0) + 1
        return {**real(watcher, validation), "accuracy": 0.9 / watcher.n_scored}

    monkeypatch.setattr(Watcher, "_score", falling)
    settings = {"monitor": monitor, "factor": 0.5, "patience": 1, "cooldown": 0, "minimum": 0.0}
    chosen = candidate(schedule="reduce_on_plateau", schedule_settings=settings, batch_size=64)
    trainable, _, _, results = train(keras, digits, chosen, epochs=3)
    losses = [result.metrics["loss"] for result in results]
    assert losses == sorted(losses, reverse=True)
    assert (float(trainable.optimizer.learning_rate) < 0.006) is is_lowered


def test_every_epoch_tells_its_learning_rate(keras: Any, digits: Dataset) -> None:

    chosen = candidate(schedule="cosine", schedule_settings={"warm_up_epochs": 0.0, "minimum": 0.0}, batch_size=256)
    *_, results = train(keras, digits, chosen, epochs=4)
    # Keras's cosine, by hand: half of 1 + cos of the share of steps that are done; the rate at first is 0.01.
    expected = [0.01 * (1 + np.cos(np.pi * done / 4)) / 2 for done in (1, 2, 3, 4)]
    assert [result.metrics["learning_rate"] for result in results] == pytest.approx(expected, abs=1e-8)
