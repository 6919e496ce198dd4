"""The command `errors`, and `report --images`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests.reports.report_fixture import ReportFixture
from tunefront.storage.answers import Answers

Run = Callable[..., tuple[int, str, str]]


def add(fixture: ReportFixture, folder: Path) -> None:
    """Add a trial that `select` takes, and that has three of four validation images right."""
    model = folder / "trial-0.keras"
    model.touch()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / "trial-0.worst.png")
    answers = {"validation": Answers([0, 1, 2, 2], [0, 1, 2, 1])}
    fixture.complete(0.99, 1000, 0.1, model_path=str(model), answers=answers)


def test_the_trial_that_select_takes_is_the_default(run: Run, tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    add(fixture, tmp_path)
    fixture.complete(0.5, 2000, 8.0)
    code, output, _ = run("errors", "digits")
    assert code == 0
    assert "digits, trial 0: 3 of 4 validation images are right: 75.00 %" in output
    assert output.endswith(
        "a picture of the worst: trial-0.worst.png\nnext: open trial-0.worst.png\n"
        + ("      tunefront report digits --images\n")
    )
    found = json.loads(run("errors", "digits", "0", "--json")[1])
    assert (found["trial"], found["right"], found["calibration"]) == (0, 3, None)
    assert found["confusion"] == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]


def test_mistakes_are_one_line(run: Run, tmp_path: Path, study: ReportFixture) -> None:
    for arguments, expected in (
        (("digits", "9"), "study 'digits' has no trial 9: its trials are 0 to 1"),
        (("digits", "0"), "an earlier tunefront kept its model and stored no answers"),
        (("digits", "1"), "its model was not kept, because only those of the front are. 'tunefront retrain digits 1'"),
        (("digit",), "has no study 'digit'. Did you mean 'digits'?"),
    ):
        code, output, errors = run("errors", *arguments)
        assert (code, output) == (2, "")
        assert expected in errors
        assert errors.count("\n") == 1
    empty = ReportFixture.make(tmp_path, name="empty")
    empty.lease()
    code, _, errors = run("errors", "empty")
    assert (code, errors.count("\n")) == (2, 1)
    assert "To see the errors of a trial all the same, give its number" in errors


def test_images_stand_in_a_report_only_when_they_are_asked_for(run: Run, tmp_path: Path) -> None:
    add(ReportFixture.make(tmp_path), tmp_path)
    page = tmp_path / "results" / "digits" / "report.html"
    code, output, _ = run("report", "digits", "--images")
    assert code == 0
    assert "The report has the worst images of trial 0: it shows your data." in output
    assert page.read_text().count("<img") == 1
    assert run("report", "digits")[0] == 0
    assert "<img" not in page.read_text()
    help_text = " ".join(run("report", "--help")[1].replace("│", " ").split())
    assert "Without it no report has an image of your data, because reports are sent on." in help_text
