"""Guessing with errors, which are better if they are smaller."""

from __future__ import annotations

import math

from tunefront.objectives.chance import Chance, read_chance


def test_an_error_beats_guessing_if_it_is_two_standard_errors_smaller() -> None:
    chance = read_chance({"chances": {"rmse": {"score": 10.0, "standard_error": 0.5}}}, "rmse")
    assert chance == Chance(10.0, 0.5, "minimize")
    assert chance.level == 9.0
    assert chance.is_beaten_by(8.9)
    assert not chance.is_beaten_by(9.0)
    assert not chance.is_beaten_by(math.nan)


def test_a_share_beats_guessing_if_it_is_two_standard_errors_larger() -> None:
    chance = read_chance({"chances": {"accuracy": {"score": 0.5, "standard_error": 0.125}}}, "accuracy")
    assert chance is not None
    assert chance.is_beaten_by(0.8)
    assert not chance.is_beaten_by(0.75)


def test_guessing_that_has_everything_right_is_beaten_by_anything() -> None:
    assert Chance(1.0, 0.0).is_beaten_by(0.0)
    assert Chance(0.0, 0.0, "minimize").is_beaten_by(100.0)
