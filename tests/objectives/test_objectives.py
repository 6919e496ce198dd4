from __future__ import annotations

import math

import numpy as np
import pytest

from tunefront.objectives import (
    AXES,
    DEFAULT_MEASURES,
    MEASURES,
    Direction,
    Objective,
    Unit,
    broken_limit,
    dominating,
    format_quantity,
    hypervolume,
    known_early,
    losses,
    on_front,
    parse_quantity,
    violations,
)

UP: Direction = "maximize"
DOWN: Direction = "minimize"


# Quantities


@pytest.mark.parametrize(
    ("written", "unit", "expected"),
    [
        (0.8, "fraction", 0.8),
        (1, "fraction", 1.0),
        ("0.8", "fraction", 0.8),
        ("80 %", "fraction", 0.8),
        ("80%", "fraction", 0.8),
        ("97.25 %", "fraction", 0.9725),
        (".5", "fraction", 0.5),
        (1000, "bytes", 1000.0),
        ("1000", "bytes", 1000.0),
        ("1000 B", "bytes", 1000.0),
        ("50 MB", "bytes", 50e6),
        ("50MB", "bytes", 50e6),
        ("50 mb", "bytes", 50e6),
        ("  50   MB  ", "bytes", 50e6),
        ("1.5 kB", "bytes", 1500.0),
        ("2 GB", "bytes", 2e9),
        ("1 TB", "bytes", 1e12),
        ("1 KiB", "bytes", 1024.0),
        ("1 MiB", "bytes", 1048576.0),
        ("0.5 GiB", "bytes", 536870912.0),
        ("1 TiB", "bytes", 1099511627776.0),
        ("1e6", "bytes", 1e6),
        ("1e3 kB", "bytes", 1e6),
        (1e22, "bytes", 1e22),
        ("-3 MB", "bytes", -3e6),
        ("+3 MB", "bytes", 3e6),
        (0.005, "seconds", 0.005),
        (1e-7, "seconds", 1e-7),
        ("5 ms", "seconds", 0.005),
        ("5 us", "seconds", 5e-6),
        ("5 \N{MICRO SIGN}s", "seconds", 5e-6),
        ("2 s", "seconds", 2.0),
        ("2 sec", "seconds", 2.0),
        ("5 min", "seconds", 300.0),
        ("1.5 h", "seconds", 5400.0),
    ],
)
def test_parse_quantity_when_well_written(written: float | str, unit: Unit, expected: float) -> None:
    assert parse_quantity(written, unit) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("written", "unit", "remedy"),
    [
        ("", "bytes", "50 MB"),
        ("much", "bytes", "50 MB"),
        ("50 apples", "bytes", "MB"),
        ("50 ms", "bytes", "MB"),
        ("50 MB", "seconds", "ms"),
        ("50 %", "seconds", "ms"),
        ("0.8 s", "fraction", "0.8"),
        ("50 M", "bytes", "MB"),
        ("1,5 MB", "bytes", "50 MB"),
        ("1 MB 2", "bytes", "50 MB"),
        ("1..5 MB", "bytes", "50 MB"),
        ("nan", "seconds", "5 ms"),
        ("inf", "seconds", "5 ms"),
        (float("nan"), "seconds", "5 ms"),
        (float("inf"), "bytes", "50 MB"),
        ("\N{ARABIC-INDIC DIGIT THREE} MB", "bytes", "50 MB"),
    ],
)
def test_parse_quantity_when_badly_written(written: float | str, unit: Unit, remedy: str) -> None:
    with pytest.raises(ValueError, match="is not a (share|size|time); write") as caught:
        parse_quantity(written, unit)
    assert str(written) in str(caught.value)
    assert remedy in str(caught.value)


@pytest.mark.parametrize("written", [True, False, None, [1], {"low": 1}])
def test_parse_quantity_when_no_number_at_all(written: object) -> None:
    with pytest.raises(ValueError, match="is not a number or a text such as '50 MB'"):
        parse_quantity(written, "bytes")  # type: ignore[arg-type]


