from __future__ import annotations

import math

import numpy as np
import pytest

from tunefront.objectives.dominance import dominating, hypervolume, losses, on_front
from tunefront.objectives.measures import Direction

UP: Direction = "maximize"
DOWN: Direction = "minimize"


@pytest.mark.parametrize(
    ("points", "directions", "expected"),
    [
        # one objective
        ([[1.0], [3.0], [2.0]], [UP], [False, True, False]),
        ([[1.0], [3.0], [2.0]], [DOWN], [True, False, False]),
        ([[3.0], [1.0], [3.0]], [UP], [True, False, True]),  # ties are all kept
        ([[math.nan], [1.0]], [DOWN], [False, True]),
        # two: accuracy up, bytes down
        ([[0.9, 10], [0.8, 5], [0.7, 7]], [UP, DOWN], [True, True, False]),
        ([[0.9, 10], [0.9, 10]], [UP, DOWN], [True, True]),
        ([[0.9, 10], [0.9, 12]], [UP, DOWN], [True, False]),  # equal in one, worse in the other
        ([[0.9, math.nan], [0.1, 99]], [UP, DOWN], [False, True]),  # NaN dominates nothing
        ([[math.nan, math.nan]], [UP, DOWN], [False]),
        ([[0.5, 1]], [UP, DOWN], [True]),
        # three: accuracy up, bytes down, seconds down
        ([[0.9, 10, 1], [0.9, 9, 2], [0.8, 10, 1], [0.9, 10, 1]], [UP, DOWN, DOWN], [True, True, False, True]),
        ([[0.9, 10, 1], [0.8, 9, 1], [0.7, 8, 0.5], [0.6, 8, 0.5]], [UP, DOWN, DOWN], [True, True, True, False]),
        ([[0.9, 10, math.inf], [0.9, 10, 5]], [UP, DOWN, DOWN], [False, True]),
    ],
)
def test_on_front_of_few_points(points: list[list[float]], directions: list[Direction], expected: list[bool]) -> None:
    assert on_front(np.array(points), directions).tolist() == expected


def test_on_front_when_there_are_no_points() -> None:
    assert on_front(np.zeros((0, 3)), [UP, DOWN, DOWN]).tolist() == []


def test_on_front_leaves_its_argument_alone() -> None:
    points = np.array([[0.9, 10.0], [0.8, math.nan]])
    before = points.copy()
    on_front(points, [UP, DOWN])
    np.testing.assert_array_equal(points, before)


def test_on_front_agrees_with_the_definition_when_points_are_random() -> None:
    points = np.random.default_rng(3).integers(0, 5, size=(60, 3)).astype(float)  # many ties
    directions: list[Direction] = [UP, DOWN, DOWN]
    beaten = [bool(dominating(tuple(point), points, directions).any()) for point in points]
    assert on_front(points, directions).tolist() == [not is_beaten for is_beaten in beaten]


@pytest.mark.parametrize(
    ("point", "others", "expected"),
    [
        ([0.8, 10.0], [[0.9, 10.0], [0.8, 9.0], [0.9, 9.0]], [True, True, True]),
        ([0.8, 10.0], [[0.8, 10.0]], [False]),  # a tie does not dominate
        ([0.8, 10.0], [[0.9, 11.0], [0.7, 9.0]], [False, False]),
        ([0.8, -math.inf], [[0.9, 1.0]], [False]),  # an unknown cost counts as none
        ([0.8, 10.0], [[math.nan, 1.0]], [False]),
    ],
)
def test_dominating_of_one_point(point: list[float], others: list[list[float]], expected: list[bool]) -> None:
    assert dominating(point, np.array(others), [UP, DOWN]).tolist() == expected


def test_losses_turn_maximized_objectives() -> None:
    assert losses(np.array([[0.9, 10.0]]), [UP, DOWN]).tolist() == [[-0.9, 10.0]]


@pytest.mark.parametrize(
    ("points", "reference", "directions", "expected"),
    [
        ([[1.0], [2.0]], [3.0], [DOWN], 2.0),
        ([[0.25], [0.75]], [0.0], [UP], 0.75),
        # Two boxes down to (4, 4): 3 x 1 and 2 x 2 share 2 x 1, so 3 + 4 - 2.
        ([[1.0, 3.0], [2.0, 2.0]], [4.0, 4.0], [DOWN, DOWN], 5.0),
        # The same, with the first objective turned round.
        ([[-1.0, 3.0], [-2.0, 2.0]], [-4.0, 4.0], [UP, DOWN], 5.0),
        # A dominated point and a copy add nothing.
        ([[1.0, 3.0], [2.0, 2.0], [3.0, 3.0], [2.0, 2.0]], [4.0, 4.0], [DOWN, DOWN], 5.0),
        # A point that does not reach the reference adds nothing.
        ([[1.0, 3.0], [5.0, 0.0]], [4.0, 4.0], [DOWN, DOWN], 3.0),
        # A box of 1 x 2 x 3, accuracy up from 0 to 1.
        ([[1.0, 0.0, 0.0]], [0.0, 2.0, 3.0], [UP, DOWN, DOWN], 6.0),
        # Two boxes of 0.5 x 2 x 2 and 1 x 1 x 1 share 0.5 x 1 x 1.
        ([[0.5, 0.0, 0.0], [1.0, 1.0, 1.0]], [0.0, 2.0, 2.0], [UP, DOWN, DOWN], 2.5),
        ([[math.nan, 1.0], [1.0, 3.0]], [4.0, 4.0], [DOWN, DOWN], 3.0),
        ([[math.nan, 1.0]], [4.0, 4.0], [DOWN, DOWN], 0.0),
    ],
)
def test_hypervolume_of_few_points(
    points: list[list[float]], reference: list[float], directions: list[Direction], expected: float
) -> None:
    assert hypervolume(np.array(points), reference, directions) == pytest.approx(expected)


def test_hypervolume_when_there_are_no_points() -> None:
    assert hypervolume(np.zeros((0, 2)), [1.0, 1.0], [DOWN, DOWN]) == 0.0
