"""Members of a population whose trainings are stand-ins: their space, and how each does by itself."""

from __future__ import annotations

from typing import Any

from tests.search.checkpointed_trials import EPOCHS, StubTraining
from tests.search.supervisor_fixture import make_spec
from tunefront.search.spec.study_spec import StudySpec

RATE = "adam.learning_rate"
SPACE = {"adam": {"learning_rate": {"low": 0.001, "high": 0.1}}, "plain_cnn": {"n_blocks": [1, 2, 3, 4, 5, 6, 7, 8]}}
FIXED = {"filters": 8, "kernel_size": 3, "batch_norm": False, "dense_units": 0, "dropout": 0.0}
# Trial 2 is the best and trial 1 the worst after two epochs; after four, trial 3 is the worst.
RISES = {
    0: (0.1, 0.30, 0.3, 0.40, 0.5, 0.60),
    1: (0.1, 0.10, 0.1, 0.45, 0.5, 0.55),
    2: (0.1, 0.40, 0.4, 0.50, 0.6, 0.70),
    3: (0.1, 0.20, 0.2, 0.20, 0.3, 0.35),
}
PLAN = {number: StubTraining(accuracies=rise) for number, rise in RISES.items()}


def population_spec(**changes: Any) -> StudySpec:
    """Return the spec of a population of four that takes turns of two epochs."""
    sampler = {"name": "pbt", "population": 4, "interval": 2, "resample_probability": 0.0}
    return make_spec(
        **{
            "trials": 4,
            "space": {**SPACE, "plain_cnn": {**SPACE["plain_cnn"], **FIXED}},
            "objectives": {"time": False},
            "training": {"epochs": EPOCHS, "time_limit": 1e4},
            "sampler": {**sampler, **changes.pop("sampler", {})},
            **changes,
        }
    )
