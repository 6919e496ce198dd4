"""The commands that steer studies, trials and workers: what they say, and what the storage has afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.reports.report_fixture import ReportFixture
from tests.storage.study_fixture import StudyFixture
from tests.tunefront.commands.conftest import Run
from tunefront.commands.steering.person import this_person
from tunefront.storage import studies
from tunefront.storage.control import processes, study_control
from tunefront.storage.control.wishes import StudyWish, Wish, wishes_for
from tunefront.storage.database.connection import open_store
from tunefront.storage.outcomes import Outcome

ME = this_person()


def test_a_study_is_paused_resumed_and_stopped(run: Run, store_study: StudyFixture) -> None:
    store_study.lease()
    assert run("pause", "digits")[:2] == (
        0,
        "digits: paused. 1 trial that runs is trained to the end. Go on with: tunefront resume digits\n",
    )
    assert study_control.read(store_study.study).wish == Wish(StudyWish.PAUSED, ME)
    store_study.lease()
    assert "2 trials that run are given back within seconds. " in run("pause", "digits", "--now")[1]
    assert study_control.read(store_study.study).wish == Wish(StudyWish.PAUSED_NOW, ME)
    again = "open again; no worker is at it now: the 'tunefront run' command that started it goes on with it\n"
    assert run("resume", "digits")[:2] == (0, f"digits: {again}")
    assert run("resume", "digits")[:2] == (0, "digits: neither paused nor stopped\n")
    assert run("stop", "digits")[0] == 0
    assert study_control.read(store_study.study).wish == Wish(StudyWish.STOPPED, ME)
    code, _, errors = run("pause", "digits")
    assert (code, errors) == (
        2,
        f"tunefront: study 'digits' was stopped by {ME}: nothing runs. 'tunefront resume digits' opens it again\n",
    )
    code, _, errors = run("run", "study.toml")
    assert (code, errors) == (
        2,
        f"tunefront: study.toml: study 'digits' was stopped by {ME}. Open it again with 'tunefront resume digits', "
        "then run it again\n",
    )


def test_a_stopped_study_says_so_in_its_report_and_who_in_its_status(run: Run, study: ReportFixture) -> None:
    assert run("stop", "digits")[0] == 0
    assert study.results().early_end == "a person stopped it"
    assert run("report", "digits")[0] == 0
    assert f"stopped by {ME}; 'tunefront resume digits' opens it again\n" in run("status", "digits")[1]
    assert f"digits is stopped by {ME}" in run("status")[1]
    studies.register_worker(study.study, "anna", "boot", 7, {})
    assert run("resume", "digits")[1] == "digits: open again; 2 workers go on with it within seconds\n"
    assert study.results().early_end == ""


def test_a_trial_is_cancelled_whether_it_waits_or_runs(run: Run, tmp_path: Path, store_study: StudyFixture) -> None:
    store_study.lease()
    store_study.study.optuna.enqueue_trial({})
    assert run("cancel", "digits", "2")[:2] == (0, "trial 2 of digits: cancelled\n")
    assert run("cancel", "digits", "1")[1] == "trial 1 of digits: it runs, and its worker ends it within seconds\n"
    assert [trial.state for trial in store_study.trials()] == ["complete", "running", "cancelled"]
    output = run("status", "digits")[1]
    assert "1 complete, 1 cancelled, 1 running\n" in output
    assert f"cancelled (1): cancelled by {ME}: trial 2\n" in output
    status = json.loads(run("status", "digits", "--json")[1])
    assert status["reasons"]["cancelled"] == [{"reason": f"cancelled by {ME}", "trials": [2]}]
    assert run("report", "digits")[0] == 0
    for name in ("report.html", "trials.csv"):  # a report is sent on
        text = (tmp_path / "results" / "digits" / name).read_text()
        assert "cancelled by a person" in text
        assert ME not in text


def test_a_worker_is_told_to_end(run: Run, store_study: StudyFixture) -> None:
    processes.register_process(store_study.store, "p", "boot", "north", 7, ["cpu"])
    said = "worker north-7, process 7 on north: it gives its trials back and ends\n"
    assert run("stop", "--worker", "north-7")[:2] == (0, said)
    assert wishes_for(store_study.store, "p", []).drained_by == ME
    assert f"told to end by {ME}" in run("status")[1]


def test_priorities_order_the_studies(run: Run, store_study: StudyFixture) -> None:
    for name in ("urgent", "later"):
        study_control.submit(StudyFixture.on(store_study.store, name).study)
    assert "priority" not in run("status")[1]
    assert run("priority", "later", "-5")[:2] == (
        0,
        "later: priority -5; of 1 other open study 1 comes before it\n",
    )
    assert run("priority", "urgent", "5")[1] == "urgent: priority 5; of 1 other open study 0 come before it\n"
    names = [line.split()[:2] for line in run("status")[1].splitlines()[1:4]]
    assert names == [["urgent", "5"], ["digits", "0"], ["later", "-5"]]


def test_the_status_of_all_lists_failures_and_workers(run: Run, store_study: StudyFixture) -> None:
    for reason in ("out of memory: 3 GB", "out of memory: 4 GB", "a bug"):
        store_study.finish(store_study.lease(), Outcome.FAILED, reason=reason)
    processes.register_process(store_study.store, "p", "boot", "north", 7, ["A100", "A100", "T4"])
    studies.register_worker(store_study.study, "anna", "boot", 7, {}, process_id="p")
    store_study.lease()
    store_study.study.optuna.enqueue_trial({})
    lines = run("status")[1].splitlines()
    assert lines[0].split() == ["study", "done", "pruned", "refused", "failed", "running", "waiting", "front"]
    assert lines[1].split() == ["digits", "1", "of", "4", "0", "0", "3", "1", "1", "1"]
    assert lines[2:4] == ["digits: failed (2): out of memory: …: trials 1, 2", "digits: failed (1): a bug: trial 3"]
    row = next(line for line in lines if line.startswith("north-7"))
    assert row.split("  ")[0] == "north-7"
    assert "2 x A100, T4" in row
    assert "digits: 4" in row
    found = json.loads(run("status", "--json")[1])
    assert [(study["study"], study["waiting"], study["wish"]) for study in found["studies"]] == [("digits", 1, "open")]
    (worker,) = found["workers"]
    assert worker["trials"] == [{"study": "digits", "trial": 4, "slot": "cpu0"}]
    assert (worker["worker"], worker["host"], worker["state"]) == ("north-7", "north", "working")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("stop",), "name either a study, or with --worker a worker: 'tunefront status' lists both"),
        (("stop", "digits", "--worker", "a"), "name either a study, or with --worker a worker"),
        (("stop", "--worker", "north-7"), "no worker named 'north-7' runs. None runs now"),
        (("cancel", "digits", "0"), "trial 0 of study 'digits' has ended already: nothing is left to cancel"),
        (("cancel", "digits", "7"), "study 'digits' has no trial 7: its trials are 0 to 0"),
        (("pause", "digist"), "has no study 'digist'. Did you mean 'digits'?"),
        (("resume", "digist"), "has no study 'digist'"),
        (("priority", "digist", "1"), "has no study 'digist'"),
        (("stop", "--worker", "a", "--storage", "sqlite:///none.db"), "there is no such file"),
    ],
)
def test_a_mistake_exits_2_and_changes_nothing(
    run: Run, store_study: StudyFixture, arguments: tuple[str, ...], expected: str
) -> None:
    code, output, errors = run(*arguments)
    assert (code, output) == (2, "")
    assert errors.startswith("tunefront: ")
    assert expected in errors
    assert study_control.read(store_study.study).wish == Wish(StudyWish.OPEN, "")


@pytest.mark.parametrize(
    "arguments", [("cancel", "digits", "x"), ("cancel", "digits"), ("priority", "digits", "high"), ("pause",)]
)
def test_a_wrong_argument_is_told(run: Run, store_study: StudyFixture, arguments: tuple[str, ...]) -> None:
    code, output, errors = run(*arguments)
    assert (code, output) == (2, "")
    assert "Invalid value" in errors or "Missing argument" in errors


def test_a_worker_that_waits_for_the_first_study_is_shown(run: Run, tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'tunefront.db'}", is_writer=True)
    processes.register_process(store, "p", "boot", "north", 7, ["cpu"])
    output = run("status")[1]
    assert output.startswith("No study yet. ")
    assert "north-7" in output
