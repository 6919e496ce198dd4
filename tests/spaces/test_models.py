"""The candidates that stand for the models of a space."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tunefront.spaces.models import models_of
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.ranges import Choice
from tunefront.spaces.space import Space

TWO_CNNS = {"architecture": "plain_cnn", "plain_cnn": {"filters": 8, "kernel_size": 3, "dense_units": 0}}


def models(table: dict[str, Any], limit: int = 60) -> tuple[list[Any], str]:
    return models_of(Space.from_table(table), limit)


def test_models_of_a_small_space_are_all_there() -> None:
    table = {
        "architecture": ["one_conv32", "MobileNetV2"],
        "optimizer": ["adam", "sgd"],
        "image_size": [32, 64],
        "MobileNetV2": {"freeze_fraction": {"low": 0.0, "high": 1.0, "step": 0.5}, "width": [0.35, 1.0]},
        "sgd": {"momentum": [0.0, 0.9]},
    }
    found, note = models(table)
    seen = {
        (
            one.architecture,
            one.image_size,
            one.optimizer,
            one.optimizer_settings.get("momentum"),
            one.architecture_settings.get("freeze_fraction"),
            one.architecture_settings.get("width"),
        )
        for one in found
    }
    assert len(found) == len(seen) == (1 + 3 * 2) * (1 + 2) * 2
    assert note == "all 42 models of this space"
    # Parameters that change no model have one possible value each.
    assert {one.batch_size for one in found} == {128}
    assert {one.augmentation for one in found} == {"light"}
    assert {one.architecture_settings["dropout"] for one in found if one.architecture == "MobileNetV2"} == {0.5}


def test_models_that_a_choice_opens_are_enumerated_under_it_alone() -> None:
    table = {**TWO_CNNS, "optimizer": "adam"}
    table["plain_cnn"] = {**TWO_CNNS["plain_cnn"], "n_blocks": {"low": 1, "high": 3}, "batch_norm": [False, True]}
    found, _ = models(table)
    settings = [(one.architecture_settings["n_blocks"], one.architecture_settings["batch_norm"]) for one in found]
    assert sorted(settings) == [(n, norm) for n in (1, 2, 3) for norm in (False, True)]


@pytest.mark.parametrize(("limit", "n_expected", "is_random"), [(6, 6, False), (5, 5, True)])
def test_models_are_sampled_when_they_are_more_than_the_limit(limit: int, n_expected: int, is_random: bool) -> None:
    table: dict[str, Any] = {"architecture": "one_conv32", "optimizer": ["adam", "lion"], "image_size": [8, 9, 10]}
    found, note = models(table, limit)
    assert len(found) == n_expected
    assert ("random" in note) == is_random
    again, _ = models(table, limit)
    assert found == again


def test_models_are_sampled_when_a_range_of_the_model_is_continuous() -> None:
    table = {"architecture": "MobileNetV2", "MobileNetV2": {"width": {"low": 0.35, "high": 1.0}}, "optimizer": "adam"}
    found, note = models(table, limit=7)
    assert note == "7 random candidates; the space has more"
    assert len({one.architecture_settings["width"] for one in found}) == 7


OWN = """
from tunefront import Candidate

class Mine:
    def suggest(self, trial):
        depth = trial.suggest_int("depth", 1, 3)
        kind = trial.suggest_categorical("kind", ["wide", "deep"])
        if kind == "wide":
            trial.suggest_int("units", 16, 64, step=16)
        rate = trial.suggest_float("rate", 1e-4, 1e-1, log=True)
        return Candidate("mine", {"depth": depth, "kind": kind, **trial.params}, "adam", {"learning_rate": rate})

    def build(self, candidate, input_shape, n_classes):
        raise NotImplementedError

class One(Mine):
    def suggest(self, trial):
        return Candidate("mine", {}, "adam", {"learning_rate": 0.01})
"""


def own(folder: Path, name: str) -> OwnSpace:
    (folder / "mine.py").write_text(OWN)
    return OwnSpace(f"{folder / 'mine.py'}:{name}")


def test_models_of_an_own_space_of_choices_are_counted_once_each(tmp_path: Path) -> None:
    found, note = models_of(own(tmp_path, "Mine"), 60)
    seen = [tuple(one.architecture_settings.get(name) for name in ("depth", "kind", "units")) for one in found]
    expected = [(depth, "wide", units) for depth in (1, 2, 3) for units in (16, 32, 48, 64)]
    assert sorted(seen, key=str) == sorted([*expected, *((depth, "deep", None) for depth in (1, 2, 3))], key=str)
    assert note == "all 15 models of this space; rate has one value in all"


def test_models_do_not_depend_on_epochs(tmp_path: Path) -> None:
    space = own(tmp_path, "Mine")
    varying, fixed = (models_of(each, 60) for each in (space.with_epochs(Choice((2, 30))), space))
    assert [replace(one, epochs=0) for one in varying[0]] == fixed[0]
    assert varying[1] == fixed[1]


def test_an_own_space_of_more_than_the_limit_is_sampled(tmp_path: Path) -> None:
    found, note = models_of(own(tmp_path, "Mine"), 14)
    assert (len(found), note) == (14, "14 random candidates; the space has more")


def test_a_space_of_one_model_is_that_model(tmp_path: Path) -> None:
    found, note = models_of(own(tmp_path, "One"), 60)
    assert (len(found), note) == (1, "the one model of this space")
    assert models({"architecture": "one_conv32", "optimizer": "adam"})[1] == "the one model of this space"
