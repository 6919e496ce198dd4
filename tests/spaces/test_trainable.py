"""Trainable shares: 1 minus the freeze fraction, as a person writes them."""

from __future__ import annotations

from typing import Any

import pytest

from tunefront.spaces.ranges import Choice, Fixed, FloatRange, Range
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space


def parsed(**settings: Any) -> Range:
    space = Space.from_table({"architecture": "VGG16", "VGG16": settings})
    return space.families["architecture"]["VGG16"]["freeze_fraction"]


@pytest.mark.parametrize(
    ("trainable", "expected"),
    [
        ("90 %", Fixed(0.1)),
        ("90%", Fixed(0.1)),
        (" 12.5 % ", Fixed(0.875)),
        (0.9, Fixed(0.1)),
        (1, Fixed(0.0)),
        (0, Fixed(1.0)),
        ("All", Fixed(0.0)),
        ("top", Fixed(1.0)),
        (["All", "90 %", "80 %", "70 %", "Top"], Choice((0.0, 0.1, 0.2, 0.3, 1.0))),
        ([1, 0.5, "0 %"], Choice((0.0, 0.5, 1.0))),
        ({"low": 0.25, "high": 1.0}, FloatRange(0.0, 0.75)),
        ({"low": "70 %", "high": "All", "step": "10 %"}, FloatRange(0.0, 0.3, 0.1)),
        ({"low": 0.75, "high": 1.0, "step": 0.1}, FloatRange(0.05, 0.25, 0.1)),  # 0.75, 0.85 and 0.95 are trained
        ({"low": "90 %", "high": 0.9}, Fixed(0.1)),
    ],
)
def test_a_trainable_share_is_the_rest_of_a_freeze_fraction(trainable: Any, expected: Range) -> None:
    assert parsed(trainable=trainable) == expected


@pytest.mark.parametrize(
    ("settings", "key", "problem"),
    [
        ({"trainable": 90}, "trainable", '90 is no trainable share: write a percentage such as "90 %"'),
        ({"trainable": "101 %"}, "trainable", "'101 %' is no trainable share"),
        ({"trainable": "half"}, "trainable", "'half' is no trainable share"),
        ({"trainable": True}, "trainable", "True is no trainable share"),
        ({"trainable": ["90 %", [0.8]]}, "trainable", "[0.8] is no trainable share"),
        ({"trainable": ["90 %", 0.9]}, "trainable", "names a value twice"),
        ({"trainable": []}, "trainable", "the list is empty"),
        ({"trainable": {"low": "70 %", "high": "60 %"}}, "trainable", "low = 0.7 is above high = 0.6: exchange them"),
        ({"trainable": {"low": 0.1, "high": 1.0, "log": True}}, "trainable", "no log scale: write freeze_fraction"),
        ({"trainable": {"low": 0.1}}, "trainable", "is not a range"),
        ({"trainable": 0.9, "freeze_fraction": 0.1}, "trainable", "which is there too: leave one of them out"),
        ({"trainabel": 0.9}, "trainabel", "Did you mean 'trainable'?"),
    ],
)
def test_what_is_no_trainable_share_is_refused_under_its_own_key(
    settings: dict[str, Any], key: str, problem: str
) -> None:
    with pytest.raises(SpaceError) as caught:
        parsed(**settings)
    assert caught.value.key == f"space.VGG16.{key}"
    assert problem in caught.value.problem


def test_networks_without_a_backbone_have_no_trainable_share() -> None:
    with pytest.raises(SpaceError, match=r"space\.plain_cnn\.trainable: there is no such setting"):
        Space.from_table({"plain_cnn": {"trainable": 0.9}})
