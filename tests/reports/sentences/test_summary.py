"""How far a study is, in a sentence, and how to go on with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.sentences.summary import describe_progress
from tunefront.storage import studies
from tunefront.storage.outcomes import Outcome

STANDS = "1 of 3 trials are finished; 2 that failed are not among them."
RUN = "The 'tunefront run' command that started it goes on with it."


def study(folder: Path, name: str = "digits", **spec: Any) -> ReportFixture:
    """Make a study of three trials: one is complete, two failed, and two more were refused."""
    fixture = ReportFixture.make(folder, n_trials=3, name=name)
    studies.update_spec(fixture.study, {**fixture.record.spec, **spec})
    fixture.complete(0.9, 10, 1.0)
    for outcome in (Outcome.FAILED, Outcome.REFUSED):
        for _ in range(2):
            fixture.end(fixture.lease(), outcome)
    return fixture


@pytest.mark.parametrize(
    ("name", "spec", "expected"),
    [
        ("digits", {}, f"{STANDS} {RUN}"),
        (
            "digits",
            {"max_failures": 2, "max_refusals": 2},
            f"{STANDS} {RUN}",
        ),
        (
            "digits",
            {"max_failures": 1},
            f"{STANDS} It gave up: 2 trials failed, more than max_failures = 1. "
            "Raise max_failures, and the 'tunefront run' command that started it goes on with it.",
        ),
        (
            "digits",
            {"max_refusals": 0},
            f"{STANDS} It gave up: 2 trials were refused, more than max_refusals = 0. "
            "Raise max_refusals, and the 'tunefront run' command that started it goes on with it.",
        ),
        (
            "digits.recording",
            {},
            f"{STANDS} The 'tunefront record' command that started it goes on with it.",
        ),
        (
            "digits.confirmation",
            {"confirms": "digits", "trials": 4},
            "3 of 4 trials are finished; 2 that failed are not among them. 'tunefront confirm digits' goes on with it.",
        ),
    ],
)
def test_it_says_how_to_go_on(tmp_path: Path, name: str, spec: dict[str, Any], expected: str) -> None:
    progress = describe_progress(study(tmp_path, name, **spec).results())
    assert progress == f"This study is not finished: {expected}"


def test_nothing_is_said_of_a_study_that_has_its_trials(tmp_path: Path) -> None:
    assert describe_progress(study(tmp_path, trials=1, max_failures=1).results()) == ""


def test_a_study_that_runs_again_is_not_told_to_have_given_up(tmp_path: Path) -> None:
    fixture = study(tmp_path, max_failures=1)
    fixture.lease()
    assert describe_progress(fixture.results()).startswith("This study is under way: 1 of 3 trials are finished, 1 run")


def test_one_reason_for_all_failures_is_told_and_not_to_allow_more(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, n_trials=3)
    studies.update_spec(fixture.study, {**fixture.record.spec, "max_failures": 1})
    for _ in range(2):
        fixture.end(fixture.lease(), Outcome.FAILED, reason="build raised TypeError")
    progress = describe_progress(fixture.results())
    assert "2 of 2 trials that failed did so for one reason: build raised TypeError. Mend that first" in progress
    assert "Raise max_failures" not in progress
