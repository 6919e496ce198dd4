from __future__ import annotations

import itertools

import pytest

from tunefront.reports.printed_figures.number_places import Box, find_places

PANEL = Box(100.0, 100.0, 100.0, 100.0)  # from 0 to 200 on both sides
SIZE = (8.0, 6.0)


def boxes(places: list[tuple[float, float] | None]) -> list[Box]:
    return [Box(*place, SIZE[0] / 2, SIZE[1] / 2) for place in places if place is not None]


def test_a_number_alone_stands_right_above_its_point() -> None:
    # 2.6 is half a marker, 2 the gap, 3 half the number's height.
    assert find_places([(50.0, 60.0)], [SIZE], PANEL) == [pytest.approx((50.0, 67.6))]


def test_a_number_below_the_upper_edge_stands_elsewhere() -> None:
    (place,) = find_places([(50.0, 199.0)], [SIZE], PANEL)
    assert place is not None
    assert place[1] + 3.0 <= 200.0


def test_numbers_of_a_crowd_cover_neither_points_nor_each_other() -> None:
    crowd = [(100.0 + 6.0 * column, 100.0 + 6.0 * row) for column in range(4) for row in range(4)]
    places = boxes(find_places(crowd, [SIZE] * 16, PANEL))
    assert len(places) == 16
    for one, other in itertools.combinations(places, 2):
        assert abs(one.x - other.x) >= 8.0 or abs(one.y - other.y) >= 6.0
    for box, (x, y) in itertools.product(places, crowd):
        assert abs(box.x - x) >= 4.0 + 2.6 or abs(box.y - y) >= 3.0 + 2.6


def test_a_faint_point_is_covered_only_where_there_is_no_other_place() -> None:
    above = (50.0, 67.6)
    (place,) = find_places([(50.0, 60.0)], [SIZE], PANEL, [above])
    assert place is not None
    assert place != pytest.approx(above)
    everywhere = [(float(x), float(y)) for x in range(0, 120, 2) for y in range(0, 130, 2)]
    assert find_places([(50.0, 60.0)], [SIZE], PANEL, everywhere) == [pytest.approx(above)]


def test_a_number_without_room_is_left_out() -> None:
    small = Box(5.0, 5.0, 5.0, 5.0)
    assert find_places([(5.0, 5.0)], [SIZE], small) == [None]