def test_parse_quantity_when_too_large_for_a_number() -> None:
    # 1e400 reads as infinity, and a limit of infinity would limit nothing without a word.
    with pytest.raises(ValueError, match="1e400"):
        parse_quantity("1e400", "bytes")


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.0, "fraction", "0.00 %"),
        (0.5, "fraction", "50.00 %"),
        (0.97222, "fraction", "97.22 %"),
        (1.0, "fraction", "100.00 %"),
        (0, "bytes", "0 B"),
        (999, "bytes", "999 B"),
        (1000, "bytes", "1 kB"),
        (12_345, "bytes", "12.3 kB"),
        (1_310_000, "bytes", "1.31 MB"),
        (52_428_800, "bytes", "52.4 MB"),
        (2.5e9, "bytes", "2.5 GB"),
        (7e12, "bytes", "7 TB"),
        (0.0, "seconds", "0 us"),
        (5e-6, "seconds", "5 us"),
        (0.0042, "seconds", "4.2 ms"),
        (1.0, "seconds", "1 s"),
        (59.94, "seconds", "59.9 s"),
        (119.0, "seconds", "119 s"),
        (120.0, "seconds", "2 min"),
        (3600.0, "seconds", "60 min"),
        (7200.0, "seconds", "2 h"),
        (5400 * 2.0, "seconds", "3 h"),
        (math.nan, "seconds", "-"),
        (math.nan, "bytes", "-"),
    ],
)
def test_format_quantity_of_a_value(value: float, unit: Unit, expected: str) -> None:
    assert format_quantity(value, unit) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (999.6, "bytes", "1 kB"),
        (999_900, "bytes", "1 MB"),
        (999_990_000, "bytes", "1 GB"),
        (0.9996, "seconds", "1 s"),
        (0.0009996, "seconds", "1 ms"),
    ],
)
def test_format_quantity_when_rounding_reaches_the_next_unit(value: float, unit: Unit, expected: str) -> None:
    assert format_quantity(value, unit) == expected


@pytest.mark.parametrize("unit", ["bytes", "seconds"])
@pytest.mark.parametrize("value", [3.0, 47.0, 512.0, 2.5e3, 9.99e4, 1.31e6])
def test_format_quantity_can_be_read_again(value: float, unit: Unit) -> None:
    assert parse_quantity(format_quantity(value, unit), unit) == pytest.approx(value, rel=0.01)


# Measures and limits


def test_measures_carry_their_unit_in_the_name() -> None:
    endings = {"bytes": "_bytes", "seconds": "_seconds"}
    for name, measure in MEASURES.items():
        assert name == measure.name
        assert measure.axis in AXES
        if measure.unit != "fraction":
            assert name.endswith(endings[measure.unit])


def test_default_measures_stand_on_their_axis() -> None:
    assert tuple(DEFAULT_MEASURES) == AXES
    assert all(MEASURES[name].axis == axis for axis, name in DEFAULT_MEASURES.items())


@pytest.mark.parametrize(
    ("at_least", "at_most", "value", "expected"),
    [
        (None, None, 5.0, -math.inf),
        (0.5, None, 0.4, 0.1),
        (0.5, None, 0.5, 0.0),  # limits are inclusive
        (0.5, None, 0.9, -0.4),
        (None, 100.0, 130.0, 30.0),
        (None, 100.0, 100.0, 0.0),
        (None, 100.0, 40.0, -60.0),
        (10.0, 100.0, 40.0, -30.0),
        (10.0, 100.0, 4.0, 6.0),
        (10.0, 100.0, 104.0, 4.0),
    ],
)
def test_violation_of_limits(at_least: float | None, at_most: float | None, value: float, expected: float) -> None:
    objective = Objective(MEASURES["model_bytes"], at_least, at_most)
    assert objective.violation(value) == pytest.approx(expected)
    assert objective.has_limit == (at_least is not None or at_most is not None)


