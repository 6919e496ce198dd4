"""Where the time of the slots went, added up by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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


def parts(**seconds: Any) -> dict[str, Any]:
    """Return the parts of a trial's time, 0 but for those that are named, with a blank for each underscore."""
    names = ("loading", "building", "tracing", "training", "validation", "other folds", "measuring", "saving")
    return dict.fromkeys((*names, "the rest"), 0.0) | {name.replace("_", " "): value for name, value in seconds.items()}


def spent(trained: float, validated: float, rest: float) -> dict[str, Any]:
    return parts(training=trained, validation=pytest.approx(validated), the_rest=pytest.approx(rest))


def test_each_fate_has_its_seconds(timed: StudyResults) -> None:
    # Complete trials have three epochs, the stopped one two, the refused and the failed one none.
    assert slot_seconds(timed) == [
        SlotSeconds("on the front", 4, spent(6.0, 1.2, 10 + 11 + 12 + 18 - 7.2)),
        SlotSeconds("beaten", 1, spent(1.5, 0.3, 13 - 1.8)),
        SlotSeconds("breaks a limit", 1, spent(1.5, 0.3, 14 - 1.8)),
        SlotSeconds("stopped early", 1, spent(1.0, 0.2, 15 - 1.2)),
        SlotSeconds("refused", 1, spent(0.0, 0.0, 16.0)),
        SlotSeconds("failed", 1, spent(0.0, 0.0, 17.0)),
    ]


def test_parts_that_a_process_timed_are_told_apart(timed: StudyResults) -> None:
    of_processes = {
        "load_seconds": 0.25,
        "build_seconds": 0.5,
        "compile_seconds": 1.0,
        "fold_seconds": 2.0,
        "measure_seconds": 0.125,
        "save_seconds": 0.0625,
    }
    stopped = next(trial for trial in timed.trials if trial.state == "pruned")
    told = replace(stopped, measurements={**stopped.measurements, **of_processes})
    results = replace(timed, trials=[told])
    (found,) = slot_seconds(results)
    assert found.parts == {
        **{"loading": 0.25, "building": 0.5, "tracing": 1.0, "training": 1.0, "validation": 0.2},
        **{"other folds": 2.0, "measuring": 0.125, "saving": 0.0625},
        "the rest": pytest.approx(15 - 0.25 - 0.5 - 1 - 1 - 0.2 - 2 - 0.125 - 0.0625),
    }
    assert found.whole == pytest.approx(15)
    assert [bar.name for bar in slot_seconds_figure(slot_seconds(results)).data] == list(found.parts)
    # In percent of 15 seconds: 1.67, 3.33, 6.67, 6.67, 1.33, 13.33, 0.83, 0.42 and what remains.
    assert describe_slot_seconds(slot_seconds(results)) == (
        "Of 15 s of slots, by what became of the trials: stopped early 100 %. By what they did: loading 2 %, building "
        "3 %, tracing 7 %, training 7 %, validation 1 %, other folds 13 %, measuring 1 %, saving 0 %; the rest, 66 %, "
        "is waiting: for a process, for verdicts, for checkpoints and for the storage."
    )


def test_a_training_that_went_on_held_its_slots_in_all_its_attempts(timed: StudyResults) -> None:
    stopped = next(trial for trial in timed.trials if trial.state == "pruned")
    (last,) = stopped.parts
    before = replace(last, started_at=1e9 - 100.0, ended_at=1e9 - 60.0)
    trials = [replace(t, parts=(before, last)) if t is stopped else t for t in timed.trials]
    found = {each.fate: each.parts["the rest"] for each in slot_seconds(replace(timed, trials=trials))}
    assert found["stopped early"] == pytest.approx(15 + 40 - 1.2)


def test_bars_are_stacked_and_tell_their_share(timed: StudyResults) -> None:
    figure = slot_seconds_figure(slot_seconds(timed))
    training, _, rest = figure.data
    assert list(training.x) == [6.0, 1.5, 1.5, 1.0, 0.0, 0.0]
    assert training.y[0] == "on the front (4)"
    assert rest.hovertext[5] == "<b>failed (1)</b>, the rest: 17 s, 13% of all"  # of 126 s
    assert figure.layout.title.subtitle.text == "2.1 min of slots, in trials that ended"


def test_the_figure_is_told_in_words(timed: StudyResults) -> None:
    # Of 126 seconds 51, 13, 14, 15, 16 and 17 were of each fate; 10 were training, and 2 validation.
    assert describe_slot_seconds(slot_seconds(timed)) == (
        "Of 2.1 min of slots, by what became of the trials: on the front 40 %, beaten 10 %, breaks a limit 11 %, "
        "stopped early 12 %, refused 13 %, failed 13 %. By what they did: training 8 %, validation 2 %; the rest, "
        "90 %, is starting, building, measuring, saving and waiting."
    )


def test_trials_without_times_are_left_out(results: StudyResults) -> None:
    unknown = replace(results, trials=[replace(trial, ended_at=None) for trial in results.trials])
    assert not slot_seconds_figure(slot_seconds(unknown)).data


@pytest.mark.parametrize(
    ("seconds", "unit"),
    [(0.5, (1, "seconds")), (119, (1, "seconds")), (120, (60, "minutes")), (7200, (3600, "hours"))],
)
def test_the_unit_of_time_is_the_largest_of_which_there_are_two(seconds: float, unit: tuple[float, str]) -> None:
    assert time_unit(seconds) == unit
