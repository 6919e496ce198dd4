"""What few seeds and the same images say of confirmed models: intervals, comparisons, what is left out."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from tests.reports.confirmation.confirmation_fixture import (
    confirmation_of,
    load,
    parameters,
    search,
    train,
)
from tests.reports.confirmation.confirmation_readings import by_number, printed, wilson_side
from tests.reports.report_fixture import ReportFixture
from tunefront.reports.confirmation.confirmation import Confirmation
from tunefront.reports.confirmation.results import load_confirmation
from tunefront.reports.confirmation.sentences import describe_confirmation, describe_method
from tunefront.reports.confirmation.tables import confirmation_markdown, confirmed_frame
from tunefront.reports.page.page import render_page
from tunefront.storage.answers import Answers
from tunefront.storage.outcomes import Outcome


def test_a_limit_that_is_broken_more_often_than_another_wins_is_the_reason(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    for number, accuracy, memories in ((0, 0.95, (3300, 3200, 2900)), (3, 0.96, (2500, 2500, 2500))):
        for seed, memory in enumerate(memories):
            trainings.study.optuna.enqueue_trial(parameters(number), user_attrs={"candidate": number, "seed": seed})
            trainings.complete(accuracy, memory, 2.0, parameters=parameters(number), is_new=False)
    zero = by_number(load(fixture))[0]
    assert zero.limit_probability > 0.5
    assert zero.beaten_probability == 1.0
    assert (zero.beaten_by, zero.why_left_out) == (None, "breaks a limit")


def test_two_seeds_that_agree_by_chance_are_sure_of_nothing(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    train(trainings, 0, [0.95, 0.95], 2000, 2.0, start=0)
    train(trainings, 1, [0.90, 0.90], 1000, 1.0, start=100)
    train(trainings, 3, [0.95, 0.95], 1900, 1.9, start=180)
    found = load(fixture)
    assert found.is_paired
    zero, one, three = (by_number(found)[number] for number in (0, 1, 3))
    assert zero.estimates["accuracy"].half_width == pytest.approx(wilson_side(0.95, 360))
    assert one.gap.half_width == pytest.approx(wilson_side(0.90, 360))
    assert found.gap.half_width == pytest.approx(wilson_side(0.925, 360))
    assert zero.front_probability == pytest.approx(0.5, abs=0.05)  # as accurate as 3, which is smaller and faster
    assert three.front_probability > 0.98  # 1 is smaller, and hardly as accurate
    assert all(finalist.is_on_cautious_front and not finalist.is_on_front_for_sure for finalist in found.finalists)
    page = render_page(fixture.results(), tmp_path, found)
    section = page[page.index('<section id="confirmation">') :].split("</section>")[0]
    for form in (printed(found), confirmation_markdown(found), section):
        assert "95.00 ± 2.76 %" in form
        assert "> 90 %" in form.replace("&gt;", ">")
        assert not any(word in form for word in ("100 %", "± 0.00 ", "for sure (95 %)", "Left out"))
    assert "With two seeds nothing is for sure, and nothing is left out" in printed(found)
    assert not confirmed_frame(found)["on_front_for_sure"].any()


def test_models_are_compared_on_the_same_images(tmp_path: Path) -> None:
    """The smaller one is right wherever the larger one is, and on 10 images more: unpaired, that is noise."""
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    train(trainings, 0, [0.85, 0.85, 0.85], 2000, 2.0, start=0)
    train(trainings, 3, [0.85 + 10 / 360] * 3, 1900, 1.9, start=0)
    train(trainings, 1, [0.80, 0.80, 0.80], 1000, 1.0, start=0)
    found = load(fixture)
    zero, three = by_number(found)[0], by_number(found)[3]
    assert (zero.beaten_probability, zero.is_on_cautious_front, zero.beaten_by) == (1.0, False, 3)
    assert three.estimates["accuracy"].low < zero.estimates["accuracy"].high  # intervals alone could not tell
    assert (three.is_on_front_for_sure, three.verdict) == (True, "risen")
    text = " ".join([*describe_confirmation(found), *describe_method(found)])
    assert "Left out with 95 % confidence: trial 0. On the front for sure (95 %): trials 1, 3." in text
    assert "in each the same images for all models" in text
    assert confirmed_frame(found)["compared_by_image"].all()


def test_what_has_two_seeds_leaves_out_nothing_that_has_three(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    train(trainings, 0, [0.85, 0.86, 0.85], 2000, 2.0, start=0)
    train(trainings, 3, [0.95, 0.96, None], 1900, 1.9, start=0)
    zero = by_number(load(fixture))[0]
    assert zero.front_probability == 0.0
    assert zero.beaten_probability == 0.0
    assert zero.is_on_cautious_front


def test_a_confirmation_of_before_is_compared_by_its_scores_and_says_so(confirmation: Confirmation) -> None:
    assert not confirmation.is_paired
    text = " ".join(describe_method(confirmation))
    assert "run 'tunefront delete digits.confirmation --results' and confirm again" in text
    assert "the same images" not in text
    assert not confirmed_frame(confirmation)["compared_by_image"].any()


def test_a_score_that_is_no_share_has_the_bootstraps_interval(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, {"accuracy": {"measure": "f1_macro"}, "memory": {"measure": "model_bytes"}})
    for number, score in enumerate((0.9, 0.99)):
        fixture.end(
            fixture.lease(parameters(number)), Outcome.COMPLETE, {"f1_macro": score, "model_bytes": 1000.0 + number}
        )
    trainings = confirmation_of(fixture)
    chosen = [1] * 90 + [0] * 10 + [0] * 90 + [1] * 10
    for number, (score, answers) in enumerate(((0.9, chosen), (1.0, [1] * 100 + [0] * 100))):
        for seed in range(2):
            trainings.study.optuna.enqueue_trial(parameters(number), user_attrs={"candidate": number, "seed": seed})
            measured = {"f1_macro": score, "test_f1_macro": score, "model_bytes": 1000.0 + number}
            kept = {split: Answers([1] * 100 + [0] * 100, answers) for split in ("test", "validation")}
            trainings.end(trainings.lease(parameters(number), is_new=False), Outcome.COMPLETE, measured, answers=kept)
    found = by_number(load(fixture))
    # Classes and errors are so even that F1 varies like the share of right images.
    normal = 1.96 * math.sqrt(0.9 * 0.1 / 200)
    assert found[0].estimates["accuracy"].half_width == pytest.approx(normal, rel=0.15)
    assert found[0].validation.half_width == found[0].estimates["accuracy"].half_width
    assert found[1].estimates["accuracy"].half_width == pytest.approx(wilson_side(1.0, 360))  # the dataset has 360


def test_a_limit_on_another_score_is_held_against_the_test_images(tmp_path: Path) -> None:
    searched = search(tmp_path)
    trainings = confirmation_of(searched)
    for number, recall in ((0, 0.70), (1, 0.90)):
        for seed in range(3):
            trainings.study.optuna.enqueue_trial(parameters(number), user_attrs={"candidate": number, "seed": seed})
            measured = {"test_accuracy": 0.9, "recall": 0.95, "test_recall": recall}
            trainings.complete(
                0.9, 1000.0, 1.0 + seed, parameters=parameters(number), is_new=False, measurements=measured
            )
    results = searched.results()
    without = load_confirmation(searched.store, results)
    limited = replace(results, study=replace(results.study, spec={**results.study.spec, "limits": {"recall": 0.8}}))
    found = load_confirmation(searched.store, limited)
    assert without is not None
    assert found is not None
    assert {each.number: each.limit_probability for each in without.finalists} == {0: 0.0, 1: 0.0}
    assert {each.number: each.limit_probability for each in found.finalists} == {0: 1.0, 1: 0.0}
    assert next(each for each in found.finalists if each.number == 0).front_probability == 0.0
