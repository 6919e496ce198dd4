"""The status of studies, for a terminal and for programs."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console, RenderableType

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.sentences.summary import describe_progress
from tunefront.reports.status import studies_overview, study_status
from tunefront.storage import studies
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome

ENDING = "none of the last 5 finished trials came on the front: that is stop.patience"


def printed(content: RenderableType) -> str:
    output = io.StringIO()
    Console(file=output, width=160).print(content)
    return output.getvalue()


def test_a_confirmation_is_finished_though_a_training_failed(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, n_trials=3, name="digits.confirmation")
    studies.update_spec(fixture.study, {**fixture.record.spec, "confirms": "digits"})
    fixture.complete(0.9, 10, 1.0)
    fixture.complete(0.8, 10, 1.0)
    fixture.end(fixture.lease(), Outcome.FAILED, reason="out of memory")
    status = study_status(OpenStudy(fixture.store, fixture.results().study))
    assert printed(status.render()).startswith("digits.confirmation: 3 of 3 trials")
    assert status.as_json()["finished"] == 3
    assert status.as_json()["front"] is None
    assert status.as_json()["front_trials"] == []
    assert "3 of 3" in printed(studies_overview(fixture.store).render())
    # The front of a confirmation's single trainings means nothing.
    assert printed(studies_overview(fixture.store).render()).splitlines()[1].split()[-1] == "-"
    assert "What they mean together: tunefront report digits" in printed(status.render())
    assert "on the front" not in printed(status.render())
    assert describe_progress(fixture.results()) == ""


def test_a_failed_trial_of_a_search_is_not_finished(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, n_trials=3)
    fixture.complete(0.9, 10, 1.0)
    fixture.end(fixture.lease(), Outcome.FAILED, reason="out of memory")
    assert printed(study_status(fixture.study).render()).startswith("digits: 1 of 3 trials")


def test_done_early_is_said_only_while_it_is_true(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, n_trials=2)
    fixture.complete(0.9, 10, 1.0)
    fixture.study.optuna.set_user_attr("ending", ENDING)

    def shown() -> str:
        return printed(study_status(fixture.study).render())

    assert f"done early: {ENDING}" in shown()
    leased = fixture.lease()  # patience was raised: the study runs again
    assert "done early" not in shown()
    fixture.end(leased, Outcome.PRUNED, reason="epoch 1: hopeless")  # it has all its trials
    assert "done early" not in shown()


def test_each_stopped_trial_has_its_proof_though_reasons_are_summed_up(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, n_trials=40)
    fixture.complete(0.9, 10, 1.0)
    reasons = [f"epoch 2: even at best ({50 + number}.00 %) trial 0 dominates it (90.00 %)" for number in range(17)]
    for reason in reasons:
        fixture.end(fixture.lease(), Outcome.PRUNED, curve=(0.1, 0.2), reason=reason)
    status = study_status(fixture.study)
    lines = printed(status.render()).splitlines()
    assert "why each of them was stopped (the last 15; all are in the report):" in lines
    assert [line for line in lines if line.startswith("  trial ")] == [
        f"  trial {number}, {reasons[number - 1]}" for number in range(3, 18)
    ]
    assert "why each" not in printed(status.render(is_brief=True))


def test_a_study_is_over_when_nothing_runs_and_nothing_is_to_come(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, n_trials=2)

    def is_over() -> tuple[bool, bool]:
        return study_status(fixture.study).is_over, studies_overview(fixture.store).is_over

    fixture.complete(0.9, 10, 1.0)
    assert is_over() == (False, False)
    fixture.study.optuna.set_user_attr("ending", ENDING)
    assert is_over() == (True, True)
    leased = fixture.lease()
    assert is_over() == (False, False)
    fixture.end(leased, Outcome.PRUNED, reason="epoch 1: hopeless")
    assert is_over() == (True, True)
