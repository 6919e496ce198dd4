"""The choice from hundreds of models, against one worked out pair by pair."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.selection.options import find_options
from tunefront.reports.selection.selection import choose


def test_of_hundreds_of_models_each_is_compared_with_the_best(tmp_path: Path) -> None:
    # On a grid of whole images many models are equal, and many equal the front on one axis alone.
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.9, 1000, 1.0)
    results = fixture.results()
    random = np.random.default_rng(2)
    rows = np.column_stack([random.integers(258, 288, 400) / 288, *random.integers(1, 12, (2, 400)).astype(float)])
    trials = [
        replace(results.trials[0], number=number, values=tuple(row), measurements={})
        for number, row in enumerate(rows.tolist())
    ]
    found = choose(find_options(replace(results, trials=trials)))
    assert found is not None
    losses = rows * [-1, 1, 1]
    is_beaten = np.array([any((o <= own).all() and (o < own).any() for o in losses) for own in losses])
    best = rows[~is_beaten, 0].max()
    smoothed = (best * 288 + 1) / 290
    is_like = best - rows[:, 0] <= 2 * math.sqrt(smoothed * (1 - smoothed) / 288)
    assert {option.number for option in found.alike} == set(np.flatnonzero(~is_beaten & is_like).tolist())
    assert found.n_beaten_alike == int((is_like & is_beaten).sum()) > 20