@pytest.mark.parametrize(
    ("measure", "at_least", "at_most", "best", "expected"),
    [
        ("accuracy", 0.5, None, 0.4, True),
        ("accuracy", 0.5, None, 0.5, False),
        ("accuracy", None, 0.9, 0.95, False),  # it can still end lower
        ("accuracy", None, None, 0.0, False),
        ("train_seconds", None, 10.0, 11.0, True),
        ("train_seconds", None, 10.0, 10.0, False),
        ("train_seconds", 10.0, None, 1.0, False),  # it can still take longer
    ],
)
def test_is_out_of_reach_of_a_best_value(
    measure: str, at_least: float | None, at_most: float | None, best: float, expected: bool
) -> None:
    assert Objective(MEASURES[measure], at_least, at_most).is_out_of_reach(best) is expected


@pytest.mark.parametrize(
    ("measure", "at_least", "at_most", "value", "expected"),
    [
        ("accuracy", 0.5, None, 0.4, "accuracy 40.00 % breaks its limit of at least 50.00 %"),
        ("model_bytes", None, 1e6, 2.5e6, "model_bytes 2.5 MB breaks its limit of at most 1 MB"),
        ("model_bytes", 1e3, 1e6, 10.0, "model_bytes 10 B breaks its limit of at least 1 kB"),
        ("latency_seconds", None, 0.005, 0.01, "latency_seconds 10 ms breaks its limit of at most 5 ms"),
    ],
)
def test_describe_violation_names_measure_value_and_limit(
    measure: str, at_least: float | None, at_most: float | None, value: float, expected: str
) -> None:
    assert Objective(MEASURES[measure], at_least, at_most).describe_violation(value) == expected


# Fronts


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


# Hypervolume, worked out by hand


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
        # What does not reach the reference adds nothing.
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


LIMITED = [
    Objective(MEASURES["accuracy"], at_least=0.5),
    Objective(MEASURES["model_bytes"], at_most=1e6),
    Objective(MEASURES["train_seconds"]),
]


@pytest.mark.parametrize(
    ("measurements", "expected", "first"),
    [
        ({"accuracy": 0.75, "model_bytes": 1e6, "train_seconds": 9.0}, {"accuracy": -0.25, "model_bytes": 0.0}, ""),
        ({"accuracy": 0.25, "model_bytes": 2e6}, {"accuracy": 0.25, "model_bytes": 1e6}, "accuracy 25.00 % breaks"),
        ({"model_bytes": 2e6}, {"model_bytes": 1e6}, "model_bytes 2 MB breaks its limit of at most 1 MB"),
        ({"train_seconds": 9.0}, {}, ""),
    ],
)
def test_limits_of_several_objectives(measurements: dict[str, float], expected: dict[str, float], first: str) -> None:
    assert violations(LIMITED, measurements) == expected
    assert broken_limit(LIMITED, measurements).startswith(first)
    assert bool(broken_limit(LIMITED, measurements)) is bool(first)


def test_known_early_is_what_the_built_model_tells() -> None:
    measured = {"model_bytes": 1.0, "weight_bytes": 2.0, "peak_bytes": 3.0, "accuracy": 0.5, "load_average": 1.0}
    assert known_early(measured) == {"model_bytes": 1.0, "weight_bytes": 2.0}


@pytest.mark.parametrize(
    ("objective", "best_limit", "described"),
    [
        (Objective(MEASURES["accuracy"], 0.5, 0.9), 0.5, "at least 50.00 %, at most 90.00 %"),
        (Objective(MEASURES["model_bytes"], 10.0, 1e6), 1e6, "at least 10 B, at most 1 MB"),
        (Objective(MEASURES["model_bytes"], at_least=10.0), None, "at least 10 B"),
        (Objective(MEASURES["accuracy"]), None, ""),
    ],
)
def test_limits_of_one_objective(objective: Objective, best_limit: float | None, described: str) -> None:
    assert objective.best_limit == best_limit
    assert objective.describe_limits() == described
