"""The worst images in a report: only where they were asked for, and only pictures that tunefront wrote."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.reports.class_answers.stored_answers import network, stored
from tests.reports.report_fixture import DATASET, ReportFixture
from tunefront.reports.publish import publish


def picture(path: Path, value: int) -> bytes:
    Image.fromarray(np.full((4, 4), value, dtype=np.uint8)).save(path, format="PNG")
    return path.read_bytes()


@pytest.fixture
def fixture(tmp_path: Path) -> ReportFixture:
    """A study with four models on the front; the last one's picture is no picture."""
    made = ReportFixture.make(tmp_path)
    for number in range(4):
        model = tmp_path / f"trial-{number}.keras"
        model.touch()
        answers = {"validation": stored(*network(3, n=120, seed=number))}
        made.complete(0.5 + number / 100, 100 + number, 1.0, model_path=str(model), answers=answers)
    picture(tmp_path / "trial-0.worst.png", 10)
    picture(tmp_path / "trial-1.worst.png", 20)
    (tmp_path / "trial-2.worst.png").symlink_to("trial-1.worst.png")
    (tmp_path / "trial-3.worst.png").write_text("<svg onload='alert(a script of theirs)'>")
    return made


def test_a_report_has_the_pictures_only_when_it_is_asked_for_them(fixture: ReportFixture, tmp_path: Path) -> None:
    without = publish(fixture.study, tmp_path / "out")
    assert "<img" not in without.files.report_html.read_text()
    assert without.images == ""
    published = publish(fixture.study, tmp_path / "out", has_images=True)
    page = published.files.report_html.read_text()
    found = re.findall(r'<img src="data:image/png;base64,([^"]*)"', page)
    assert [base64.b64decode(each) for each in found] == [
        (tmp_path / f"trial-{number}.worst.png").read_bytes()
        for number in (1, 0)  # in the order of the front
    ]
    assert page.count("There is no picture of them") == 2
    assert "a script of theirs" not in page
    assert "img-src data: blob:" in page  # the page's own policy lets nothing else in
    assert published.images == "The report has the worst images of trials 1, 0: it shows your data."
    publish(fixture.study, tmp_path / "out")
    assert "<img" not in published.files.report_html.read_text()


def test_it_says_so_when_there_is_no_picture(fixture: ReportFixture, tmp_path: Path) -> None:
    for path in tmp_path.glob("*.worst.png"):
        path.unlink()
    assert publish(fixture.study, tmp_path / "out", has_images=True).images.startswith("No image is in the report: no")
    for facts, expected in (
        ({"columns": [{"name": "age", "kind": "number", "vocabulary": []}]}, "the study is about rows of a table"),
        ({"task": "regression", "class_names": []}, "these models predict numbers. The pictures lie beside the models"),
    ):
        other = ReportFixture.make(tmp_path, name=next(iter(facts)), dataset={**DATASET, **facts})
        other.complete(0.5, 100, 1.0)
        assert expected in publish(other.study, tmp_path / other.record.name, has_images=True).images
