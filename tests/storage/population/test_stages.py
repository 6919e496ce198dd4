"""Stages of trainings, as the store has them."""

from __future__ import annotations

from pathlib import Path

from tests.reports.report_fixture import ReportFixture
from tunefront.storage import trials
from tunefront.storage.population import stages
from tunefront.storage.population.stages import Stage

DRAWN = {"optimizer.name": "adam", "adam.learning_rate": 0.01}
COURSE = [
    Stage(1, {"adam.learning_rate": 0.03}),
    Stage(3, {"adam.learning_rate": 0.036}, weights_of=4),
    Stage(5, {"adam.learning_rate": 0.0288}, weights_of=2),
]


def test_a_trial_has_the_stages_that_it_was_queued_with_and_began_with_the_first_ones_parameters(
    tmp_path: Path,
) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.study.optuna.enqueue_trial(DRAWN, user_attrs={stages.KEY: stages.as_json(COURSE)})
    fixture.lease(DRAWN, is_new=False)
    fixture.lease(DRAWN)
    staged, plain = trials.load(fixture.study)
    assert (list(staged.stages), staged.ancestors) == (COURSE, [4, 2])
    assert dict(staged.parameters) == {**DRAWN, "adam.learning_rate": 0.03}
    assert (list(plain.stages), plain.ancestors, dict(plain.parameters)) == ([], [], DRAWN)


def test_a_replay_has_the_settings_and_nobody_elses_weights() -> None:
    replayed = stages.replayed(COURSE)
    assert stages.changes(replayed) == stages.changes(COURSE)
    assert stages.changes(COURSE)[1] == (3, {"adam.learning_rate": 0.036})
    assert {stage.weights_of for stage in replayed} == {None}
