"""Reports on a confirmation: trainings with made-up results, so that the right findings are known."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy import stats

from tests.reports.confirmation.confirmation_fixture import (
    confirmation_of,
    load,
    parameters,
    queue,
    search,
    train,
)
from tests.reports.report_fixture import ReportFixture
from tunefront.reports.confirmation.confirmation import Confirmation, Confirmed
from tunefront.reports.confirmation.results import load_confirmation
from tunefront.reports.confirmation.sentences import describe_confirmation, describe_method, show_estimate, show_points
from tunefront.reports.confirmation.statistics import Estimate
from tunefront.reports.confirmation.tables import confirmation_markdown, confirmation_table, confirmed_frame
from tunefront.reports.page.page import render_page
from tunefront.reports.report_files import write_report
from tunefront.reports.study_results import StudyResults, load_results
from tunefront.storage import studies
from tunefront.storage.answers import Answers
from tunefront.storage.outcomes import Outcome


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> ReportFixture:
    """A confirmed search. 0 was luck: 3 is as small and fast, and more accurate. 1 and 2 are confirmed."""
    fixture = search(tmp_path_factory.mktemp("confirmed"))
    trainings = confirmation_of(fixture)
    train(trainings, 0, [0.91, 0.90, 0.92], 2000, 2.0)
    train(trainings, 1, [0.89, 0.90, 0.91], 1000, 1.0)
    train(trainings, 2, [0.80, None, 0.82], 500, 0.5)
    train(trainings, 3, [0.95, 0.96, 0.94], 2000, 1.9)
    return fixture


@pytest.fixture(scope="module")
def confirmation(searched: ReportFixture) -> Confirmation:
    return load(searched)


def by_number(confirmation: Confirmation) -> dict[int, Confirmed]:
    return {finalist.number: finalist for finalist in confirmation.finalists}


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


def wilson_side(share: float, n: int) -> float:
    """Return the longer side of SciPy's Wilson interval, interpolated for a share between two counts."""

    def side(n_right: int) -> float:
        found = stats.binomtest(n_right, n).proportion_ci(method="wilson")
        return max(n_right / n - found.low, found.high - n_right / n)

    below = math.floor(share * n)
    return float(np.interp(share * n, [below, below + 1], [side(below), side(min(below + 1, n))]))


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


