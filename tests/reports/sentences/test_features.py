"""What is said of trials that trained from stored features."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from rich.console import Console

from tests.storage.study_fixture import MEASUREMENTS, StudyFixture
from tunefront.reports.sentences.features import describe_features
from tunefront.reports.status import study_status
from tunefront.reports.study_results import load_results
from tunefront.storage import studies
from tunefront.storage.outcomes import Outcome


def stored(train: float, prefix: float, plain: float) -> dict[str, float]:
    return {**MEASUREMENTS, "train_seconds": train, "prefix_seconds": prefix, "plain_train_seconds": plain}


@pytest.fixture
def fixture(tmp_path: Path) -> StudyFixture:
    return StudyFixture.make(f"sqlite:///{tmp_path / 'tunefront.db'}")


def test_nothing_is_said_of_a_study_without_features(fixture: StudyFixture) -> None:
    fixture.finish(fixture.lease())
    assert describe_features(load_results(fixture.study)) == ""


def test_the_pass_and_the_plain_times_are_told(fixture: StudyFixture) -> None:
    for measurements in (stored(2.0, 0.5, 8.0), stored(3.0, 1.5, 6.0), stored(1.0, 0.5, 20.0), MEASUREMENTS):
        fixture.finish(fixture.lease(), measurements=measurements)
    assert describe_features(load_results(fixture.study)) == (
        "3 trials trained from stored features of frozen layers. Training times contain one pass of these layers "
        "(500 ms to 1.5 s), whoever computed it; as measured steps of the whole network tell, the whole would take 4 "
        "times as long, at the median. 1 other computed the whole network in every epoch: with random "
        "augmentation, random weights or nothing frozen there is nothing to store."
    )


def test_views_are_told_as_a_training_of_their_own(fixture: StudyFixture) -> None:
    spec = dict(fixture.record.spec)
    studies.update_spec(fixture.study, {**spec, "training": {**spec["training"], "feature_views": 4}})
    for measurements in (
        {**stored(2.0, 0.5, 8.0), "feature_views": 4.0},
        {**stored(2.0, 0.5, 8.0), "feature_views": 2.0},
        stored(2.0, 0.5, 8.0),
        {**MEASUREMENTS, "without_features": 1.0},
        MEASUREMENTS,
    ):
        fixture.finish(fixture.lease(), measurements=measurements)
    found = studies.find(fixture.store, "digits")
    assert found is not None
    said = describe_features(load_results(found))
    assert said.startswith(
        "3 trials trained from stored features of frozen layers. Training times contain one pass of these layers, or "
        "one a view (500 ms), whoever"
    )
    assert (
        "2 of them had augmentation and saw 2 to 4 stored random changes of each image, one an epoch by turns, where "
        "it is usually a new one in every epoch: their accuracy is that of this training. 1 other computed the whole "
        "network in every epoch: with mixed images, random weights or nothing frozen there is nothing to store."
    ) in said
    fixture.finish(fixture.lease(), measurements={**stored(2.0, 0.5, 8.0), "feature_views": 1.0})
    assert "saw 1 to 4 stored random changes of" in describe_features(load_results(found))
    assert said.endswith("With augmentation they saw new random changes in every epoch there, and no stored views.")


def test_times_of_trials_that_lacked_features_are_marked_and_do_not_count(fixture: StudyFixture) -> None:
    spec = dict(fixture.record.spec)
    objectives = {axis: table for axis, table in spec["objectives"].items() if axis == "memory"}
    studies.update_spec(fixture.study, {**spec, "objectives": objectives})
    fixture.finish(fixture.lease(), Outcome.PRUNED, measurements={**MEASUREMENTS, "without_features": 1.0})
    fixture.finish(fixture.lease(), Outcome.PRUNED, measurements=stored(1.0, 0.5, 20.0))
    found = studies.find(fixture.store, "digits")
    assert found is not None
    results = load_results(found)
    lacking, other = results.trials
    assert math.isnan(results.value(lacking, "time"))
    assert results.value(other, "time") == 1.0
    said = describe_features(results)
    assert "are not compared: trial 0." in said
    assert "1 trial trained from stored features" in said
    console = Console(width=1000)
    with console.capture() as capture:
        console.print(study_status(found).render())
    assert said in capture.get()
