"""Differences that do not count, the points that stand for others, and the noise of scores."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tunefront.objectives.cheapness import mean_log_costs
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES, Axis
from tunefront.objectives.noise import noise, standard_error
from tunefront.objectives.tolerance import as_good, describe_tolerance, loosened, thinned, tightened, within

ACCURACY = Objective(MEASURES["accuracy"])
MEMORY = Objective(MEASURES["model_bytes"])
OBJECTIVES: dict[Axis, Objective] = {"accuracy": ACCURACY, "memory": MEMORY}


@pytest.mark.parametrize(
    ("first", "second", "objective", "expected"),
    [
        (0.970, 0.975, ACCURACY, True),  # exactly half a point, which is 0.0050000000000000044 as a float
        (0.970, 0.9751, ACCURACY, False),
        (100.0, 105.0, MEMORY, True),
        (105.0, 100.0, MEMORY, True),
        (100.0, 105.1, MEMORY, False),
        (2.00, 2.11, Objective(MEASURES["rmse"]), False),  # an error is a share, as a cost is
        (2.00, 2.10, Objective(MEASURES["rmse"]), True),
        (0.700, 0.704, Objective(MEASURES["r2"]), True),  # a score is not
        (0.97, 0.97, Objective(MEASURES["accuracy"], tolerance=0.0), True),
        (0.97, 0.9701, Objective(MEASURES["accuracy"], tolerance=0.0), False),
        (0.97, math.nan, ACCURACY, False),
    ],
)
def test_within(first: float, second: float, objective: Objective, expected: bool) -> None:
    assert within(first, second, objective) is expected


def test_the_cheapest_of_points_that_are_alike_stands_for_the_others() -> None:
    # 7 is alike to 3, and 3 to 5, but 7 is not alike to 5: the cheapest, 5, takes 3, and 7 stands alone.
    points = np.array([[0.9740, 104.0], [0.9700, 100.0], [0.9780, 108.5], [0.99, 400.0]])
    assert thinned(points, [3, 5, 7, 9], OBJECTIVES) == {5: [3], 7: [], 9: []}


def test_points_that_are_alike_on_one_objective_alone_all_stay() -> None:
    points = np.array([[0.97, 100.0], [0.98, 101.0], [0.98, 300.0]])
    assert thinned(points, [1, 2, 3], OBJECTIVES) == {1: [], 2: [], 3: []}


def test_without_tolerance_only_equal_points_are_alike() -> None:
    exact = {axis: Objective(each.measure, tolerance=0.0) for axis, each in OBJECTIVES.items()}
    points = np.array([[0.97, 100.0], [0.97, 100.0], [0.9701, 100.1]])
    assert thinned(points, [4, 2, 3], exact) == {2: [4], 3: []}


def test_equal_costs_are_ordered_by_number() -> None:
    points = np.array([[0.970, 100.0], [0.971, 100.0], [0.972, 100.0]])
    assert thinned(points, [8, 6, 7], OBJECTIVES) == {6: [7, 8]}


def test_every_point_is_covered_once() -> None:
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.uniform(0.9, 0.92, 60), np.exp(rng.uniform(4, 5, 60))])
    kept = thinned(points, range(60), OBJECTIVES)
    assert sorted([*kept, *(number for group in kept.values() for number in group)]) == list(range(60))
    for number, group in kept.items():
        assert all(within(points[number, 0], points[other, 0], ACCURACY) for other in group)
        assert all(within(points[number, 1], points[other, 1], MEMORY) for other in group)


def test_points_are_covered_as_by_comparing_each_pair() -> None:
    rng = np.random.default_rng(1)
    steps = rng.integers(0, 40, (300, 3))  # on a grid, so that many differ by exactly the tolerance
    points = np.column_stack([0.9 + 0.0025 * steps[:, 0], 100 * 1.025 ** steps[:, 1], 1.05 ** steps[:, 2]])
    objectives: dict[Axis, Objective] = {**OBJECTIVES, "time": Objective(MEASURES["train_seconds"])}
    numbers = rng.permutation(300).tolist()
    dearness = mean_log_costs(points[:, 1:])
    expected: dict[int, list[int]] = {}
    covered: set[int] = set()
    for row in sorted(range(300), key=lambda row: (dearness[row], numbers[row])):
        if row not in covered:
            pairs = [zip(points[row], points[other], objectives.values(), strict=True) for other in range(300)]
            alike = {other for other, pair in enumerate(pairs) if all(within(*each) for each in pair)} - covered - {row}
            covered |= {row, *alike}
            expected[numbers[row]] = sorted(numbers[other] for other in alike)
    assert 30 < len(expected) < 270
    assert thinned(points, numbers, objectives) == expected


def test_costs_are_averaged_as_logarithms_scaled_by_their_range() -> None:
    costs = np.array([[10.0, 1.0], [100.0, 1.0], [1000.0, 4.0]])
    assert mean_log_costs(costs) == pytest.approx([0.0, 0.25, 1.0])  # (0.5 + 0) / 2 in the middle
    assert mean_log_costs(np.array([[5.0], [5.0]])) == pytest.approx([0.0, 0.0])
    assert mean_log_costs(np.empty((3, 0))) == pytest.approx([0.0, 0.0, 0.0])
    assert mean_log_costs(np.array([[0.0], [10.0], [100.0]])) == pytest.approx([0.0, 0.0, 1.0])
    assert np.isnan(mean_log_costs(np.array([[math.nan, 1.0], [1.0, 2.0]]))).tolist() == [True, False]


def test_noise_of_a_share_is_binomial() -> None:
    # 0.95 of 288 images: with two more images, one of them right, 274.6 / 290.
    share = 274.6 / 290
    assert noise(0.95, 288, MEASURES["accuracy"]) == pytest.approx(2 * math.sqrt(share * (1 - share) / 288))
    assert standard_error(1.0, 100, MEASURES["accuracy"]) > 0
    assert math.isnan(noise(0.95, 0, MEASURES["accuracy"]))


@pytest.mark.parametrize("name", ["rmse", "mae", "r2"])
def test_noise_of_errors_is_that_of_many_samples(name: str) -> None:
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    rng = np.random.default_rng(1)
    labels = rng.normal(50, 10, (4000, 200))
    answers = labels + rng.normal(0, 3, labels.shape)
    find = {"rmse": root_mean_squared_error, "mae": mean_absolute_error, "r2": r2_score}[name]
    scores = [find(*pair) for pair in zip(labels, answers, strict=True)]
    expected = standard_error(float(np.mean(scores)), 200, MEASURES[name])
    # The labels' own variance moves R2 too, which the formula leaves out: 1.0 for the errors, 1.4 for R2.
    assert np.std(scores) == pytest.approx(expected * (1.41 if name == "r2" else 1.0), rel=0.06)


def test_tolerances_in_words() -> None:
    assert describe_tolerance(ACCURACY) == "0.5 points"
    assert describe_tolerance(MEMORY) == "5 %"
    assert describe_tolerance(Objective(MEASURES["r2"])) == "0.005"


def test_as_good_is_nowhere_worse_by_more_than_the_tolerance() -> None:
    others = np.array(
        [
            [0.965, 105.0],  # half a point and 5 % worse
            [0.9649, 50.0],
            [0.99, 105.1],
            [0.99, 1.0],
            [math.nan, 1.0],
        ]
    )
    assert as_good((0.97, 100.0), others, OBJECTIVES).tolist() == [True, False, False, True, False]
    assert as_good((0.97, -math.inf), others, OBJECTIVES).tolist() == [False] * 5  # a cost that is unknown yet
    assert as_good((math.inf, 100.0), others, OBJECTIVES).tolist() == [False] * 5
    errors: dict[Axis, Objective] = {"accuracy": Objective(MEASURES["rmse"])}
    assert as_good((2.0,), np.array([[2.1], [2.11]]), errors).tolist() == [True, False]


def test_the_worst_and_the_best_value_that_are_alike() -> None:
    assert loosened(0.97, ACCURACY) == pytest.approx(0.965)
    assert tightened(0.965, ACCURACY) == pytest.approx(0.97)
    assert loosened(100.0, MEMORY) == pytest.approx(105.0)
    assert tightened(105.0, MEMORY) == pytest.approx(100.0)
    assert loosened(-math.inf, MEMORY) == -math.inf