def test_a_finalist_whose_every_training_failed_is_told_of_in_every_form(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    train(trainings, 0, [None, None], 2000, 2.0)
    alone = load(fixture)
    text = " ".join(describe_confirmation(alone))
    assert "1 of the search's front and 0 near misses were trained again. 2 trainings failed" in text
    train(trainings, 1, [0.90, 0.91], 1000, 1.0)
    found = load(fixture)
    assert found.is_finished
    assert [(f.number, f.verdict, f.n_failed) for f in found.finalists] == [(1, "confirmed", 0), (0, "failed", 2)]
    text = " ".join(describe_confirmation(found))
    assert "2 of the search's front and 0 near misses were trained again, 2 times each" in text
    assert "2 trainings failed; nothing took their place. With every seed failed trial 0." in text
    assert "Luck: 0 of the 1 on the search's front." in text
    assert "Cautious front: trial 1." in text
    frame = confirmed_frame(found).set_index("trial")
    assert (frame.loc[0, "verdict"], frame.loc[0, "n_failed"], frame.loc[0, "n_trainings"]) == ("failed", 2, 0)
    assert not frame.loc[0, "on_cautious_front"]
    page = render_page(fixture.results(), tmp_path, found).split('id="plotly"')[0]
    for form in (page, printed(found), confirmation_markdown(found)):
        assert "failed" in form
        assert "nan" not in form.replace('data-value="nan"', "")


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


def printed(confirmation: Confirmation, width: int = 160) -> str:
    file = io.StringIO()
    Console(width=width, file=file).print(confirmation_table(confirmation))
    return file.getvalue()


def test_no_cell_is_cut_off_where_a_terminal_is_narrow(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    for number in (0, 1, 3):
        train(trainings, number, [0.8, 0.95], 1234, 2.0, start=number)
    found = load(fixture)
    wide, narrow = printed(found), printed(found, 80)
    for finalist in found.finalists:
        (row,) = (line.split() for line in wide.splitlines() if line.split()[:1] == [str(finalist.number)])
        assert row in [line.split() for line in narrow.splitlines()]
        assert " ".join(row[1:]).startswith(finalist.verdict)
        below = printed(found, 40)
        assert f"  {finalist.verdict}" in below  # never cut off; what has no room stands below
        assert "memory 1.23 kB" in below


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


def test_the_terminal_shows_a_table_and_the_sentences(confirmation: Confirmation) -> None:
    text = printed(confirmation)
    assert "digits: confirmed" in text
    assert "91.00 ± 4.21 %" in text
    assert "luck" in text
    assert "Search-to-test gap" in text


def test_what_the_search_saw_of_a_model_that_only_guesses_is_marked_in_every_form(
    searched: ReportFixture, confirmation: Confirmation, tmp_path: Path
) -> None:
    found = searched.results()
    chances = {"accuracy": {"score": 0.72, "standard_error": 0.05}}  # guessing may reach 82 %, and trial 2 had 80
    study = replace(found.study, dataset={**found.study.dataset, "chances": chances})
    marked = load_confirmation(searched.store, replace(found, study=study))
    assert marked is not None
    shown = io.StringIO()
    Console(file=shown, width=200).print(confirmation_table(marked))
    page = render_page(marked.search, tmp_path, marked)
    page = page[page.index('<section id="confirmation">') :]
    for form in (shown.getvalue(), confirmation_markdown(marked).replace("\\", ""), page):
        text = " ".join(form.split())
        assert "80.00 % *" in text
        assert "90.00 % *" not in text
        assert "* no better than guessing: not two standard errors (10.00 %) above the 72.00 % accuracy" in text
    assert "guessing" not in confirmation_markdown(confirmation)
    frame = confirmed_frame(marked).set_index("trial")["search_no_better_than_guessing"]
    assert frame.to_dict() == {0: False, 1: False, 2: True, 3: False}


def test_the_frame_has_a_row_for_each_finalist(confirmation: Confirmation) -> None:
    frame = confirmed_frame(confirmation).set_index("trial")
    assert frame.index.tolist() == [3, 0, 1, 2]
    assert frame.loc[0, "beaten_by"] == 3
    assert frame.loc[0, "gap"] == pytest.approx(0.04)
    assert frame.loc[3, "accuracy_high"] == pytest.approx(0.95 + math.hypot(0.02484, wilson_side(0.95, 360)), abs=1e-4)
    assert frame.loc[2, "accuracy_high"] <= 1.0
    assert frame.loc[2, "n_failed"] == 1
    assert not frame["times_are_shared"].any()


def test_a_report_has_it_in_every_form(searched: ReportFixture, confirmation: Confirmation, tmp_path: Path) -> None:
    model = tmp_path / "confirmation" / "models" / "trial-3.keras"
    model.parent.mkdir(parents=True)
    model.touch()
    files = write_report(searched.results(), tmp_path, confirmation)
    assert files.confirmed_csv == tmp_path / "confirmed.csv"
    assert len(pd.read_csv(files.confirmed_csv)) == 4
    markdown = files.front_md.read_text()
    assert "## Confirmed" in markdown
    assert "| 0 | 91.00 ± 4.21 % | 95.00 % |" in markdown
    page = files.report_html.read_text()
    assert '<section id="confirmation">' in page
    assert "no: trial 3" in page
    figures = [part.split("</script>")[0] for part in page.split('<script type="application/json" id="confirmed-')[1:]]
    assert len(figures) == 2
    assert all(json.loads(figure.split(">", 1)[1])["data"] for figure in figures)


def test_the_page_links_the_model_of_the_best_training_on_validation(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    models = tmp_path / "confirmation" / "models"
    models.mkdir(parents=True)
    for number, accuracy in enumerate((0.90, 0.92, 0.91)):
        (models / f"trial-{number}.keras").touch()
        path = str(models / f"trial-{number}.keras") if number != 1 else ""  # no model was kept
        trainings.study.optuna.enqueue_trial(parameters(0), user_attrs={"candidate": 0, "seed": number})
        trainings.complete(accuracy, 2000, 2.0, parameters=parameters(0), is_new=False, model_path=path)
    page = render_page(fixture.results(), tmp_path, load(fixture))
    assert 'href="confirmation/models/trial-2.keras"' in page


def test_a_page_without_one_is_as_before_and_tells_how_to_get_one(results: StudyResults, tmp_path: Path) -> None:
    page = render_page(results, tmp_path)
    assert '<section id="confirmation">' not in page
    assert "tunefront confirm digits" in page


def test_the_page_of_the_trainings_says_what_they_are(searched: ReportFixture, tmp_path: Path) -> None:
    study = studies.find(searched.store, "digits.confirmation")
    assert study is not None
    page = render_page(load_results(study), tmp_path)
    assert "single trainings of the finalists of <b>digits</b>" in page
    assert "No trial saw the test images" not in page
    assert "tunefront confirm digits.confirmation" not in page
    assert "is not finished" not in page  # 11 are complete, and the failed training is not replaced


def test_the_page_of_unfinished_trainings_names_the_command_that_goes_on(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    train(trainings, 0, [0.9], 2000, 2.0)
    page = render_page(trainings.results(), tmp_path).replace("&#39;", "'")
    assert "1 of 12 trials are finished. 'tunefront confirm digits' goes on with it." in page


@pytest.mark.parametrize(
    ("found", "unit", "expected"),
    [
        (Estimate(0.974, 0.008, 3), "fraction", "97.40 ± 0.80 %"),
        (Estimate(0.974, float("nan"), 1), "fraction", "97.40 %"),
        (Estimate(966107.0, 0.0, 3), "bytes", "966 kB"),
        (Estimate(966107.0, 12345.0, 3), "bytes", "966 ± 12 kB"),
        (Estimate(2.08, 0.13, 3), "seconds", "2.08 ± 0.13 s"),
        (Estimate(0.0042, 0.0004, 3), "seconds", "4.2 ± 0.4 ms"),
        (Estimate(0.415, 0.1912, 2), "seconds", "415 ± 190 ms"),
        (Estimate(104.0, 112.0, 2), "seconds", "104 ± 110 s"),
        (Estimate(0.0, 0.1, 3), "seconds", "0 µs"),
        (Estimate(0.0, 0.0, 2, 0.037), "fraction", "0.00 ± 3.70 %"),  # as 100 % has it
        (Estimate(float("nan"), float("nan"), 0), "seconds", "-"),
    ],
)
def test_an_estimate_reads_well(found: Estimate, unit: Any, expected: str) -> None:
    assert show_estimate(found, unit) == expected


def test_points_have_a_sign() -> None:
    assert show_points(Estimate(0.0037, 0.008, 3), "fraction") == "+0.37 ± 0.80"
    assert show_points(Estimate(-0.01, float("nan"), 1), "fraction") == "\N{MINUS SIGN}1.00"
    assert show_points(Estimate(-1e-17, 0.01, 2), "fraction") == "+0.00 ± 1.00"
    assert show_points(Estimate(float("nan"), float("nan"), 0), "fraction") == "-"


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
