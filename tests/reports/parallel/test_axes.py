"""The axes of parallel coordinates, by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.reports.parallel.axes import NOT_THERE, ParallelAxis, parallel_axes
from tunefront.reports.parallel.section import MOST_LINES, drawn_trials, parallel_context
from tunefront.reports.study_results import StudyResults
from tunefront.storage.outcomes import Outcome

CANDIDATES = (
    ({"optimizer.name": "adam", "adam.learning_rate": 0.001, "cnn.blocks": 1}, (0.8, 1000, 1.0)),
    ({"optimizer.name": "adam", "adam.learning_rate": 0.01, "cnn.blocks": 3, "cnn.kernel": 3}, (0.9, 10_000, 1.0)),
    ({"optimizer.name": "sgd", "sgd.learning_rate": 0.1, "cnn.blocks": 2, "cnn.kernel": 5}, (0.5, 100_000, 1.0)),
)


@pytest.fixture
def results(tmp_path: Path) -> StudyResults:
    """Three complete trials, of which the last is beaten, and one that was stopped."""
    fixture = ReportFixture.make(tmp_path, THREE)
    for parameters, values in CANDIDATES:
        fixture.complete(*values, parameters=parameters)
    fixture.end(fixture.lease({"optimizer.name": "adam"}), Outcome.PRUNED, {"accuracy": 0.3})
    return fixture.results()


@pytest.fixture
def axes(results: StudyResults) -> dict[str, ParallelAxis]:
    return {axis.name: axis for axis in parallel_axes(results, results.trials[:3])}


def test_what_varies_has_an_axis_and_what_is_wanted(axes: dict[str, ParallelAxis]) -> None:
    # The training time is the same in all, and so tells nothing.
    assert list(axes) == ["optimizer", "learning rate", "blocks", "kernel", "accuracy", "memory"]


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("optimizer", [0, 0, 1]),
        ("learning rate", [0, 0.5, 1]),  # a hundredfold, so by logarithms
        ("blocks", [0, 1, 0.5]),
        ("kernel", [0, 0.5, 1]),  # the first has none
        ("accuracy", [0.75, 1, 0]),
        ("memory", [0, 0.5, 1]),
    ],
)
def test_each_trial_stands_at_its_place(axes: dict[str, ParallelAxis], name: str, places: list[float]) -> None:
    assert axes[name].places == pytest.approx(places)


def test_ranges_can_end_where_a_value_is_in_words(axes: dict[str, ParallelAxis]) -> None:
    assert axes["kernel"].stops == [(0, NOT_THERE), (0.5, "3"), (1, "5")]
    memory = dict(axes["memory"].stops)
    assert len(memory) == 21
    assert [memory[place] for place in (0, 0.5, 1)] == ["1 kB", "10 kB", "100 kB"]


def test_complete_trials_are_drawn_the_front_last_and_the_best_on_top(results: StudyResults) -> None:
    assert [trial.number for trial in drawn_trials(results)] == [2, 0, 1]


def test_of_very_many_the_front_and_some_of_the_others_are_drawn(results: StudyResults) -> None:
    more = [replace(results.trials[2], number=number) for number in range(10, 10 + 3 * MOST_LINES)]
    many = replace(results, trials=[*results.trials, *more])
    drawn = [trial.number for trial in drawn_trials(many)]
    assert len(drawn) == len(set(drawn)) == MOST_LINES
    assert drawn[-2:] == [0, 1]
    assert parallel_context(many)["parallel_count"] == "300 of 903"


def test_two_trials_make_no_figure(results: StudyResults) -> None:
    assert parallel_context(replace(results, trials=results.trials[:2])) == {"parallel": None}
