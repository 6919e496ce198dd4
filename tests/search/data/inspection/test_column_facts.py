"""The look at a table of columns: scales, categories and what is missing, against pandas."""

from __future__ import annotations

import io
from pathlib import Path

import pandas
import pytest
from rich.console import Console

from tunefront.commands.data_table import render
from tunefront.search.data.cache import prepare
from tunefront.search.data.inspection.contact_sheet import write_contact_sheet
from tunefront.search.data.inspection.data_report import DataReport
from tunefront.search.data.inspection.inspect import inspect
from tunefront.search.data.sources.columns import ColumnsSource


def students(folder: Path) -> ColumnsSource:
    lines = ["split,age,school,[bold]job,result"]
    for row in range(60):
        split = "train" if row < 40 else "validation" if row < 50 else "test"
        school = "" if row % 9 == 0 else "XX" if row == 55 else ("GP", "GP", "MS")[row % 3]
        age = "" if row % 7 == 0 else 15 + row * row % 13
        lines.append(f"{split},{age},{school},{'uvwxyzabcd'[row % 10]},{('pass', 'fail')[row % 2]}")
    (folder / "students.csv").write_text("\n".join(lines))
    keys = {"source": "columns", "path": str(folder / "students.csv"), "missing": "fill", "split_column": "split"}
    return ColumnsSource.model_validate(keys)


@pytest.fixture
def report(tmp_path: Path) -> DataReport:
    source = students(tmp_path)
    dataset = prepare(source, seed=1)
    assert write_contact_sheet(dataset, tmp_path / "sheet.png") is None
    return inspect(dataset, source)


def test_the_report_has_each_column_s_scale_and_categories(report: DataReport, tmp_path: Path) -> None:
    table = pandas.read_csv(tmp_path / "students.csv")
    age, school, job = report.columns
    assert (age.name, age.kind, age.n_missing) == ("age", "number", int(table["age"].isna().sum()))
    training = table["age"][:40].dropna()
    assert (age.mean, age.deviation) == pytest.approx((training.mean(), training.std(ddof=0)))
    assert (age.low, age.high) == (table["age"].min(), table["age"].max())
    counts = table["school"].value_counts()
    assert school.counts == {"GP": counts["GP"], "MS": counts["MS"]}
    assert (school.n_missing, school.n_unknown) == (int(table["school"].isna().sum()), 1)
    assert sum(job.counts.values()) == 60
    assert report.value_range is None
    assert DataReport.from_json(report.as_json()) == report


def test_the_report_is_shown_without_words_of_images(report: DataReport) -> None:
    console = Console(file=io.StringIO(), width=120)
    console.print(render(report))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for fragment in (
        "3 columns: 1 numbers, 2 categories",
        "GP 32, MS 20, unknown in training 1",
        "[bold]job",
        "4 more",
    ):
        assert fragment in text
    assert "image" not in text
    assert "nan" not in text
