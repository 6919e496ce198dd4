"""The choice of one model, against cases worked by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.reports.selection.alternatives import find_picks
from tunefront.reports.selection.limits import LimitError, read_limit
from tunefront.reports.selection.options import find_options
from tunefront.reports.selection.selection import Preference, Selection, choose
from tunefront.reports.selection.sentences import (
    describe_alternatives,
    describe_certainty,
    describe_choice,
    describe_no_choice,
    describe_why,
    explain,
)
from tunefront.reports.study_results import StudyResults
from tunefront.reports.verdict.verdict import find_verdict
from tunefront.storage.outcomes import Outcome

# accuracy, bytes, seconds; 288 validation images, so that 2 standard errors of 0.95 are 2.6 points
MODELS = (
    (0.950, 80_000, 8.0),  # 0: the most accurate
    (0.940, 40_000, 6.0),  # 1: alike
    (0.930, 20_000, 9.0),  # 2: alike, least memory of those
    (0.926, 60_000, 2.0),  # 3: alike, fastest of those
    (0.900, 10_000, 1.0),  # 4: cheapest, and 5 points below
    (0.700, 5_000, 0.5),  # 5: far below
    (0.920, 90_000, 9.5),  # 6: dominated by 0
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    fixture = ReportFixture.make(tmp_path_factory.mktemp("study"), THREE)
    for accuracy, memory, seconds in MODELS:
        fixture.complete(accuracy, memory, seconds, measurements={"latency_seconds": seconds / 1000})
    fixture.complete(0.34, 1000, 0.1)  # 7: guessing, of three classes
    return fixture.results()


def chosen(results: StudyResults, *at_most: str, prefer: Preference = "balance") -> Selection:
    limits = [read_limit(text, results, is_upper=True) for text in at_most]
    choice = choose(find_options(results), limits, prefer)
    assert choice is not None
    return choice


def test_picks_are_what_somebody_would_take(results: StudyResults) -> None:
    # Chosen is 3. 1 needs two thirds of the memory, and three times the time. 4 needs half the time for 1.35 times the
    # mistakes, and less memory.
    assert [(pick.title, pick.option.number) for pick in find_picks(chosen(results))] == [
        ("Best accuracy", 0),
        ("Less training time", 4),
    ]


def test_an_extreme_that_gave_up_nearly_everything_is_no_pick(tmp_path: Path) -> None:
    # 1: 3.3 times less memory, for 10 times the mistakes. 2: 4 times less time, for 3 times the mistakes and 5 % more
    # memory, which is 3.15 in all.
    fixture = ReportFixture.make(tmp_path, THREE)
    for accuracy, memory, seconds in ((0.98, 100_000, 8.0), (0.80, 30_000, 9.0), (0.94, 105_000, 2.0)):
        fixture.complete(accuracy, memory, seconds)
    choice = chosen(fixture.results())
    assert choice.option.number == 0
    assert [each.number for each in choice.cheaper.values()] == [1, 2]
    assert [(pick.title, pick.option.number) for pick in find_picks(choice)] == [("Less training time", 2)]


def test_a_model_that_costs_less_on_two_axes_is_named_once(tmp_path: Path) -> None:
    # 2 points are more than 288 images may have by chance at 98 % (1.65), and twice the mistakes.
    fixture = ReportFixture.make(tmp_path, THREE)
    for accuracy, memory, seconds in ((0.98, 100_000, 8.0), (0.96, 40_000, 2.0)):
        fixture.complete(accuracy, memory, seconds)
    options = find_options(fixture.results())
    choice = choose(options)
    assert choice is not None
    what = "trial 1, 60 % less memory and 75 % less training time for \N{MINUS SIGN}2.00 points"
    told = f"Less memory and training time: {what}."
    assert describe_alternatives(choice) == [told]
    verdict = find_verdict(options)
    assert [(pick.title, pick.option.number) for pick in verdict.picks] == [
        ("Take this one", 0),
        ("Less memory and training time", 1),
    ]
    assert verdict.others == []


def test_the_cheapest_that_cannot_be_told_from_the_best_is_chosen(results: StudyResults) -> None:
    # Costs are scaled over the front, trials 0 to 5: ln(5k) to ln(80k), ln(0.5) to ln(9). Mean of both:
    # 1: (0.750 + 0.860) / 2 = 0.805; 2: (0.500 + 1) / 2 = 0.750; 3: (0.896 + 0.480) / 2 = 0.688; 0: 0.980
    choice = chosen(results)
    assert choice.option.number == 3
    assert [option.number for option in choice.alike] == [3, 2, 1, 0]
    assert choice.most_accurate.number == 0
    share = (0.95 * 288 + 1) / 290
    assert choice.noise == pytest.approx(2 * math.sqrt(share * (1 - share) / 288))


@pytest.mark.parametrize(
    ("prefer", "number"), [("accuracy", 0), ("memory", 2), ("time", 3), ("knee", 4), ("balance", 3)]
)
def test_preferences(results: StudyResults, prefer: Preference, number: int) -> None:
    # The knee: trial 4 has 0.8 of the gain in accuracy, (0.90 - 0.70) / 0.25, for (0.25 + 0.24) / 2 of the costs.
    assert chosen(results, prefer=prefer).option.number == number


def test_limits_hold_for_axes_and_for_measures(results: StudyResults) -> None:
    assert chosen(results, "memory=30kB").option.number == 4  # 2 and 4 are 3.0 points apart, and 3.1 may be chance
    assert chosen(results, "time=1.5s").option.number == 4
    assert chosen(results, "latency_seconds=1.5ms").option.number == 4
    assert chosen(results, "model_bytes=30kB", "train_seconds=1.5s").option.number == 4


def test_a_measure_that_is_no_objective_can_bring_in_a_dominated_model(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.95, 1000, 1.0, measurements={"latency_seconds": 0.009})
    fixture.complete(0.90, 2000, 2.0, measurements={"latency_seconds": 0.001})
    results = fixture.results()
    assert results.front_numbers == {0}
    assert chosen(results, "latency_seconds=2ms").option.number == 1


def test_what_is_no_better_than_guessing_is_never_chosen(results: StudyResults) -> None:
    options = find_options(results)
    assert 7 not in [option.number for option in options.members]
    assert options.n_guessing == 1
    limits = [read_limit("memory=2kB", results, is_upper=True)]
    assert choose(options, limits) is None
    assert describe_no_choice(options, limits) == (
        "None of 7 models has memory at most 2 kB. Loosen memory to at most 5 kB (now 2 kB)."
    )


def test_limits_that_only_together_exclude_everything(results: StudyResults) -> None:
    limits = [read_limit("memory=6kB", results, is_upper=True), read_limit("accuracy=94%", results, is_upper=False)]
    assert choose(find_options(results), limits) is None
    assert describe_no_choice(find_options(results), limits) == (
        "None of 7 models has memory at most 6 kB and accuracy at least 94.00 %. "
        "Loosen memory to at most 40 kB (now 6 kB), or accuracy to at least 70.00 % (now 94.00 %)."
    )


def test_limits_of_which_no_single_one_can_be_loosened(results: StudyResults) -> None:
    limits = [
        read_limit("memory=1kB", results, is_upper=True),
        read_limit("accuracy=99%", results, is_upper=False),
    ]
    assert describe_no_choice(find_options(results), limits).endswith("Loosen more than one of them.")


def test_a_measure_that_nobody_measured_is_named(results: StudyResults) -> None:
    limits = [read_limit("peak_bytes=1GB", results, is_upper=True)]
    assert choose(find_options(results), limits) is None
    assert "has peak_bytes measured" in describe_no_choice(find_options(results), limits)


def test_what_the_next_best_would_gain_and_cost(results: StudyResults) -> None:
    choice = chosen(results)
    assert describe_choice(choice) == "Take trial 3: accuracy 92.60 ± 3.1 %, memory 60 kB, training time 2 s."
    assert describe_why(choice) == (
        "It is the cheapest of 4 models whose accuracy cannot be told from the best one's: trial 0 has 95.00 %, and a "
        "difference up to 2.6 points may be chance."
    )
    assert describe_alternatives(choice) == [
        "Best accuracy: trial 0, +2.40 points for 33 % more memory and 4 times the training time.",
        "Less memory: trial 1, 33 % less memory for +1.40 points and 3 times the training time.",
        "Less training time: trial 4, 50 % less training time for \N{MINUS SIGN}2.60 points.",
    ]


def test_how_sure_a_choice_of_the_search_is(results: StudyResults) -> None:
    assert describe_certainty(chosen(results), "trains 5 models") == [
        "Its numbers are as the search saw it, once: ± is two standard errors of 288 validation images. The best of "
        "many trials is a little lucky: 'tunefront confirm digits' trains 5 models."
    ]


def test_few_images_are_said_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("tests.reports.report_fixture", fromlist=["x"]).DATASET, "n_validation", 40)
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.95, 1000, 1.0)
    choice = chosen(fixture.results())
    few, first, *_ = explain(choice)
    assert first.startswith("Take trial 0")
    assert not any("too few" in line for line in describe_certainty(choice, ""))
    assert few == "40 images are too few to tell models apart: take the choice as a first guess."


def test_a_model_that_another_one_beats_may_be_as_good(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.95, 1000, 1.0)
    fixture.complete(0.94, 2000, 2.0)
    assert describe_why(chosen(fixture.results())) == "It has the best accuracy, and no other costs less."
    # 2 sqrt(0.95 0.05 / 288) is 2.57 points. Trial 3 is nearer, and costs more.
    fixture.complete(0.85, 500, 0.5)
    fixture.complete(0.92, 3000, 3.0)
    assert describe_why(chosen(fixture.results())) == (
        "It has the best accuracy: the next that costs less, trial 2, has 10.00 points less, and up to 2.6 points may "
        "be chance."
    )


def test_a_study_without_models_says_why(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    options = find_options(fixture.results())
    assert choose(options) is None
    assert describe_no_choice(options, []) == "There is no model to choose from: no trial has started yet."


@pytest.mark.parametrize(
    ("text", "is_upper", "message"),
    [
        ("memory", True, "--at-most 'memory': write a name and a quantity, such as --at-most memory=100kB"),
        ("memory=100", True, "--at-most memory=100: it has no unit: write memory=100kB, for example"),
        ("memory=100 ms", True, "--at-most memory: '100 ms' is not a size"),
        ("memory=1MB", False, "less memory is better, and this keeps out the best: write --at-most memory=1MB"),
        ("accuracy=0.9", True, "more accuracy is better, and this keeps out the best: write --at-least accuracy=0.9"),
        ("accuracy=95", False, "--at-least accuracy=95: accuracy is at most 1: write accuracy=95%"),
        ("accuracy=101%", False, "--at-least accuracy=101%: accuracy is at most 1"),
        ("acuracy=0.9", False, "Did you mean 'accuracy'?"),
        ("latency=1s", True, "may be latency_seconds, litert_latency_seconds, onnx_latency_seconds: write which"),
    ],
)
def test_limits_that_cannot_be_read(results: StudyResults, text: str, is_upper: bool, message: str) -> None:
    with pytest.raises(LimitError) as found:
        read_limit(text, results, is_upper=is_upper)
    assert message in str(found.value)


def test_a_study_that_failed_says_the_reason(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    for reason in ("ValueError: 1 is no shape", "ValueError: 2 is no shape", "killed by signal 9"):
        fixture.end(fixture.lease(), Outcome.FAILED, {}, reason=reason)
    text = describe_no_choice(find_options(fixture.results()), [])
    assert text == (
        "There is no model to choose from: all 3 trials failed: 2 of them: ValueError: \N{HORIZONTAL ELLIPSIS} is no "
        "shape."
    )


def test_a_study_in_which_nothing_keeps_the_limits_names_the_nearest_and_what_to_loosen(tmp_path: Path) -> None:
    # Trial 0 is 50 % above one limit, 1 is 10 % above it, 2 breaks both. 3 would be nearest, but guesses: of three
    # classes 33 % are right by chance, and 0 and 1 have 90 and 80 %.
    limits = {
        "memory": {"measure": "model_bytes", "at_most": 10_000},
        "time": {"measure": "train_seconds", "at_most": 2},
    }
    fixture = ReportFixture.make(tmp_path, {**THREE, **limits})
    for values in ((0.9, 15_000, 1.0), (0.8, 11_000, 1.5), (0.95, 10_500, 3.0), (0.34, 10_001, 1.0)):
        fixture.complete(*values)
    options = find_options(fixture.results())
    assert choose(options) is None
    assert (options.n_outside, options.n_guessing) == (3, 1)
    assert describe_no_choice(options, []) == (
        "No model keeps the study's limits: 3 outside, 1 no better than guessing. Nearest is trial 1: "
        "accuracy 80.00 ± 4.7 %, memory 11 kB, training time 1.5 s. Loosen memory to at most 11 kB (now 10 kB)."
    )


def test_the_only_model_is_neither_compared_nor_lucky(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.95, 1000, 1.0)
    choice = chosen(fixture.results())
    assert describe_why(choice) == "There is no other to choose from."
    assert describe_certainty(choice, "trains it again") == [
        "Its numbers are as the search saw it, once: ± is two standard errors of 288 validation images. 'tunefront "
        "confirm digits' trains it again."
    ]
