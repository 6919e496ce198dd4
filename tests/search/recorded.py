"""Small recordings made in code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna

from tunefront.search.replay.recording import RecordedTrial, Recording
from tunefront.search.spec.study_spec import StudySpec
from tunefront.storage.curves import Epoch

SPACE = {"optimizer": ["sgd", "adam"], "batch_size": [32, 64]}


def spec(epochs: int, **changes: Any) -> StudySpec:
    table = {
        "name": "small.recording",
        "trials": 3,
        "data": {"source": "digits"},
        "space": SPACE,
        "training": {"epochs": epochs},
        "sampler": {"name": "random"},
        "pruner": {"name": "none"},
    }
    return StudySpec.model_validate({**table, **changes})


def training(
    candidate: int,
    accuracies: Sequence[float],
    model_bytes: float = 1000.0,
    epoch_seconds: float = 1.0,
    compile_seconds: float = 0.0,
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
) -> RecordedTrial:
    """Return a training with equally long epochs, a quarter of each of them validation."""
    train, validation = 0.75 * epoch_seconds, 0.25 * epoch_seconds
    measurements = {
        "accuracy": max(accuracies),
        "model_bytes": model_bytes,
        "train_seconds": train * len(accuracies),
        "compile_seconds": compile_seconds,
    }
    curve = [Epoch(number, accuracy, train, validation, {}) for number, accuracy in enumerate(accuracies, start=1)]
    return RecordedTrial(candidate, seed, parameters or {}, measurements, curve)


def recording(*trials: RecordedTrial, n_failed: int = 0, **changes: Any) -> Recording:
    return Recording(spec(len(trials[0].curve), **changes), {"source": "digits"}, [{"cpu": "a"}], n_failed, trials)


def drawn_parameters(seed: int) -> dict[str, Any]:
    """Return a random candidate of :data:`SPACE`."""
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed)).ask()
    spec(2).parsed_space().suggest(trial)
    return dict(trial.params)


def crossing(n: int = 40, epochs: int = 9) -> Recording:
    """Return random saturating curves; small models learn slowly, and sizes and speeds spread over decades."""
    drawn = np.random.default_rng(5)
    trials = []
    for candidate in range(n):
        size = drawn.uniform()
        end, pace = 0.5 + 0.4 * size * drawn.uniform(0.5, 1), 0.3 + size * drawn.uniform()
        noise = drawn.normal(0, 0.01, epochs)
        accuracies = np.clip(end * (1 - np.exp(-pace * np.arange(1, epochs + 1))) + noise, 0, 1).round(4)
        trials.append(
            training(
                candidate,
                accuracies.tolist(),
                model_bytes=round(1000 * 100 ** (0.7 * size + 0.3 * drawn.uniform())),
                epoch_seconds=0.1 * 10 ** (0.5 * size + 0.5 * drawn.uniform()),
                compile_seconds=0.5,
                parameters=drawn_parameters(candidate),
            )
        )
    return recording(*trials)
