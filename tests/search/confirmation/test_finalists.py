"""The trials that are confirmed: the front, and those that noise may have kept off it. Worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.storage.trial_record import trial_record
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES
from tunefront.search.confirmation.finalists import choose_finalists
from tunefront.storage.trials import TrialRecord

THREE = [Objective(MEASURES[name]) for name in ("accuracy", "model_bytes", "train_seconds")]
ACCURACY = [Objective(MEASURES["accuracy"])]

# Of 100 images, a score of 0.90 counts as 91 of 102: one standard error is 0.031, two are 0.062.
IMAGES = 100


def trial(number: int, *values: float, **changes: Any) -> TrialRecord:
    return trial_record(number, **{"values": values, "parameters": {"a.x": number}, **changes})


def chosen(trials: Sequence[TrialRecord], objectives: Sequence[Objective] = THREE, **options: Any) -> list[int]:
    return [finalist.number for finalist in choose_finalists(trials, objectives, IMAGES, **options)]


@pytest.mark.parametrize(
    ("values", "is_near"),
    [
        ((0.85, 1000, 2.0), True),  # 0.05 less accurate: within two standard errors, 0.07
        ((0.85, 9000, 9.0), True),  # noise could make it the most accurate, whatever it costs
        ((0.70, 1000, 2.21), True),  # 0.20 less accurate; 10 % faster it would take 1.99
        ((0.70, 1000, 2.23), False),  # 10 % faster it would take 2.01
        ((0.70, 1000, 2.15), True),  # 7.5 % slower: noise could make it the fastest
        ((0.70, 1000, 2.3), False),  # 15 % slower
        ((0.70, 1050, 2.3), False),  # 5 % larger, but a model's size has no noise
        ((0.90, 1000, 9.0), True),  # as accurate, and as small
    ],
)
def test_a_beaten_trial_is_near_when_noise_may_have_kept_it_off(values: tuple[float, ...], is_near: bool) -> None:
    assert chosen([trial(0, 0.90, 1000, 2.0), trial(1, *values)]) == ([0, 1] if is_near else [0])


# Of 100 examples with normal errors, two standard errors of an RMSE are a share of 0.1414 of it: 0.3294 of 2.3294. Of
# an MAE they are 0.1511: 0.3559 of 2.3559. Of R2 they are 0.2828 of 1 - R2: 0.0394 of 0.1394, and 0.7888 of 2.7888.
@pytest.mark.parametrize(
    ("measure", "best", "near", "far"),
    [("rmse", 2.0, 2.32, 2.34), ("mae", 2.0, 2.35, 2.36), ("r2", 0.9, 0.861, 0.860), ("r2", -1.0, -1.78, -1.80)],
)
def test_an_error_is_near_by_a_share_of_itself(measure: str, best: float, near: float, far: float) -> None:
    alone = [Objective(MEASURES[measure])]
    assert chosen([trial(0, best), trial(1, near), trial(2, far)], alone) == [0, 1]
    assert [one.number for one in choose_finalists([trial(0, best), trial(1, near)], alone, 0)] == [0]


def test_what_has_no_error_at_all_has_no_noise() -> None:
    two = [Objective(MEASURES["rmse"]), Objective(MEASURES["model_bytes"])]
    assert chosen([trial(0, 0.0, 1000), trial(1, 0.0, 1001)], two) == [0]


def test_every_member_of_the_front_that_beats_it_must_be_near() -> None:
    front = [trial(0, 0.90, 1000, 2.0), trial(1, 0.99, 1500, 1.0)]
    assert chosen([*front, trial(2, 0.86, 1600, 2.5)]) == [0, 1]  # 1 is 0.13 more accurate
    assert chosen([*front, trial(2, 0.86, 1400, 2.5)]) == [0, 1, 2]  # only 0 beats it


def test_the_nearest_come_first_and_so_many_as_asked_for() -> None:
    trials = [trial(0, 0.90), *(trial(number, 0.84 + number / 100) for number in range(1, 6))]
    assert chosen(trials, ACCURACY, n_near=3) == [0, 5, 4, 3]
    assert chosen(trials, ACCURACY) == [0, 5, 4]  # at least two
    assert chosen(trials, ACCURACY, n_near=0) == [0]


def test_half_as_many_near_misses_as_the_front_has_are_the_default() -> None:
    front = [trial(number, 0.9 - number / 50, 1000 - number, 2.0) for number in range(5)]
    near = [trial(5 + number, 0.9 - number / 50, 1000 - number, 2.01 + number / 100) for number in range(5)]
    assert chosen([*front, *near]) == [0, 1, 2, 3, 4, 5, 6, 7]


def test_what_is_not_complete_or_breaks_a_limit_is_passed_over() -> None:
    better = (0.99, 10, 0.1)
    others = [trial(1, *better, is_feasible=False), trial(2, state="pruned", values=None)]
    assert chosen([trial(0, 0.90, 1000, 2.0), *others]) == [0]
    assert chosen(others) == []


def test_of_the_same_candidate_only_the_first_is_taken() -> None:
    same = {"parameters": {"a.x": 0}}
    trials = [trial(0, 0.90), trial(1, 0.90, **same), trial(2, 0.89, **same), trial(3, 0.88)]
    assert chosen(trials, ACCURACY) == [0, 3]


def test_accuracy_has_no_noise_when_nobody_knows_of_how_many_images_it_is() -> None:
    finalists = choose_finalists([trial(0, 0.90), trial(1, 0.8999)], ACCURACY, 0)
    assert [finalist.number for finalist in finalists] == [0]


def test_a_perfect_score_has_noise_too() -> None:
    assert chosen([trial(0, 1.0), trial(1, 0.99)], ACCURACY) == [0, 1]
