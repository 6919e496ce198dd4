"""Once a search was confirmed, its report shows the errors of its finalists on the test images."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tests.reports.class_answers.stored_answers import text_of
from tests.reports.confirmation.confirmation_fixture import LIMITED, confirmation_of, load, parameters, train
from tests.reports.report_fixture import ReportFixture
from tunefront.reports.class_answers.class_answers import load_front_answers
from tunefront.reports.publish import publish
from tunefront.storage.answers import Answers
from tunefront.storage.outcomes import Outcome


def searched(folder: Path) -> ReportFixture:
    """A search of three trials on the front, which have answers to three validation images."""
    fixture = ReportFixture.make(folder, LIMITED)
    for number, values in enumerate([(0.95, 2000, 2.0), (0.90, 1000, 1.0), (0.80, 500, 0.5)]):
        answers = {"validation": Answers([0, 1, 2], [0, 1, number])}
        fixture.complete(*values, parameters=parameters(number), answers=answers)
    return fixture


def add_training(confirmed: ReportFixture, candidate: int, validation: float, n_right: int, model_path: str) -> None:
    """Add a training of a candidate that has this many of ten test images right."""
    seed = len(confirmed.results().trials)
    confirmed.study.optuna.enqueue_trial(parameters(candidate), user_attrs={"candidate": candidate, "seed": seed})
    confirmed.complete(
        validation, 1000, 1.0, parameters=parameters(candidate), is_new=False, model_path=model_path,
        measurements={"test_accuracy": n_right / 10},
        answers={"test": Answers([1] * 10, [1] * n_right + [0] * (10 - n_right))},
    )  # fmt: skip


def test_the_training_is_the_one_whose_model_is_kept(tmp_path: Path) -> None:
    fixture = searched(tmp_path)
    confirmed = confirmation_of(fixture)
    add_training(confirmed, 0, 0.90, 5, "kept.keras")
    add_training(confirmed, 0, 0.99, 9, "")  # better, and not kept
    add_training(confirmed, 0, 0.92, 7, "kept-and-better-on-validation.keras")
    add_training(confirmed, 1, 0.80, 3, "")
    add_training(confirmed, 1, 0.85, 4, "")
    found = load_front_answers(fixture.study, fixture.results(), load(fixture))
    assert found is not None
    assert (found.split, found.confirmation, found.unknown) == ("test", "digits.confirmation", [2])
    by_number = {model.number: model for model in found.models}
    assert by_number.keys() == {0, 1}
    assert (by_number[0].trained.number, by_number[0].matrix[1].tolist()) == (2, [3, 7, 0])
    assert (by_number[1].trained.number, by_number[1].matrix[1].tolist()) == (4, [6, 4, 0])
    page = text_of(publish(fixture.study, tmp_path / "out").files.report_html.read_text())
    assert "What each finalist, trained again, answers to the 10 test images, which chose nothing." in page
    assert "Of several trainings it is the one whose model is kept" in page
    assert "Not known of trial 2: not trained again, or by an earlier tunefront." in page
    scores = pd.read_csv(tmp_path / "out" / "class_scores.csv")
    assert set(scores["split"]) == {"test"}
    assert scores[scores["images"] == 10].set_index("trial")["recall"].to_dict() == {0: 0.7, 1: 0.4}


def test_answers_of_the_search_stay_where_the_confirmation_has_none(tmp_path: Path) -> None:
    fixture = searched(tmp_path)
    confirmed = confirmation_of(fixture)
    train(confirmed, 0, [0.93, 0.92], 2000, 2.0)  # by a tunefront that stored no answers
    found = load_front_answers(fixture.study, fixture.results(), load(fixture))
    assert found is not None
    assert (found.split, found.confirmation, len(found.models)) == ("validation", "", 3)


def test_a_finalist_whose_every_training_failed_is_unknown(tmp_path: Path) -> None:
    fixture = searched(tmp_path)
    confirmed = confirmation_of(fixture)
    add_training(confirmed, 0, 0.90, 5, "")
    confirmed.study.optuna.enqueue_trial(parameters(1), user_attrs={"candidate": 1, "seed": 0})
    confirmed.end(confirmed.lease(parameters(1), is_new=False), Outcome.FAILED, reason="loss became nan")
    found = load_front_answers(fixture.study, fixture.results(), load(fixture))
    assert found is not None
    assert ([model.number for model in found.models], found.unknown) == ([0], [1, 2])
