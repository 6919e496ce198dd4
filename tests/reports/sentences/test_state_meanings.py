"""The meaning of a state: which pruner stopped a trial, and whether a waiting one was started before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.page.page import render_page
from tunefront.reports.sentences.state_meanings import describe_state
from tunefront.reports.study_results import STATES
from tunefront.storage import studies
from tunefront.storage.outcomes import Outcome


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, "stopped early: it would not have come on the front"),
        ({"pruner": {"name": "pareto", "front_loss": 0.05}}, "stopped early: it would not have come on the front"),
        ({"pruner": {"name": "median"}}, "stopped early by the median pruner"),
        ({"pruner": {"name": "none"}}, "stopped early"),
    ],
)
def test_what_stopped_trials_is_the_pruner_of_the_spec(tmp_path: Path, spec: dict[str, Any], expected: str) -> None:
    fixture = ReportFixture.make(tmp_path)
    studies.update_spec(fixture.study, {**fixture.record.spec, **spec})
    fixture.end(fixture.lease(), Outcome.PRUNED)
    assert describe_state(fixture.results(), "pruned") == expected
    assert expected in render_page(fixture.results(), tmp_path)


@pytest.mark.parametrize(
    ("n_new", "n_interrupted", "expected"),
    [
        (2, 0, "queued, and not started yet"),
        (0, 1, "back in the queue, after its run was interrupted"),
        (2, 1, "2 not started yet, 1 back in the queue, after its run was interrupted"),
    ],
)
def test_what_waits_may_never_have_started(tmp_path: Path, n_new: int, n_interrupted: int, expected: str) -> None:
    fixture = ReportFixture.make(tmp_path)
    for leased in [fixture.lease() for _ in range(n_interrupted)]:
        fixture.end(leased, Outcome.RETURNED, reason="interrupted")
    for _ in range(n_new):
        fixture.study.optuna.enqueue_trial({})
    assert describe_state(fixture.results(), "waiting") == expected


def test_every_state_has_a_meaning(tmp_path: Path) -> None:
    results = ReportFixture.make(tmp_path).results()
    assert all(describe_state(results, state) for state in STATES)
