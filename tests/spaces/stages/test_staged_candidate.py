"""Candidates whose settings change during their training."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunefront.spaces.candidate import Candidate
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.ranges import Fixed
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import FAMILIES, GENERAL, Space
from tunefront.spaces.stages.changeable import is_changeable
from tunefront.spaces.stages.staged_candidate import staged_candidate

TABLE = {
    "optimizer": "sgd",
    "sgd": {"learning_rate": {"low": 0.01, "high": 0.1}, "momentum": 0.9},
    "plain_cnn": {"dropout": {"low": 0.0, "high": 0.5}},
    "augmentation": "light",
    "light": {"rotation": {"low": 0.0, "high": 20.0}},
    "batch_size": [16, 32],
}
PARAMETERS = {
    "plain_cnn.dropout": 0.1,
    "sgd.learning_rate": 0.05,
    "light.rotation": 5.0,
    "training.batch_size": 16,
}


def test_each_change_is_a_candidate_that_differs_in_what_it_names() -> None:
    space = Space.from_table(TABLE).with_epochs(Fixed(12))
    changes = [
        (1, {"sgd.learning_rate": 0.02}),
        (4, {"plain_cnn.dropout": 0.3, "light.rotation": 7.5}),
        (9, {"sgd.learning_rate": 0.08}),
    ]
    found = staged_candidate(space, PARAMETERS, changes)
    course: list[tuple[int, Candidate]] = [(1, found), *found.later]
    assert [
        (
            first,
            one.optimizer_settings["learning_rate"],
            one.architecture_settings["dropout"],
            one.augmentation_settings["rotation"],
        )
        for first, one in course
    ] == [(1, 0.02, 0.1, 5.0), (4, 0.02, 0.3, 7.5), (9, 0.08, 0.3, 7.5)]
    assert {(one.batch_size, one.optimizer_settings["momentum"], one.epochs) for _, one in course} == {(16, 0.9, 12)}


def test_without_changes_it_is_the_candidate_of_its_parameters() -> None:
    found = staged_candidate(Space.from_table(TABLE), PARAMETERS)
    assert (found.optimizer_settings["learning_rate"], found.batch_size, found.later) == (0.05, 16, ())


@pytest.mark.parametrize("name", ["training.batch_size", "sgd.momentum", "sgd.rate", "plain_cnn.l2"])
def test_what_makes_another_network_or_is_no_parameter_is_refused(name: str) -> None:
    with pytest.raises(SpaceError, match=f"{name} cannot change during a training"):
        staged_candidate(Space.from_table(TABLE), PARAMETERS, [(1, {}), (2, {name: 0.5})])


def test_a_space_of_ones_own_changes_by_its_own_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
class Own:
    def suggest(self, trial):
        return {
            "units": trial.suggest_int("units", 4, 8),
            "head_dropout": trial.suggest_float("head_dropout", 0.0, 0.5),
            "learning_rate": trial.suggest_float("learning_rate", 0.001, 0.1),
        }

    def build(self, settings, input_shape, n_outputs):
        raise NotImplementedError

own = Own()
"""
    (tmp_path / "own_stages.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    parameters = {"units": 6, "head_dropout": 0.2, "learning_rate": 0.01}
    space = OwnSpace.parse("own_stages:own")
    found = staged_candidate(space, parameters, [(1, {}), (3, {"head_dropout": 0.4, "learning_rate": 0.02})])
    ((first_epoch, later),) = found.later
    assert (first_epoch, later.architecture_settings["head_dropout"], later.architecture_settings["units"]) == (
        3,
        0.4,
        6,
    )
    assert (found.optimizer_settings["learning_rate"], later.optimizer_settings["learning_rate"]) == (0.01, 0.02)


def test_what_may_change_leaves_network_optimizer_and_batches_alone() -> None:
    settings = {
        setting for family in FAMILIES.values() for members in family.values() for setting in members
    } | GENERAL.keys()
    changeable = {setting for setting in settings if is_changeable(f"group.{setting}") and is_changeable(setting)}
    assert {setting for setting in changeable if "dropout" not in setting} == {
        *("learning_rate", "weight_decay", "label_smoothing", "l1", "l2"),
        *("rotation", "shift", "zoom", "shear", "randaugment", "brightness", "contrast", "channel_shift", "noise"),
        *("erasing", "mixup", "cutmix"),
    }
    assert changeable >= {"dropout", "block_dropout", "block_dropout_2", "dropout_before_flatten"}
    assert not is_changeable("training.batch_size")
    assert not is_changeable("optimizer.name")
