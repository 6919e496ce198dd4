"""Learning-rate schedules, by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tunefront.spaces.schedules import SCHEDULES, build_learning_rate

# 10 epochs of 5 steps; step -> rate, from a learning rate of 0.8
CASES = [
    ("constant", {"warm_up_epochs": 0.0}, {0: 0.8, 49: 0.8}),
    ("constant", {"warm_up_epochs": 2.0}, {0: 0.0, 5: 0.4, 10: 0.8, 49: 0.8}),
    ("cosine", {"warm_up_epochs": 0.0, "minimum": 0.0}, {0: 0.8, 25: 0.4, 50: 0.0, 60: 0.0}),
    ("cosine", {"warm_up_epochs": 0.0, "minimum": 0.25}, {0: 0.8, 25: 0.5, 50: 0.2}),
    ("cosine", {"warm_up_epochs": 2.0, "minimum": 0.0}, {0: 0.0, 5: 0.4, 10: 0.8, 30: 0.4, 50: 0.0}),
    (
        "reduce_on_plateau",
        {"monitor": "loss", "factor": 0.1, "patience": 5, "cooldown": 0, "minimum": 0.0},
        {0: 0.8, 49: 0.8},
    ),
]


@pytest.mark.parametrize(("name", "settings", "expected"), CASES)
def test_build_learning_rate(keras: Any, name: str, settings: dict[str, float], expected: dict[int, float]) -> None:
    assert set(settings) == set(SCHEDULES[name])
    rate = build_learning_rate(name, settings, 0.8, steps_per_epoch=5, epochs=10)
    for step, value in expected.items():
        found = rate if isinstance(rate, float) else float(rate(step))
        assert found == pytest.approx(value, abs=1e-6), step


def test_a_warm_up_may_be_part_of_an_epoch(keras: Any) -> None:
    rate = build_learning_rate("constant", {"warm_up_epochs": 0.5}, 1.0, steps_per_epoch=8, epochs=2)
    assert float(rate(2)) == pytest.approx(0.5)
    assert math.isclose(float(rate(4)), 1.0)
