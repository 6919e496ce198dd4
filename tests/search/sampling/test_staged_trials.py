"""Trials that are queued with stages: the candidate changes at their epochs."""

from __future__ import annotations

from pathlib import Path

from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.sampling.trial_source import TrialSource
from tunefront.storage.population import stages
from tunefront.storage.population.stages import Stage


def test_a_trial_with_stages_trains_the_candidate_of_each(tmp_path: Path) -> None:
    spec = make_spec(space={"adam": {"learning_rate": {"low": 0.001, "high": 0.1}}})
    fixture = SupervisorFixture(tmp_path, spec, {})
    course = [Stage(1, {"adam.learning_rate": 0.02}), Stage(3, {"adam.learning_rate": 0.05}, weights_of=7)]
    fixture.study.optuna.enqueue_trial({"adam.learning_rate": 0.01}, user_attrs={stages.KEY: stages.as_json(course)})
    fixture.study.optuna.enqueue_trial({"adam.learning_rate": 0.01})
    source = TrialSource(fixture.study, spec, spec.parsed_space(), "anna")
    found = []
    for _ in range(2):
        leased = source.lease("cpu0")
        assert leased is not None
        found.append(source.suggest(leased[1]))
    staged, plain = found
    assert staged.optimizer_settings["learning_rate"] == 0.02
    assert [(first, one.optimizer_settings["learning_rate"]) for first, one in staged.later] == [(3, 0.05)]
    assert {one.epochs for one in (staged, staged.later[0][1])} == {spec.training.most_epochs}
    assert (plain.optimizer_settings["learning_rate"], plain.later) == (0.01, ())
