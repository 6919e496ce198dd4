"""What a retraining trains, and for how long, by cases worked by hand. Nothing is trained here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.candidates import TINY
from tests.reports.report_fixture import MACHINE, ReportFixture
from tests.search.supervisor_fixture import make_spec
from tunefront.search.confirmation.candidates_again import RemakingError
from tunefront.search.confirmation.searches import NotASearchError
from tunefront.search.retraining.plan import RetrainingError, RetrainingPlan, plan_retraining
from tunefront.search.sampling.seeds import trial_seed
from tunefront.search.spec.derived import confirmation_spec
from tunefront.search.spec.study_spec import StudySpec
from tunefront.storage import curves, studies
from tunefront.storage.attempts import Lease
from tunefront.storage.curves import Epoch
from tunefront.storage.database.connection import Store, open_store
from tunefront.storage.outcomes import Outcome
from tunefront.storage.population import stages
from tunefront.storage.population.stages import Stage

RATE = {"adam.learning_rate": 0.5}
SPACE: dict[str, Any] = {"optimizer": "adam", "adam": {"learning_rate": [0.1, 0.5]}, "plain_cnn": TINY}
FACTS = {"n_train": 1078, "n_validation": 360, "n_test": 359, "fingerprint": "ab12"}


def made(store: Store, spec: StudySpec) -> ReportFixture:
    objectives = spec.parsed_objectives().values()
    directions = [each.measure.direction for each in objectives]
    names = [each.measure.name for each in objectives]
    study = studies.create(store, spec.name, spec.as_json(), FACTS, directions, names)
    studies.register_worker(study, f"{spec.name}-1", "boot", 1, MACHINE)
    return ReportFixture(study)


def search_fixture(folder: Path, **space: Any) -> ReportFixture:
    """Make a search of 6 epochs: trial 0 was best in epoch 4, trial 1 was stopped, trial 2 waits."""
    store = open_store(f"sqlite:///{folder / 'tunefront.db'}", is_writer=True)
    fixture = made(store, make_spec(space={**SPACE, **space}, training={"epochs": 6}))
    fixture.complete(0.9, 1000, 1.0, parameters=RATE, measurements={"best_epoch": 4})
    fixture.end(fixture.lease(RATE), Outcome.PRUNED, {"best_epoch": 2}, reason="beaten")
    fixture.study.optuna.enqueue_trial(RATE)
    return fixture


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> ReportFixture:
    return search_fixture(tmp_path_factory.mktemp("search"))


def plan(fixture: ReportFixture, number: int = 0, **how: Any) -> RetrainingPlan:
    found = studies.find(fixture.store, fixture.study.name)
    assert found is not None
    return plan_retraining(found, number, how.pop("part", "train+validation"), **how)


def test_settings_that_changed_in_the_search_change_at_the_same_epochs(tmp_path: Path) -> None:
    fixture = search_fixture(tmp_path, adam={"learning_rate": {"low": 0.1, "high": 0.5}})
    course = [Stage(1, {"adam.learning_rate": 0.2}), Stage(3, {"adam.learning_rate": 0.16}, weights_of=0)]
    course.append(Stage(5, {"adam.learning_rate": 0.4}, weights_of=1))
    drawn = {**fixture.study.optuna.get_trials()[0].params, **RATE}
    fixture.study.optuna.enqueue_trial(drawn, user_attrs={stages.KEY: stages.as_json(course)})
    fixture.study.optuna.enqueue_trial(drawn)
    while fixture.lease(drawn, is_new=False)[0].number < 3:
        pass
    leased = Lease(fixture.study.study_id, 3, 1, "digits-1"), None
    fixture.end(leased, Outcome.COMPLETE, {"accuracy": 0.9, "model_bytes": 9, "train_seconds": 1, "best_epoch": 4})  # type: ignore[arg-type]
    found = plan(fixture, 3)
    rates = {first: one.optimizer_settings["learning_rate"] for first, one in found.candidate.later}
    assert (found.candidate.optimizer_settings["learning_rate"], rates) == (0.2, {3: 0.16, 5: 0.4})
    assert "its settings change with epoch 3 as in the search" in found.describe()


def test_a_candidate_is_trained_as_long_as_was_best_in_the_search(search: ReportFixture) -> None:
    found = plan(search)
    assert (found.epochs, found.candidate.epochs) == (4, 6)  # the schedule is that of its whole training
    assert found.candidate.optimizer_settings["learning_rate"] == 0.5
    assert (found.seed, found.rates, found.is_confirmed) == (trial_seed(1, 0), (), False)
    assert found.describe() == (
        "training trial 0 of digits again on its training and validation images, 4 epochs: its best epoch in the search"
    )
    assert "again on its training images, 4 epochs" in plan(search, part="train").describe()


def test_epochs_and_seed_may_be_said(search: ReportFixture) -> None:
    found = plan(search, epochs=9, seed=5)
    assert (found.epochs, found.candidate.epochs, found.seed) == (9, 9, 5)  # the schedule is stretched
    found = plan(search, 1, epochs=1)  # also of a trial that was stopped
    assert (found.number, found.epochs, found.candidate.epochs) == (1, 1, 6)
    assert found.describe().endswith("1 epoch: as you said")


@pytest.mark.parametrize(
    ("bests", "epochs", "why"),
    [
        ((2, 3), 3, "the mean of its best epochs with 2 seeds (2, 3) is 2.5"),
        ((1, 1, 3), 2, "the mean of its best epochs with 3 seeds (1, 1, 3) is 1.67"),
        ((5,), 5, "its best epoch when it was confirmed"),
    ],
)
def test_once_confirmed_it_is_the_mean_over_the_seeds(
    tmp_path: Path, bests: tuple[int, ...], epochs: int, why: str
) -> None:
    searched = search_fixture(tmp_path)
    confirming = made(searched.store, confirmation_spec(StudySpec.from_json(searched.record.spec), len(bests) + 2))
    for seed, best in enumerate(bests):
        confirming.study.optuna.enqueue_trial(RATE, user_attrs={"candidate": 0, "seed": seed})
        measured = {"best_epoch": best, "test_loss": 0.1}
        confirming.complete(0.9, 1000, 1.0, parameters=RATE, is_new=False, measurements=measured)
    confirming.study.optuna.enqueue_trial(RATE, user_attrs={"candidate": 0, "seed": 8})
    confirming.end(confirming.lease(RATE, is_new=False), Outcome.FAILED, {"best_epoch": 6})  # counts for nothing
    other = {"adam.learning_rate": 0.1}  # of a deleted search of the same name
    confirming.study.optuna.enqueue_trial(other, user_attrs={"candidate": 0, "seed": 9})
    confirming.complete(0.9, 1000, 1.0, parameters=other, is_new=False, measurements={"best_epoch": 6})
    found = plan(searched)
    assert (found.epochs, found.why_epochs, found.is_confirmed) == (epochs, why, True)


def test_a_plateau_s_learning_rates_are_those_that_were_recorded(tmp_path: Path) -> None:
    searched = search_fixture(tmp_path, schedule="reduce_on_plateau")
    leased = searched.lease(RATE, is_new=False)
    for number, rate in enumerate((0.5, 0.5, 0.05), start=1):
        curves.append(searched.store, leased[0], Epoch(number, 0.9, 0.5, 0.1, {"learning_rate": rate}))
    measured = {"accuracy": 0.9, "model_bytes": 1000.0, "train_seconds": 1.0, "best_epoch": 3}
    number = searched.end(leased, Outcome.COMPLETE, measured)
    found = plan(searched, number)
    assert found.rates == (0.5, 0.5, 0.05)
    assert "the learning rate of each epoch is that of the search" in found.describe()
    assert plan(searched, 0).rates == ()  # an older study: its epochs do not tell the rate
    assert "so that the first one stays" in plan(searched, 0).describe()


def test_steps_of_an_epoch_stay(tmp_path: Path) -> None:
    assert "an epoch is 20 steps" in plan(search_fixture(tmp_path, steps_per_epoch=20)).describe()


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (7, "study 'digits' has no trial 7: its trials are 0 to 2"),
        (1, "trial 1 was stopped early, so that its best epoch is not known: .* --epochs"),
        (2, "trial 2 of study 'digits' is still waiting: let it end first"),
    ],
)
def test_trials_that_cannot_be_trained_again(search: ReportFixture, number: int, message: str) -> None:
    with pytest.raises(RetrainingError, match=message):
        plan(search, number)


def test_a_confirmation_and_a_changed_space_are_refused(tmp_path: Path) -> None:
    searched = search_fixture(tmp_path)
    confirming = made(searched.store, confirmation_spec(StudySpec.from_json(searched.record.spec), 1))
    with pytest.raises(NotASearchError, match="write 'tunefront retrain digits [0-9]+'$"):
        plan(confirming)
    searched.end(searched.lease(RATE, is_new=False), Outcome.FAILED)  # what was waiting
    no_longer = {"adam.learning_rate": 0.4}
    number = searched.complete(0.9, 1000, 1.0, parameters=no_longer, measurements={"best_epoch": 4})
    with pytest.raises(RemakingError, match=f"trial {number} of study 'digits' cannot be made again"):
        plan(searched, number)
