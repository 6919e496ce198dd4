"""Reports on a study whose limits were changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.reports.kept_models import describe_without_model, find_kept_model
from tunefront.reports.page.page import render_page
from tunefront.reports.publish import publish
from tunefront.reports.sentences.summary import describe_limit_changes, describe_progress
from tunefront.reports.status import study_status
from tunefront.reports.tables.markdown import front_markdown
from tunefront.storage import limits, refused_candidates, studies
from tunefront.storage.outcomes import Outcome


def objectives(at_most: float | None) -> dict[str, Any]:
    return {**THREE, "memory": {"measure": "model_bytes", "at_least": None, "at_most": at_most}}


@pytest.fixture
def relaxed(tmp_path: Path) -> ReportFixture:
    """A study in which trial 1 broke the old limit and is the best now, and refused trial 2 is queued again as 3."""
    fixture = ReportFixture.make(tmp_path, objectives(1000.0), n_trials=9)
    fixture.complete(0.8, 900, 5.0, model_path="/models/trial-0.keras")
    fixture.complete(0.9, 1500, 6.0, reason="model_bytes 1.5 kB breaks its limit of at most 1 kB")
    fixture.end(fixture.lease({"optimizer.name": "adam"}), Outcome.REFUSED, {"model_bytes": 1200.0}, reason="too large")
    with fixture.store.exclusively():
        limits.change(fixture.study, {**fixture.record.spec, "objectives": objectives(2000.0)})
        study = studies.find(fixture.store, "digits")
        assert study is not None
        refused_candidates.queue_again(study)
    return fixture


def test_what_changed_and_what_it_brought_is_said(relaxed: ReportFixture, tmp_path: Path) -> None:
    results = relaxed.results()
    said = (
        "The limits changed after 2 trials from model_bytes at most 1 kB to model_bytes at most 2 kB. What was stopped "
        "under earlier limits stays stopped; refused candidates were queued again: trial 2 as 3."
    )
    without = "On the front, but their models were not kept, off the front under earlier limits: trial 1."
    assert describe_limit_changes(results) == said
    assert [trial.number for trial in results.front] == [1, 0]
    assert find_kept_model(results, results.front[0], tmp_path).text == "not kept: off the front under earlier limits"
    console = Console(width=400, record=True)
    study = studies.find(relaxed.store, "digits")
    assert study is not None
    status = study_status(study)
    published = publish(study, tmp_path / "report")
    console.print(status.render())
    printed = console.export_text()
    console.print(*published.tables())
    for text in (front_markdown(results).replace("\\", ""), printed, console.export_text()):
        assert said in text
        assert without in text
    for content in (status.as_json(), published.as_json()):
        assert said in content["notes"]
    page = render_page(results, tmp_path)
    assert page.count(said) == 1
    assert "not kept: off the front under earlier limits" in page


def test_a_model_that_could_not_be_saved_was_not_off_the_front(relaxed: ReportFixture, tmp_path: Path) -> None:
    reason = "complete, but its model was not kept: disk full"
    relaxed.end(relaxed.lease(is_new=False), Outcome.FAILED)
    relaxed.complete(0.95, 1900, 7.0, reason=reason)
    results = relaxed.results()
    assert results.front[0].number == 4
    assert describe_without_model(results).endswith("off the front under earlier limits: trial 1.")
    assert find_kept_model(results, results.front[0], tmp_path).text == reason


def test_nothing_is_said_when_the_limits_are_those_it_began_with(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.8, 900, 5.0)
    assert describe_limit_changes(fixture.results()) == ""
    assert find_kept_model(fixture.results(), fixture.results().front[0], tmp_path).text == "not kept"


def test_a_study_did_not_give_up_for_candidates_that_are_queued_again(relaxed: ReportFixture) -> None:
    spec = {**relaxed.results().study.spec, "max_refusals": 0}
    studies.update_spec(relaxed.study, spec)
    assert "gave up" not in describe_progress(relaxed.results())
    relaxed.end(relaxed.lease(is_new=False), Outcome.REFUSED, {"model_bytes": 9000.0})
    assert "gave up: 1 of 1 trials that were refused did so for one reason" in describe_progress(relaxed.results())
