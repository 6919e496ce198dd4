"""The choice among models that a confirmation has trained again."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.reports.confirmation.confirmation_fixture import confirmation_of, load, parameters, search, train
from tests.reports.report_fixture import ReportFixture
from tunefront.reports.selection.options import find_options
from tunefront.reports.selection.selection import Selection, choose
from tunefront.reports.selection.sentences import describe_certainty, describe_choice


def chosen(folder: Path, trainings: list[tuple[int, list[float], float, float]], start: int | None = None) -> Selection:
    """Choose from a search whose finalists have these test accuracies, bytes and seconds."""
    searched = search(folder)
    confirming = confirmation_of(searched)
    for number, accuracies, memory, seconds in trainings:
        train(confirming, number, accuracies, memory, seconds, start=start)
    choice = choose(find_options(searched.results(), load(searched)))
    assert choice is not None
    return choice


def test_confirmed_numbers_count_and_not_those_of_the_search(tmp_path: Path) -> None:
    # In the search trial 0 had 95 % and trial 3 94 %.
    choice = chosen(tmp_path, [(0, [0.70, 0.70, 0.70], 2000, 2.0), (3, [0.95, 0.95, 0.95], 2000, 1.9)], start=0)
    assert choice.option.number == 3
    # Wilson's interval of 342 of 360 is 92.24 to 96.83 %; its longer side is 2.76.
    assert describe_choice(choice) == "Take trial 3: accuracy 95.00 ± 2.76 %, memory 2 kB, training time 1.9 s."
    assert describe_certainty(choice, "") == [
        "Its numbers are means of 3 trainings with other seeds, scored on the test images; ± is how far other seeds "
        "and images would move such a mean, in 95 of 100 cases. The choice was made by these same numbers, so its "
        "accuracy is a little too good."
    ]


@pytest.mark.parametrize(("start", "number"), [(0, 0), (None, 1)], ids=["image by image", "by scores alone"])
def test_models_are_compared_image_by_image(tmp_path: Path, start: int | None, number: int) -> None:
    """Of 360 images, 0 has 342 right and 1 has 337 of the same ones: 5 differ, all in favour of 0.

    Image by image the difference of 1.39 points has a standard error of sqrt(5/360 (1 - 5/360) / 360) = 0.62 points. By
    the score of 0 alone it has one of 1.2 points, and the cheaper 1 could be as good.
    """
    choice = chosen(tmp_path, [(0, [0.95] * 3, 2000, 2.0), (1, [337 / 360] * 3, 1000, 1.0)], start=start)
    assert choice.option.number == number
    other = next(option for option in choice.options.members if option.number == 1)
    noise = choice.options.noise_between(choice.most_accurate, other)
    share = 5 / 360
    by_images = math.sqrt(share * (1 - share) / 360)
    by_score = math.sqrt((343 / 362) * (19 / 362) / 360)
    assert noise == pytest.approx(2 * (by_images if start is not None else by_score), rel=0.1)


def test_seeds_add_to_the_noise(tmp_path: Path) -> None:
    # The means differ by 2 points. The seeds of 0 spread by 5 points, so that its mean has an error of 2.89. Of three
    # seeds 4.53 such errors may be chance, where of very many two may: 13.07 points. The images add little to that.
    choice = chosen(tmp_path, [(0, [0.90, 0.95, 1.00], 2000, 2.0), (1, [0.93] * 3, 1000, 1.0)], start=0)
    assert choice.option.number == 1
    assert 0.1307 < choice.options.noise_between(choice.most_accurate, choice.option) < 0.14


def test_trainings_that_disagree_do_not_speak_for_a_model(tmp_path: Path) -> None:
    """The mean of 1 is 12 points below that of 0, and its own seeds spread so much that 14 points may be chance.

    Of 0 all seeds agree, so 0 is surely as good as its mean: 1 may be as good by luck alone.
    """
    trainings = [(0, [0.98, 0.98, 0.98], 2000, 2.0), (1, [0.98, 0.86, 0.74], 1000, 1.0)]
    choice = chosen(tmp_path, trainings, start=0)
    assert choice.option.number == 0
    assert [option.number for option in choice.alike] == [0]


def test_what_a_confirmation_showed_to_guess_or_to_break_a_limit_is_not_chosen(tmp_path: Path) -> None:
    # Of three classes guessing has 33 %, with two standard errors of 288 images up to 38.9 %. 3000 bytes are allowed.
    searched = search(tmp_path)
    confirming = confirmation_of(searched)
    train(confirming, 0, [0.95] * 3, 4000, 2.0)
    train(confirming, 1, [0.35] * 3, 900, 0.9)
    train(confirming, 2, [0.80] * 3, 500, 0.5)
    options = find_options(searched.results(), load(searched))
    assert [option.number for option in options.members] == [2]
    assert (options.n_outside, options.n_guessing) == (1, 1)


def test_limits_on_other_scores_are_held_against_the_test_images(tmp_path: Path) -> None:
    searched = ReportFixture.make(tmp_path)
    searched.complete(0.95, 2000, 2.0, parameters=parameters(0), measurements={"recall": 0.9})
    confirming = confirmation_of(searched)
    for _ in range(2):
        confirming.study.optuna.enqueue_trial(parameters(0), user_attrs={"candidate": 0, "seed": 0})
        measured = {"test_accuracy": 0.94, "recall": 0.9, "test_recall": 0.7}
        confirming.complete(0.95, 2000, 2.0, parameters=parameters(0), is_new=False, measurements=measured)
    options = find_options(searched.results(), load(searched))
    assert options.members[0].value("recall") == pytest.approx(0.7)
    assert options.members[0].value("accuracy") == pytest.approx(0.94)


def test_few_trainings_are_said(tmp_path: Path) -> None:
    choice = chosen(tmp_path, [(0, [0.95, 0.95], 2000, 2.0)])
    assert describe_certainty(choice, "")[-1] == "Fewer than 3 trainings may agree by chance."
