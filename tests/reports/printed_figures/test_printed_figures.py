"""Printed figures: what they show, read back from matplotlib's axes, is what the CSV files have."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text

from tests.reports.confirmation.confirmation_fixture import confirmation_of, load, search, train
from tests.reports.report_fixture import ReportFixture
from tunefront.reports.printed_figures.figure_kinds import FIGURE_KINDS, draw_figure
from tunefront.reports.printed_figures.printed_figure import PrintedFigure
from tunefront.reports.printed_figures.style import PrintedFigureError
from tunefront.reports.report_files import write_report


@pytest.fixture(scope="module")
def front_csv(fixture: ReportFixture, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return pd.read_csv(write_report(fixture.results(), tmp_path_factory.mktemp("report")).front_csv)


def drawn(figure: PrintedFigure, gid: str) -> list[tuple[float, float]]:
    """Return the points of the line with that identifier."""
    (line,) = [line for axes in figure.figure.axes for line in axes.lines if line.get_gid() == gid]
    return [(float(x), float(y)) for x, y in line.get_xydata()]  # type: ignore[union-attr]


def numbers(axes: Axes) -> dict[int, tuple[float, float]]:
    """Return the numbers that are written, and the points that they stand beside."""
    written = [text for text in axes.texts if isinstance(text, Annotation)]
    return {int(text.get_text()): (float(text.xy[0]), float(text.xy[1])) for text in written}


def test_the_front_is_where_its_csv_file_says(fixture: ReportFixture, front_csv: pd.DataFrame) -> None:
    figure = draw_figure(fixture.study, "front", "double")
    memory, time = figure.figure.axes
    assert (memory.get_xlabel(), memory.get_ylabel()) == ("model file (kB)", "validation accuracy (%)")
    assert time.get_xlabel() == "training time (s)"
    for axes, pair, column, scale in (
        (memory, "memory-accuracy", "memory_bytes", 1e3),
        (time, "time-accuracy", "time_seconds", 1.0),
    ):
        rows = zip(front_csv["trial"], front_csv[column] / scale, 100 * front_csv["accuracy"], strict=True)
        expected = {number: pytest.approx((x, y)) for number, x, y in rows}
        assert drawn(figure, f"{pair}.front") == list(expected.values())
        assert numbers(axes) == expected
        assert axes.get_xscale() == "log"
    assert figure.left_out == ()


def test_other_trials_are_of_kinds_of_their_own(fixture: ReportFixture) -> None:
    figure = draw_figure(fixture.study, "memory-accuracy", "single")
    assert drawn(figure, "memory-accuracy.complete") == [pytest.approx((2.0, 85.0))]
    assert drawn(figure, "memory-accuracy.infeasible") == [pytest.approx((4.0, 99.0))]
    assert drawn(figure, "memory-accuracy.pruned") == [pytest.approx((0.9, 30.0))]
    assert drawn(figure, "memory-accuracy.memory-limit")[0][0] == pytest.approx(3.0)
    # Trials 0 and 1 are equal, so both are members.
    steps = [(0.5, 80.0), (1.0, 90.0), (1.0, 90.0), (2.5, 95.0)]
    assert drawn(figure, "memory-accuracy.steps") == [pytest.approx(step) for step in steps]
    (legend,) = figure.figure.legends
    texts = {text.get_text() for text in legend.get_texts()}
    assert {
        "best of the two",
        "on the front (4)",
        "complete (1)",
        "breaks a limit (1)",
        "stopped early (1)",
        "limit",
    } == texts


def test_learning_curves_are_those_of_the_store(fixture: ReportFixture) -> None:
    figure = draw_figure(fixture.study, "learning-curves", "double")
    assert drawn(figure, "trial.8") == [pytest.approx(point) for point in [(1, 47.5), (2, 95.0), (3, 94.0)]]
    assert drawn(figure, "trial.5") == [pytest.approx(point) for point in [(1, 10.0), (2, 30.0)]]
    assert drawn(figure, "kept.0") == [pytest.approx((2.0, 90.0))]  # its best_epoch is 2
    assert drawn(figure, "kept.8") == [pytest.approx((3.0, 94.0))]  # the last epoch, because nothing tells it
    assert numbers(figure.figure.axes[0]).keys() == {0, 1, 2, 8}
    assert figure.figure.axes[0].get_xlabel() == "epoch"


def test_confirmed_means_have_their_intervals(tmp_path: Path) -> None:
    searched = search(tmp_path)
    with pytest.raises(PrintedFigureError, match="'tunefront confirm digits' trains its front again"):
        draw_figure(searched.study, "confirmed", "double")
    trained = confirmation_of(searched)
    train(trained, 0, [0.90, 0.92, 0.97], 2000, 2.0)
    train(trained, 1, [0.88], 1000, 1.0)
    figure = draw_figure(searched.study, "confirmed", "double")
    memory, time = figure.figure.axes
    assert memory.get_ylabel() == "test accuracy (%)"
    heights = [
        path[:, 1]
        for container in memory.containers
        for path in container.lines[2][1].get_segments()  # type: ignore[attr-defined]
    ]
    found = next(each for each in load(searched).finalists if each.number == 0).estimates["accuracy"]
    # The interval ends at 100 %, because no accuracy is higher; with one training none is known.
    ends = [100 * found.low, 100 * min(found.high, 1.0)]
    assert sorted(map(sorted, heights)) == [pytest.approx(ends), pytest.approx([88.0, 88.0])]
    mean = 100 * (0.90 + 0.92 + 0.97) / 3
    assert numbers(memory) == {0: pytest.approx((2.0, mean)), 1: pytest.approx((1.0, 88.0))}
    assert drawn(figure, "memory.searched") == [pytest.approx((2.0, 95.0)), pytest.approx((1.0, 90.0))]
    assert numbers(time)[1] == pytest.approx((1.0, 88.0))


def test_numbers_cover_neither_each_other_nor_members_of_the_front(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.30, 1_000, 0.1)  # far away, so that the others crowd
    for step in range(13):
        fixture.complete(0.90 + 0.004 * step, 50_000 + 2_000 * step, 2.0 + 0.05 * step)
    figure = draw_figure(fixture.study, "front", "single")
    assert figure.left_out == ()
    figure.figure.draw_without_rendering()  # moves the numbers to their places
    for axes in figure.figure.axes:
        # Without the lines that lead to their points.
        extents = [Text.get_window_extent(text) for text in axes.texts]
        assert len(extents) == 14
        for one, other in itertools.combinations(extents, 2):
            assert not one.padded(-0.5).overlaps(other.padded(-0.5))
        points = axes.transData.transform(list(numbers(axes).values()))
        for extent, point in itertools.product(extents, points):
            assert not extent.padded(-0.5).contains(*point)


@pytest.mark.parametrize(("width", "inches"), [("single", 3.5), ("double", 7.16)])
def test_a_file_is_as_wide_as_columns_are_and_has_its_fonts(
    fixture: ReportFixture, tmp_path: Path, width: str, inches: float
) -> None:
    figure = draw_figure(fixture.study, "front", width)  # type: ignore[arg-type]
    figure.save(tmp_path / "front.pdf")
    content = (tmp_path / "front.pdf").read_bytes()
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) [\d.]+ \]", content)
    assert box is not None
    assert float(box[1]) == pytest.approx(72 * inches)
    assert b"/FontFile2" in content  # a whole TrueType font
    assert b"/Type3" not in content
    assert b"/CreationDate" not in content


def test_equal_figures_are_equal_files_whatever_a_user_has_set(fixture: ReportFixture, tmp_path: Path) -> None:
    for suffix in (".pdf", ".svg", ".png"):
        draw_figure(fixture.study, "front", "single").save(tmp_path / f"first{suffix}")
        with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "none"}):
            draw_figure(fixture.study, "front", "single").save(tmp_path / f"again{suffix}")
        assert (tmp_path / f"first{suffix}").read_bytes() == (tmp_path / f"again{suffix}").read_bytes()
    assert "<dc:date>" not in (tmp_path / "first.svg").read_text()


@pytest.mark.parametrize("kind", FIGURE_KINDS)
def test_a_study_without_a_finished_trial_has_no_figure(tmp_path: Path, kind: str) -> None:
    fixture = ReportFixture.make(tmp_path)
    with pytest.raises(PrintedFigureError, match="yet|has no confirmed models"):
        draw_figure(fixture.study, kind, "single")


def test_a_kind_or_a_format_that_is_not_there(fixture: ReportFixture, tmp_path: Path) -> None:
    with pytest.raises(PrintedFigureError, match="Did you mean 'front'"):
        draw_figure(fixture.study, "frnt", "single")
    with pytest.raises(PrintedFigureError, match=r"the suffix says the format, and '\.jpg' is not possible"):
        draw_figure(fixture.study, "front", "single").save(tmp_path / "front.jpg")
