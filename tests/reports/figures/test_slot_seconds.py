"""Where the time of the slots went, added up by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tunefront.reports.figures.slot_seconds import SlotSeconds, describe_slot_seconds, slot_seconds, slot_seconds_figure
from tunefront.reports.figures.units import time_unit
from tunefront.reports.study_results import StudyResults


@pytest.fixture
def timed(results: StudyResults) -> StudyResults:
    """The study with trial n in its slot for 10 + n seconds; each epoch trained for 0.5 s, and 0.1 s was validation."""
    return replace(
        results,
        trials=[replace(t, started_at=1e9, ended_at=1e9 + 10 + t.number) for t in results.trials if t.number < 9],
    )


def test_each_fate_has_its_seconds(timed: StudyResults) -> None:
    # Complete trials have three epochs, the stopped one two, the refused and the failed one none.
    assert slot_seconds(timed) == [
        SlotSeconds("on the front", 4, 6.0, pytest.approx(1.2), pytest.approx(10 + 11 + 12 + 18 - 7.2)),
        SlotSeconds("beaten", 1, 1.5, pytest.approx(0.3), pytest.approx(13 - 1.8)),
        SlotSeconds("breaks a limit", 1, 1.5, pytest.approx(0.3), pytest.approx(14 - 1.8)),
        SlotSeconds("stopped early", 1, 1.0, pytest.approx(0.2), pytest.approx(15 - 1.2)),
        SlotSeconds("refused", 1, 0.0, 0.0, 16.0),
        SlotSeconds("failed", 1, 0.0, 0.0, 17.0),
    ]


def test_a_training_that_went_on_held_its_slots_in_all_its_attempts(timed: StudyResults) -> None:
    stopped = next(trial for trial in timed.trials if trial.state == "pruned")
    (last,) = stopped.parts
    before = replace(last, started_at=1e9 - 100.0, ended_at=1e9 - 60.0)
    trials = [replace(t, parts=(before, last)) if t is stopped else t for t in timed.trials]
    found = {each.fate: each.rest for each in slot_seconds(replace(timed, trials=trials))}
    assert found["stopped early"] == pytest.approx(15 + 40 - 1.2)


def test_bars_are_stacked_and_tell_their_share(timed: StudyResults) -> None:
    figure = slot_seconds_figure(timed)
    training, _, rest = figure.data
    assert list(training.x) == [6.0, 1.5, 1.5, 1.0, 0.0, 0.0]
    assert training.y[0] == "on the front (4)"
    assert rest.hovertext[5] == "<b>failed (1)</b>, the rest: 17 s, 13% of all"  # of 126 s
    assert figure.layout.title.subtitle.text == "2.1 min of slots, in trials that ended"


def test_the_figure_is_told_in_words(timed: StudyResults) -> None:
    # Of 126 seconds 51, 13, 14, 15, 16 and 17 were of each fate; 10 were training, and 2 validation.
    assert describe_slot_seconds(timed) == (
        "Of 2.1 min of slots, by what became of the trials: on the front 40 %, beaten 10 %, breaks a limit 11 %, "
        "stopped early 12 %, refused 13 %, failed 13 %. Training took 8 % and validation 2 %; the rest is starting, "
        "building, compiling and measuring."
    )


def test_trials_without_times_are_left_out(results: StudyResults) -> None:
    unknown = replace(results, trials=[replace(trial, ended_at=None) for trial in results.trials])
    assert not slot_seconds_figure(unknown).data


@pytest.mark.parametrize(
    ("seconds", "unit"),
    [(0.5, (1, "seconds")), (119, (1, "seconds")), (120, (60, "minutes")), (7200, (3600, "hours"))],
)
def test_the_unit_of_time_is_the_largest_of_which_there_are_two(seconds: float, unit: tuple[float, str]) -> None:
    assert time_unit(seconds) == unit
