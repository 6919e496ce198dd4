"""Parameters in words."""

from __future__ import annotations

from typing import Any

import pytest

from tunefront.objectives.measures import MEASURES
from tunefront.reports.words import chip, parameter_words, show_value, unbroken, value_name


@pytest.mark.parametrize(
    ("name", "words"),
    [("n_blocks", "blocks"), ("learning_rate", "learning rate"), ("adam.n_x", "adam x"), ("<b>", "<b>"), ("_", "_")],
)
def test_a_name_becomes_words(name: str, words: str) -> None:
    assert parameter_words(name) == words


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("batch_norm", True, "batch norm"),
        ("batch_norm", False, "no batch norm"),
        ("augmentation", "none", "no augmentation"),
        ("kernel_size", 5, "kernel size 5"),
        ("learning_rate", 0.009951, "learning rate 0.00995"),
    ],
)
def test_a_chip_has_the_fewest_words(name: str, value: Any, expected: str) -> None:
    assert chip(name, value) == expected
    assert chip("optimizer", "nadam", names_itself=True) == "nadam"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0012345, "0.00123"), (3, "3"), (True, "yes"), (False, "no"), ("adam", "adam"), (None, ""), (0.5, "0.5")],
)
def test_values_are_shown_for_people(value: Any, shown: str) -> None:
    assert show_value(value) == shown


def test_no_line_breaks_before_a_unit() -> None:
    text = "accuracy 98.14 ± 2.03 %, memory 106 kB in 3 trials, 1.18 s, 2 points"
    assert unbroken(text).replace("\N{NO-BREAK SPACE}", "_") == (
        "accuracy 98.14_±_2.03_%, memory 106_kB in 3 trials, 1.18_s, 2_points"
    )


@pytest.mark.parametrize(
    ("measure", "name"),
    [
        ("accuracy", "accuracy"),
        ("rmse", "RMSE"),
        ("model_bytes", "memory"),
        ("peak_bytes", "peak memory in training"),
        ("train_seconds", "training time"),
        ("latency_seconds", "time per image in Keras"),
    ],
)
def test_a_value_says_what_it_is_of(measure: str, name: str) -> None:
    assert value_name(MEASURES[measure]) == name
