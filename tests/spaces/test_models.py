"""The candidates that stand for the models of a space."""

from __future__ import annotations

from typing import Any

import pytest

from tunefront.spaces.models import models_of
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
