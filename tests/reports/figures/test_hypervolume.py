"""The growth of the hypervolume, by studies whose volumes are worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

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
