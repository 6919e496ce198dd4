"""The file of a study's model that is put to use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reports.confirmation.confirmation_fixture import confirmation_of, load, parameters, search
from tests.reports.report_fixture import ReportFixture
from tunefront.reports.selection.taken_model import NoModelError, take_model
from tunefront.storage.outcomes import Outcome
from tunefront.storage.trials import set_model_path


def kept(folder: Path, name: str) -> str:
    path = folder / name
    path.write_bytes(b"a model")
    return str(path)


def test_the_model_that_select_chooses_is_taken_or_one_by_its_number(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.95, 80_000, 8.0, model_path=kept(tmp_path, "trial-0.keras"))
    fixture.complete(0.80, 5_000, 0.5, model_path=kept(tmp_path, "trial-1.keras"))
    taken = take_model(fixture.results(), None)
    assert (taken.number, taken.path) == (0, tmp_path / "trial-0.keras")
    assert list(taken.why) == [
        "Take trial 0: accuracy 95.00 ± 2.6 %, memory 80 kB, training time 8 s.",
        "It has the best accuracy: the next, trial 1, has 15.00 points less, and up to 2.6 points may be chance.",
    ]
    other = take_model(fixture.results(), None, 1)
    assert other.path == tmp_path / "trial-1.keras"
    assert list(other.why) == ["Take trial 1, as you ask: accuracy 80.00 %, memory 5 kB, training time 500 ms."]


def test_a_model_that_is_not_here_says_what_makes_it_again(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    with pytest.raises(
        NoModelError, match="study 'digits': There is no model to choose from: no trial has started yet."
    ):
        take_model(fixture.results(), None)
    fixture.complete(0.95, 80_000, 8.0, model_path=kept(tmp_path, "trial-0.keras"))
    fixture.complete(0.80, 90_000, 9.0)
    fixture.complete(0.80, 5_000, 0.5, model_path="/elsewhere/trial-2.keras")
    fixture.end(fixture.lease(), Outcome.FAILED, reason="loss became nan")
    others = "There are those of trial 0: take one by its number"
    again = f"'tunefront retrain digits {{}}' trains it again. {others}"
    reasons = {
        1: f"the model of trial 1 was not kept: only those of the front are. {again.format(1)}",
        2: f"/elsewhere/trial-2.keras: the model of trial 2 is not on this machine. {again.format(2)}",
        3: f"trial 3 of study 'digits' is failed, and so has no model. {others}",
        4: "study 'digits' has no trial 4: they are numbered from 0 to 3",
    }
    for number, reason in reasons.items():
        with pytest.raises(NoModelError) as caught:
            take_model(fixture.results(), None, number)
        assert str(caught.value) == reason


@pytest.mark.parametrize("n_here", [2, 0])
def test_a_confirmed_model_is_its_best_training_that_is_here_or_the_searchs_own(tmp_path: Path, n_here: int) -> None:
    searched = search(tmp_path)
    set_model_path(searched.study, 3, kept(tmp_path, "searched.keras"))
    confirming = confirmation_of(searched)
    for place, validation in enumerate((0.93, 0.97, 0.99)):  # the best one's model is gone
        path = kept(tmp_path, f"again-{place}.keras") if place < n_here else f"/elsewhere/again-{place}.keras"
        confirming.study.optuna.enqueue_trial(parameters(3), user_attrs={"candidate": 3, "seed": place})
        measured = {"test_accuracy": 0.95}
        confirming.complete(
            validation, 2000, 1.9, parameters=parameters(3), is_new=False, measurements=measured, model_path=path
        )
    taken = take_model(searched.results(), load(searched))
    assert taken.number == 3
    assert taken.path == tmp_path / ("again-1.keras" if n_here else "searched.keras")
    told = "It is the best, on the validation images, of the trainings that confirmed it."
    assert (taken.why[-1] == told) == bool(n_here)
