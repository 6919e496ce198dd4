"""The growth of the hypervolume, by studies whose volumes are worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.reports.figures.hypervolume import growth, hypervolume_figure
from tunefront.reports.study_results import StudyResults

TWO = {axis: THREE[axis] for axis in ("accuracy", "memory")}


def timed(results: StudyResults, *spans: tuple[float, float]) -> StudyResults:
    """Return the results with these starts and ends of the trials."""
    trials = [
        replace(trial, started_at=1e9 + start, ended_at=1e9 + end)
        for trial, (start, end) in zip(results.trials, spans, strict=True)
    ]
    return replace(results, trials=trials)


@pytest.fixture
def results(tmp_path: Path) -> StudyResults:
    """Four trials, of which 1 is beaten by 0. Costs are powers of ten, so that their logarithms are whole.

    The worst values are 0.5 and 1000 B. From there trial 0 spans 0.3 x 1, trial 2 0.1 x 2 and trial 3 0.4 x 0. With
    trial 0 the volume is 0.3, with trial 2 it has 0.1 x 1 more, and trial 3 adds none: it has the worst memory.
    """
    fixture = ReportFixture.make(tmp_path, TWO)
    for accuracy, memory in ((0.8, 100), (0.5, 1000), (0.6, 10), (0.9, 1000)):
        fixture.complete(accuracy, memory, 1.0)
    return timed(fixture.results(), (0, 10), (5, 20), (10, 40), (20, 30))


def test_each_trial_that_makes_the_front_better_has_its_share_of_the_whole(results: StudyResults) -> None:
    found = growth(results)
    assert [step.number for step in found] == [0, 3, 2]  # in the order in which they ended
    assert [step.share for step in found] == pytest.approx([0.75, 0.75, 1.0])
    assert [step.seconds for step in found] == pytest.approx([10, 30, 40])


def _staircase(points: list[tuple[float, float]], worst: tuple[float, float]) -> float:
    """Return the area between the worst values and points of score and log cost, strip by strip."""
    costs = sorted({cost for _, cost in points} | {worst[1]})
    strips = pairwise(costs)
    best = [max(score for score, cost in points if cost <= start) - worst[0] for start in costs[:-1]]
    return sum(height * (end - start) for height, (start, end) in zip(best, strips, strict=True))


@pytest.fixture
def many(results: StudyResults) -> StudyResults:
    """A hundred trials that end one after another, on a coarse grid so that some are equal."""
    random = np.random.default_rng(3)
    scores = random.integers(1, 30, 100) / 30
    memory = 10 ** (random.integers(0, 30, 100) / 10)
    trials = [
        replace(
            results.trials[0],
            number=number,
            values=(score, cost),
            started_at=10.0 * number,
            ended_at=10.0 * number + 10,
        )
        for number, (score, cost) in enumerate(zip(scores.tolist(), memory.tolist(), strict=True))
    ]
    return replace(results, trials=trials)


def test_growth_is_that_of_every_trial_measured_anew(many: StudyResults) -> None:
    points = [(trial.values[0], float(np.log10(trial.values[1]))) for trial in many.trials if trial.values]
    worst = min(score for score, _ in points), max(cost for _, cost in points)
    whole = _staircase(points, worst)
    expected = [
        (number, _staircase(points[: number + 1], worst) / whole)
        for number, (score, cost) in enumerate(points)
        if not any(other >= score and price <= cost for other, price in points[:number])
    ]
    found = growth(many)
    assert len(expected) > 8
    assert [step.number for step in found] == [number for number, _ in expected]
    assert [step.share for step in found] == pytest.approx([share for _, share in expected])


def test_of_very_many_steps_the_first_the_last_and_some_between_are_drawn(
    many: StudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = growth(many)
    monkeypatch.setattr("tunefront.reports.figures.hypervolume.MOST_STEPS", 4)
    some = growth(many)
    assert len(some) == 4
    assert (some[0], some[-1]) == (every[0], every[-1])
    assert set(some) <= set(every)


def test_pauses_do_not_count(results: StudyResults) -> None:
    found = growth(timed(results, (0, 10), (5, 20), (1000, 1030), (1005, 1010)))
    assert [(step.number, step.seconds) for step in found] == [(0, 10), (3, 30), (2, 50)]


def test_the_figure_ends_with_the_last_trial(results: StudyResults) -> None:
    found = timed(results, (0, 100), (5, 20), (10, 400), (20, 600))
    figure = hypervolume_figure(found)
    (line,) = figure.data
    assert figure.layout.xaxis.title.text == "minutes in which trials ran"
    assert list(line.customdata) == [1, 0, 2, 3, None]
    assert list(line.x) == pytest.approx([20 / 60, 100 / 60, 400 / 60, 10, 10], rel=1e-3)
    assert list(line.y) == pytest.approx([0.0, 0.75, 1.0, 1.0, 1.0])


def test_a_study_without_growth_has_no_such_figure(results: StudyResults) -> None:
    assert not hypervolume_figure(replace(results, trials=results.trials[:1])).data
    assert not hypervolume_figure(replace(results, trials=())).data
    unknown = [replace(trial, started_at=None) for trial in results.trials]
    assert not hypervolume_figure(replace(results, trials=unknown)).data


@pytest.mark.parametrize("n_objectives", [1, 3])
def test_one_or_three_objectives_grow_alike(tmp_path: Path, n_objectives: int) -> None:
    fixture = ReportFixture.make(tmp_path, dict(list(THREE.items())[:n_objectives]))
    for accuracy in (0.6, 0.7, 0.65, 0.9):
        fixture.complete(accuracy, 100 / accuracy, 2 - accuracy)  # better on all three
    found = growth(timed(fixture.results(), (0, 1), (0, 2), (0, 3), (0, 4)))
    assert [step.number for step in found] == [0, 1, 3]
    assert found[0].share == 0.0  # the worst of all
    assert found[-1].share == 1.0
    if n_objectives == 1:
        assert found[1].share == pytest.approx(0.1 / 0.3)
