"""Sentences about members of the front that were stopped, and about a study that ended early."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.page.page import render_page
from tunefront.reports.sentences.stopping_cost import describe_stopping_cost
from tunefront.reports.status import study_status
from tunefront.reports.study_results import StudyResults
from tunefront.reports.tables.markdown import front_markdown
from tunefront.storage.outcomes import Outcome

NOTED: dict[str, Any] = {"lost": 1.0, "at_risk": 8.0, "low": 0.0, "high": 2.46, "n_stopped": 2, "front_loss": 0.05}
SENTENCES = (
    "Among the 2 trials that were stopped, 1.0 members of the front are expected to have been lost (90 % interval 0.0 "
    "to 2.5): 12 % of the front, where front_loss accepts 5 %. The interval does not cover that the prediction is "
    "wrong: if models that learn late were stopped before any was seen to the end, more were lost."
)


def noted(folder: Path, n_pruned: int = 2, **changes: Any) -> StudyResults:
    fixture = ReportFixture.make(folder)
    fixture.complete(0.9, 10, 1.0)
    for _ in range(n_pruned):
        fixture.end(fixture.lease({"net.rate": 1.0}), Outcome.PRUNED, curve=(0.1,), reason="epoch 1: hopeless")
    fixture.study.optuna.set_user_attr("front_loss", {**NOTED, **changes})
    return fixture.results()


def test_page_and_markdown_state_the_estimate(tmp_path: Path) -> None:
    results = noted(tmp_path)
    assert describe_stopping_cost(results) == SENTENCES
    page = unescape(render_page(results, tmp_path))
    assert SENTENCES in page[page.index('<section id="trials">') :].split("</section>")[0]
    assert SENTENCES in front_markdown(results).replace("\\", "")


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"lost": 0.04, "at_risk": 5.04}, "fewer than 0.1 members of the front are expected"),
        ({"lost": 2.3, "at_risk": 23.0}, "2.3 members of the front are expected to have been lost"),
        ({"lost": 2.3, "at_risk": 23.0}, ": 10 % of the front, where"),
        ({"lost": 0.0, "at_risk": 0.0}, ": 0 % of the front, where"),
        ({"front_loss": 0.001}, "front_loss accepts 0.1 %"),
        ({"n_stopped": 1}, "Among the 1 trial that was stopped when a run last ended, "),  # meanwhile it is 2
        (
            {"lost": None, "at_risk": None, "low": None, "high": None},
            "Too few trials had finished to tell what the 2 trials that were stopped would have become.",
        ),
    ],
)
def test_the_sentence_follows_the_numbers(tmp_path: Path, changes: dict[str, Any], part: str) -> None:
    assert part in describe_stopping_cost(noted(tmp_path, **changes))


def test_what_was_pruned_without_an_epoch_is_not_among_them(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.study.optuna.tell(
        fixture.lease()[0].number, state=TrialState.PRUNED
    )  # as a person does, before its first epoch
    fixture.end(fixture.lease(), Outcome.PRUNED, curve=(0.1,))
    fixture.study.optuna.set_user_attr("front_loss", {**NOTED, "n_stopped": 1})
    assert describe_stopping_cost(fixture.results()).startswith("Among the 1 trial that was stopped, ")
    fixture.end(fixture.lease(), Outcome.PRUNED, curve=(0.1,))
    assert describe_stopping_cost(fixture.results()).startswith(
        "Among the 1 trial that was stopped when a run last ended"
    )


def test_nothing_is_said_without_an_estimate(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.9, 10, 1.0)
    assert describe_stopping_cost(fixture.results()) == ""
    assert "front_loss" not in front_markdown(fixture.results())


def test_a_study_that_ended_early_is_said_to_be_done(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.9, 10, 1.0)
    assert "This study is not finished: 1 of 4" in unescape(render_page(fixture.results(), tmp_path))
    fixture.study.optuna.set_user_attr("ending", "its time is used up: stop.time_limit is 2.00 s")
    page = unescape(render_page(fixture.results(), tmp_path))
    assert "This study is done with 1 of 4 trials: its time is used up: stop.time_limit is 2.00 s." in page
    assert "is not finished" not in page
    rendered = study_status(fixture.study).render()
    assert "done early: its time is used up" in str([str(part) for part in rendered.renderables])  # type: ignore[union-attr]
    fixture.lease({"net.rate": 1.0})
    assert "This study is under way: 1 of 4" in unescape(render_page(fixture.results(), tmp_path))
