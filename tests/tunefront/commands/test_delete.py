"""The command `delete`: what goes, and what stays."""

from __future__ import annotations

from pathlib import Path

from tests.storage.study_fixture import DIRECTIONS, METRICS, StudyFixture
from tests.tunefront.commands.conftest import Run
from tunefront.storage import folder_owner, studies


def test_delete_removes_a_study_and_with_results_its_files_and_no_others(
    run: Run, tmp_path: Path, store_study: StudyFixture
) -> None:
    confirmation = {**store_study.record.spec, "name": "digits.confirmation", "confirms": "digits"}
    studies.create(store_study.store, "digits.confirmation", confirmation, {}, DIRECTIONS, METRICS)
    studies.create(store_study.store, "digits.recording", {}, {}, DIRECTIONS, METRICS)
    folder = tmp_path / "results" / "digits"
    assert run("report", "digits")[0] == 0
    (folder / "models").mkdir()
    (folder / "models" / "trial-0.keras").write_text("a model")
    (folder / "notes.txt").write_text("mine")
    (folder / "models" / "trial-1.keras").symlink_to(folder / "notes.txt")

    code, output, errors = run("delete", "digits", "--results")  # standard input is no terminal here
    assert code == 2
    assert "This deletes the study digits (1 complete)\n" in output
    assert "This deletes the study digits.confirmation, the confirmation of digits (none started)\n" in output
    assert "This removes 9 files in results/digits" in output
    assert "or report of the study: results/digits/notes.txt, results/digits/models/trial-1.keras" in output
    assert "It stays: the study digits.recording. 'tunefront delete digits.recording' deletes it" in output
    assert errors == "tunefront: nothing was deleted: there is nobody to ask here. Add --yes\n"
    assert len(studies.list_all(store_study.store)) == 3
    assert (folder / "report.html").exists()

    code, output, _ = run("delete", "digits", "--results", "--yes")
    assert (code, output.splitlines()[-1]) == (0, "deleted digits and digits.confirmation")
    assert [study.name for study in studies.list_all(store_study.store)] == ["digits.recording"]
    left = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    assert left == ["models", "models/trial-1.keras", "notes.txt"]
    assert (folder / "notes.txt").read_text() == "mine"


def test_delete_of_a_confirmation_removes_its_files_so_that_there_can_be_another_one(
    run: Run, tmp_path: Path, store_study: StudyFixture
) -> None:
    folder = tmp_path / "results" / "digits" / "confirmation"
    assert run("report", "digits")[0] == 0
    before = sorted(folder.parent.iterdir())
    spec = {**store_study.record.spec, "name": "digits.confirmation", "confirms": "digits"}
    made = studies.create(store_study.store, "digits.confirmation", spec, {}, DIRECTIONS, METRICS)
    folder_owner.claim(folder, made.record)
    code, output, _ = run("delete", "digits.confirmation", "--results", "--yes")
    assert (code, output.splitlines()[-1]) == (0, "deleted digits.confirmation")
    assert "This removes 1 file in results/digits/confirmation" in output
    assert sorted(folder.parent.iterdir()) == before
    again = studies.create(store_study.store, "digits.confirmation", spec, {}, DIRECTIONS, METRICS)
    folder_owner.claim(folder, again.record)


def test_the_report_of_a_confirmation_lies_with_its_models_and_goes_with_its_search(
    run: Run, tmp_path: Path, store_study: StudyFixture
) -> None:
    confirmation = {**store_study.record.spec, "name": "digits.confirmation", "confirms": "digits"}
    studies.create(store_study.store, "digits.confirmation", confirmation, {}, DIRECTIONS, METRICS)
    results = tmp_path / "results"
    assert run("report", "digits")[0] == 0
    assert run("report", "digits.confirmation")[0] == 0
    assert (results / "digits" / "confirmation" / "report.html").exists()
    assert [path.name for path in results.iterdir()] == ["digits"]
    planned = run("delete", "digits.confirmation", "--results")[1]
    assert "This removes 8 files in results/digits/confirmation (" in planned
    assert run("delete", "digits", "--results", "--yes")[0] == 0
    assert not (results / "digits").exists()


def test_delete_leaves_files_unless_it_is_told(run: Run, tmp_path: Path, store_study: StudyFixture) -> None:
    assert run("report", "digits")[0] == 0
    checkpoints = tmp_path / "results" / "digits" / "checkpoints"
    (checkpoints / "trial-0").mkdir(parents=True)
    (checkpoints / "trial-0" / f"3-{'0' * 64}.npz").write_text("a checkpoint")
    (checkpoints / "mine.txt").write_text("mine")
    code, output, _ = run("delete", "digits", "--yes")
    assert code == 0
    assert "It stays: 8 files in results/digits" in output
    assert [path.name for path in checkpoints.iterdir()] == ["mine.txt"]  # nobody will go on from a checkpoint
    assert (tmp_path / "results" / "digits" / "report.html").exists()
    assert run("status", "digits")[0] == 2


def test_delete_leaves_the_results_of_another_study_of_that_name(
    run: Run, tmp_path: Path, store_study: StudyFixture
) -> None:
    folder = tmp_path / "results" / "digits"
    assert run("report", "digits")[0] == 0
    (folder / "study.json").write_text('{"study": "digits", "made_at": 1.0}')
    code, _, errors = run("delete", "digits", "--results", "--yes")
    assert code == 2
    assert "results/digits holds the results of another study named 'digits'" in errors
    assert len(studies.list_all(store_study.store)) == 1
    assert (folder / "report.html").exists()


def test_delete_removes_no_files_that_are_not_known_to_be_its_own(
    run: Run, tmp_path: Path, store_study: StudyFixture
) -> None:
    report = tmp_path / "project" / "report.html"
    report.parent.mkdir()
    report.write_text("mine")
    code, _, errors = run("delete", "digits", "--results", "--yes", "--out", str(report.parent))
    assert (code, report.read_text()) == (2, "mine")
    assert "has no study.json that says whose results it holds" in errors
    assert len(studies.list_all(store_study.store)) == 1
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "digits").symlink_to(report.parent)
    code, output, _ = run("delete", "digits", "--results", "--yes")
    assert (code, report.read_text()) == (0, "mine")
    assert "No file is removed: results/digits is a link, and links are not followed\n" in output


def test_delete_refuses_while_a_worker_runs(run: Run, store_study: StudyFixture) -> None:
    machine = {"host_name": "far away", "process_started_at": 0.0}
    studies.register_worker(store_study.study, "anna", "another host", 4711, machine)
    code, _, errors = run("delete", "digits", "--yes")
    assert code == 2
    assert "'digits' is being worked on, by process 4711 on far away" in errors
    assert len(studies.list_all(store_study.store)) == 1
