"""The rows of the table of candidates, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.objectives.measures import MEASURES
from tunefront.reports.choice.rows import candidate_table, show_difference
from tunefront.reports.selection.options import find_options

LIMITED = {**THREE, "memory": {"measure": "model_bytes", "at_most": 3000}}


@pytest.mark.parametrize(
    ("measure", "value", "best", "expected"),
    [
        ("accuracy", 0.9644, 0.97, "\N{MINUS SIGN}0.56"),
        ("accuracy", 0.97, 0.97, ""),
        ("accuracy", float("nan"), 0.97, ""),
        ("model_bytes", 1994, 1000, "+99 %"),
        ("model_bytes", 1996, 1000, "2 \N{MULTIPLICATION SIGN}"),
        ("model_bytes", 1710, 1000, "+71 %"),
        ("model_bytes", 4260, 1000, "4.3 \N{MULTIPLICATION SIGN}"),
        ("train_seconds", 3.0, 0.0, ""),
        ("rmse", 5.5, 5.0, "+10 %"),
        ("r2", 0.25, 0.5, "\N{MINUS SIGN}0.25"),
    ],
)
def test_differences_are_points_of_scores_and_shares_of_costs(
    measure: str, value: float, best: float, expected: str
) -> None:
    assert show_difference(MEASURES[measure], value, best) == expected


def test_rows_are_the_front_and_what_a_looser_limit_would_let_in(tmp_path: Path) -> None:
    # 1 is beaten by 0; 2 and 3 break the limit, and 3 is beaten by 2; 4 guesses, of three classes.
    fixture = ReportFixture.make(tmp_path, LIMITED)
    for values in ((0.9, 2000, 2.0), (0.85, 2500, 2.5), (0.99, 5000, 3.0), (0.98, 6000, 4.0), (0.34, 10, 0.1)):
        fixture.complete(*values)
    rows = candidate_table(find_options(fixture.results())).rows
    assert [(row.number, row.is_outside) for row in rows] == [(2, True), (0, False)]


def test_a_large_front_is_thinned_by_the_tolerance_but_never_what_is_picked(tmp_path: Path) -> None:
    # Sixteen pairs: of each, one has 0.2 points more for 2 % more memory, which is no difference to anybody.
    fixture = ReportFixture.make(tmp_path, {name: THREE[name] for name in ("accuracy", "memory")})  # type: ignore[index]
    for number in range(8):
        for more in range(2):
            memory = 1000 * 2**number * (1 + 0.02 * more)
            fixture.complete(0.5 + 0.05 * number + 0.002 * more, memory, 1.0)
    table = candidate_table(find_options(fixture.results()), picked=[3])
    assert (table.n_inside, table.n_shown_first) == (16, 9)
    assert {row.number: row.stands_for for row in table.rows if row.stands_for} == {
        number: (number + 1,) for number in range(0, 16, 2) if number != 2
    }
    assert table.tolerances == {"accuracy": "0.5 points", "memory": "5 %"}


def test_tolerances_are_doubled_until_few_rows_are_left(tmp_path: Path) -> None:
    # Steps of 1 point and 8 % are above the tolerances, and within twice of these for two neighbours each.
    fixture = ReportFixture.make(tmp_path, {name: THREE[name] for name in ("accuracy", "memory")})  # type: ignore[index]
    for number in range(16):
        fixture.complete(0.5 + 0.01 * number, 1000 * 1.08**number, 1.0)
    table = candidate_table(find_options(fixture.results()))
    assert (table.n_inside, table.n_shown_first) == (16, 8)
    assert table.tolerances == {"accuracy": "1 points", "memory": "10 %"}


def test_of_very_many_that_differ_the_cheapest_of_each_band_shows_first(tmp_path: Path) -> None:
    # Steps of 25 % are more than four times the tolerance. In fifteen bands of 37 steps, band k begins at 37 k / 15.
    fixture = ReportFixture.make(tmp_path, {name: THREE[name] for name in ("accuracy", "memory")})  # type: ignore[index]
    for number in range(38):
        fixture.complete(0.5 + 0.01 * number, 1000 * 1.25**number, 1.0)
    table = candidate_table(find_options(fixture.results()), picked=[37])
    shown = sorted(row.number for row in table.rows if not row.is_stood_for)
    assert shown == [0, 3, 5, 8, 10, 13, 15, 18, 20, 23, 25, 28, 30, 33, 35, 37]
    assert (table.n_inside, table.n_shown_first, table.tolerances) == (38, 16, {})
    assert all(row.stands_for == () for row in table.rows)


def test_a_page_has_not_more_rows_than_a_browser_shows_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Every 37 / 6th row from the most accurate one, 37, and what shows first: the best of each band, as above, and 36.
    monkeypatch.setattr("tunefront.reports.choice.rows.MOST_IN_PAGE", 7)
    fixture = ReportFixture.make(tmp_path, {name: THREE[name] for name in ("accuracy", "memory")})  # type: ignore[index]
    for number in range(38):
        fixture.complete(0.5 + 0.01 * number, 1000 * 1.25**number, 1.0)
    table = candidate_table(find_options(fixture.results()), picked=[36])
    bands = {0, 3, 5, 8, 10, 13, 15, 18, 20, 23, 25, 28, 30, 33, 35}
    assert [row.number for row in table.rows] == sorted(bands | {37, 31, 25, 19, 12, 6, 0, 36}, reverse=True)
    assert (table.n_inside, table.n_left_out) == (21, 17)
