"""Reports on a confirmation: trainings with made-up results, so that the right findings are known."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.reports.confirmation.confirmation_fixture import (
    confirmation_of,
    load,
    parameters,
    queue,
    search,
    train,
)
from tests.reports.confirmation.confirmation_readings import by_number, printed, wilson_side
from tunefront.reports.confirmation.confirmation import Confirmation
from tunefront.reports.confirmation.results import load_confirmation
from tunefront.reports.confirmation.sentences import describe_confirmation
from tunefront.reports.confirmation.statistics import Estimate
from tunefront.reports.page.page import render_page
from tunefront.reports.study_results import load_results


def test_there_is_none_when_the_search_was_not_confirmed_or_nothing_has_ended(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    assert load_confirmation(fixture.store, fixture.results()) is None
    trainings = confirmation_of(fixture)
    queue(trainings, 0)
    assert load_confirmation(fixture.store, fixture.results()) is None
    assert load_confirmation(fixture.store, load_results(trainings.study)) is None


def test_verdicts_tell_luck_from_what_holds(confirmation: Confirmation) -> None:
    assert [finalist.number for finalist in confirmation.finalists] == [3, 0, 1, 2]  # the most accurate first
    found = by_number(confirmation)
    assert {number: finalist.verdict for number, finalist in found.items()} == {
        0: "luck",
        1: "confirmed",
        2: "confirmed",
        3: "risen",
    }
    assert found[0].front_probability == 0.0
    assert (found[0].beaten_by, found[0].beaten_probability) == (3, 1.0)
    assert [found[number].front_probability for number in (1, 2, 3)] == [1.0, 1.0, 1.0]
    assert [number for number, finalist in found.items() if finalist.is_on_cautious_front] == [3, 1, 2]
    assert [finalist.number for finalist in confirmation.winners] == [0, 1, 2]


def test_means_intervals_and_gaps(confirmation: Confirmation) -> None:
    zero, two = by_number(confirmation)[0], by_number(confirmation)[2]
    half = math.hypot(4.302653 * 0.01 / 3**0.5, wilson_side(0.91, 360))
    assert zero.estimates["accuracy"].mean == pytest.approx(0.91)
    assert zero.estimates["accuracy"].half_width == pytest.approx(half, rel=1e-3)
    assert zero.validation.mean == pytest.approx(0.92)
    assert zero.estimates["memory"] == Estimate(2000.0, 0.0, 3)
    assert zero.gap.mean == pytest.approx(0.95 - 0.91)
    assert zero.gap.half_width == pytest.approx(half, rel=1e-3)
    assert not zero.is_above_interval  # 0.95 < 0.92 + 0.025 * sqrt(4)
    assert zero.validation.half_width == pytest.approx(
        math.hypot(4.302653 * 0.01 / 3**0.5, wilson_side(0.92, 288)), rel=1e-3
    )
    assert not two.is_above_interval
    assert (two.n_failed, len(two.trainings)) == (1, 2)
    # The gaps of 0, 1 and 2 are 0.04, 0.00 and -0.01. On validation images they are 0.01 less.
    assert confirmation.gap.mean == pytest.approx(0.01)
    assert confirmation.gap.n == 3
    assert confirmation.luck_gap == pytest.approx(0.0)


def test_the_searchs_limits_hold_for_means(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    train(trainings, 0, [0.95, 0.94, 0.95], 3500, 2.0)  # above the limit of 3000, as measured peak memory may be
    train(trainings, 1, [0.90, 0.91], 1000, 1.0)
    zero = by_number(load(fixture))[0]
    assert (zero.front_probability, zero.beaten_probability, zero.beaten_by) == (0.0, 1.0, None)
    assert not zero.is_on_cautious_front


def test_sentences_say_what_was_found(confirmation: Confirmation) -> None:
    text = " ".join(describe_confirmation(confirmation))
    for part in (
        "3 of the search's front and 1 near miss were trained again, 2 to 3 times each with new seeds, and scored on",
        "1 training failed; nothing took its place.",
        "Luck: 1 of the 3 on the search's front, trial 0, would more often than not have missed it.",
        "Missed by the search, and more likely than not on the front: trial 3.",
        "Cautious front: trials 1, 2, 3. Left out with 95 % confidence: trial 0.",
        "With two seeds of trial 2, nothing is for sure of who is on the front.",
        "Search-to-test gap: +1.00 ± 4.13 points of accuracy",
        "One training at a time on its machine (0.90 processes wanted each CPU core): times are true.",
    ):
        assert part in text, part
    assert "not finished" not in text


def test_an_unfinished_one_says_so_and_has_no_intervals_yet(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    train(trainings, 0, [0.9], 2000, 2.0)
    queue(trainings, 1)
    found = load(fixture)
    assert not found.is_finished
    assert found.untrained == [1]
    text = " ".join(describe_confirmation(found))
    assert "It is not finished: 1 of 2 trainings are done. 'tunefront confirm digits' goes on." in text
    assert "90.00 %" in printed(found)
    assert not any(word in text for word in ("Luck", "Cautious", "for sure"))
    assert "trained again, once each" in text
    assert "One training tells too little of trial 0." in text
    page = render_page(fixture.results(), tmp_path, found).split('id="plotly"')[0]
    assert "nan" not in printed(found) + text + page.replace('data-value="nan"', "")


def test_without_test_images_accuracy_is_that_of_validation(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    for seed in range(2):
        trainings.study.optuna.enqueue_trial(parameters(0), user_attrs={"candidate": 0, "seed": seed})
        trainings.complete(0.93, 2000, 2.0, parameters=parameters(0), is_new=False)
    found = load(fixture)
    assert not found.has_test
    assert found.finalists[0].estimates["accuracy"].mean == pytest.approx(0.93)
    assert "Search-to-confirmation gap: +2.00 ± 3.55 points" in " ".join(describe_confirmation(found))
    assert "There is no test split" in render_page(fixture.results(), tmp_path, found)


def test_what_confirmed_another_search_of_that_name_is_left_out(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    train(trainings, 0, [0.9, 0.91], 2000, 2.0)
    for parameters_of_another, candidate in ((parameters(9), 1), (parameters(1), 77)):
        trainings.study.optuna.enqueue_trial(parameters_of_another, user_attrs={"candidate": candidate, "seed": 0})
        trainings.complete(0.9, 1, 1.0, parameters=parameters_of_another, is_new=False)
    assert [finalist.number for finalist in load(fixture).finalists] == [0]


def test_what_the_search_finds_later_is_named_and_makes_no_luck_of_the_rest(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    for number, accuracies in enumerate(([0.94, 0.95], [0.90, 0.91], [0.80, 0.81])):
        train(trainings, number, accuracies, (2000, 1000, 500)[number], (2.0, 1.0, 0.5)[number])
    fixture.complete(0.99, 100, 0.1, parameters=parameters(4))
    found = load(fixture)
    assert found.search.front_numbers == {4}
    assert [finalist.verdict for finalist in found.finalists] == ["confirmed"] * 3
    text = " ".join(describe_confirmation(found))
    assert "3 of the search's front and 0 near misses" in text
    assert (
        "Trial 4 came on the search's front since; nothing here is compared with it. 'tunefront confirm digits' add"
        in text
    )


def test_trials_of_one_candidate_are_trained_once_for_all(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    fixture.complete(0.90, 1000, 1.0, parameters=parameters(1))
    trainings = confirmation_of(fixture)
    train(trainings, 1, [0.90, 0.91], 1000, 1.0)
    found = load(fixture)
    assert found.same == {4: 1}
    assert "Trial 4 of the front has the parameters of trial 1" in " ".join(describe_confirmation(found))
    assert found.newcomers == [0, 2]


def test_a_training_that_a_person_told_complete_has_no_say(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    train(trainings, 0, [0.91, 0.92], 2000, 2.0)
    queue(trainings, 0)
    told = trainings.study.optuna.ask()
    trainings.study.optuna.tell(told, [0.99, 1.0, 0.1])
    found = load(fixture)
    assert found.is_finished
    assert len(found.finalists[0].trainings) == 2
    assert "1 without measurements, ended by hand, does not count." in " ".join(describe_confirmation(found))
