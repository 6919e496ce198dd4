"""The choice among models that predict numbers, two studies of them side by side, and their tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reports.report_fixture import ReportFixture
from tests.reports.test_numbers import ADAM, SGD, numbers_study
from tunefront.reports.comparison.comparison import compare_studies
from tunefront.reports.selection.limits import LimitError, read_limit
from tunefront.reports.selection.options import find_options
from tunefront.reports.selection.selection import Preference, choose
from tunefront.reports.selection.sentences import describe_certainty, explain
from tunefront.reports.study_results import StudyResults
from tunefront.reports.tables.pivot import make_pivot

# rmse, bytes, seconds; of 100 normal errors, two standard errors of 5.0 are 2 * 5 / sqrt(200) = 0.707
MODELS = (
    (5.0, 80_000, 8.0),  # 0: the best
    (5.7, 20_000, 6.0),  # 1: cannot be told from it
    (5.8, 10_000, 1.0),  # 2: can
    (8.9, 9_000, 0.5),  # 3: hardly better than guessing
    (9.5, 1_000, 0.1),  # 4: guesses
)


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> ReportFixture:
    made = numbers_study(tmp_path_factory.mktemp("chosen"))
    for number, values in enumerate(MODELS):
        made.complete(*values, parameters=SGD if number % 2 else ADAM)
    return made


@pytest.fixture(scope="module")
def results(fixture: ReportFixture) -> StudyResults:
    return fixture.results()


@pytest.mark.parametrize(
    ("prefer", "at_most", "expected"),
    [
        ("balance", (), 1),
        ("quality", (), 0),
        ("accuracy", (), 0),
        ("memory", (), 1),
        ("balance", ("quality=6", "memory=15kB"), 2),
        ("balance", ("rmse=9", "time=0.7s"), 3),
    ],
)
def test_the_cheapest_whose_error_cannot_be_told_from_the_best(
    results: StudyResults, prefer: Preference, at_most: tuple[str, ...], expected: int
) -> None:
    limits = [read_limit(text, results, is_upper=True) for text in at_most]
    choice = choose(find_options(results), limits, prefer)
    assert choice is not None
    assert choice.option.number == expected


def test_the_choice_is_explained_in_the_labels_unit(results: StudyResults) -> None:
    options = find_options(results)
    choice = choose(options)
    assert choice is not None
    assert choice.noise == pytest.approx(0.7071, abs=1e-4)
    assert options.n_guessing == 1
    assert explain(choice) == [
        "Take trial 1: RMSE 5.7 ± 0.81, memory 20 kB, training time 6 s.",
        "It is the cheapest of 2 models whose quality cannot be told from the best one's: trial 0 has 5, and a "
        "difference up to 0.7071 may be chance.",
        "Best quality: trial 0, rmse \N{MINUS SIGN}0.7 for 4 times the memory and 33 % more training time.",
        "Less memory and training time: trial 2, 50 % less memory and 83 % less training time for rmse +0.1.",
    ]
    assert not [line for line in describe_certainty(choice, "trains it again") if "images" in line]


def test_a_limit_that_keeps_out_the_least_error_is_refused(results: StudyResults) -> None:
    with pytest.raises(LimitError, match="less quality is better.*write --at-most quality=5"):
        read_limit("quality=5", results, is_upper=False)


def test_two_studies_have_the_least_errors_on_their_common_front(fixture: ReportFixture, tmp_path: Path) -> None:
    other = numbers_study(tmp_path)
    for values in ((4.0, 90_000, 9.0), (6.0, 15_000, 2.0)):
        other.complete(*values, parameters=ADAM)
    second = other.results()
    object.__setattr__(second.study, "study_id", 99)  # of another storage
    comparison = compare_studies(fixture.results(), second)
    found = [(member.trial.number, member.is_on_common_front, member.beaten_by) for member in comparison.members]
    assert found == [(0, True, None), (0, True, None), (1, True, None), (2, True, None), (1, False, 2), (3, True, None),
                     (4, True, None)]  # fmt: skip
    assert [member.results is second for member in comparison.members][:2] == [True, False]


def test_a_cell_of_a_table_has_the_least_error(results: StudyResults) -> None:
    pivot = make_pivot(results, "optimizer", show=["quality", "memory"])
    assert pivot.titles == ["optimizer", "rmse", "model_bytes"]
    assert pivot.texts() == [["adam", "5", "80 kB"], ["sgd", "5.7", "20 kB"]]
