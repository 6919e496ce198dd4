"""The commands' exit codes and output, above all for mistakes. Nothing here loads Keras."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from tests.storage.study_fixture import DIRECTIONS, METRICS, StudyFixture
from tests.tunefront.commands.conftest import SPEC, Run
from tunefront.approvals import approve
from tunefront.commands import study
from tunefront.search.spec.file import read_spec
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import studies
from tunefront.storage.database.connection import open_store


def test_help_lists_the_commands(run: Run) -> None:
    code, output, _ = run("--help")
    assert code == 0
    for command in ("run", "status", "report", "delete", "dashboard"):
        assert command in output


@pytest.mark.parametrize(
    "arguments",
    [
        ("walk",),
        ("run",),
        ("run", "study.toml", "--workers", "0"),
        ("run", "study.toml", "--trials", "0"),
        ("run", "study.toml", "--wrokers", "1"),
        ("dashboard", "--port", "0"),
        ("data", "--cache", "--prune", "-1"),
        ("confirm",),
        ("confirm", "digits", "--seeds", "1"),
    ],
    ids=" ".join,
)
def test_a_wrong_argument_exits_2_and_says_which(run: Run, arguments: tuple[str, ...]) -> None:
    code, _, errors = run(*arguments)
    assert code == 2
    assert "Error" in errors or "Usage" in errors


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("run", "none.toml"), "none.toml: the spec file cannot be read"),
        (("run", "bad.toml"), "bad.toml: trails: there is no such key. Did you mean 'trials'?"),
        (("run", "study.toml", "--storage", "nonsense"), "is not a database URL"),
        (("run", "study.toml", "--storage", "sqlite:////no/such/folder/a.db"), "there is no folder '/no/such/folder'"),
        (("run", "study.toml", "--storage", "sqlite:///notes.txt"), "notes.txt cannot be opened: file is not"),
        (
            ("run", "study.toml", "--slots-per-gpu", "0"),
            "--slots-per-gpu 0: give a whole number of at least 1, or auto",
        ),
        (("run", "study.toml", "--slots-per-gpu", "2", "--slots", "4"), "both say how many trials run at a time"),
        (("status",), "there is no such file. Start a study with 'tunefront run SPEC'"),
        (("status", "digits"), "there is no such file"),
        (("status", "--storage", "nonsense"), "is not a database URL"),
        (("report", "digits"), "there is no such file"),
        (("confirm", "digits"), "there is no such file"),
        (("dashboard",), "there is no such file"),
        (("data",), "data needs a spec, such as examples/digits.toml, or --cache"),
        (("data", "study.toml", "--tfrecords", "a", "--out", "b"), "--tfrecords writes none: leave --out out"),
        (("data", "--prune", "3"), "leave out spec and other options"),
        (("data", "study.toml", "--cache"), "leave out spec and other options"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_mistake_exits_2_with_one_message_and_leaves_nothing_behind(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    (tmp_path / "study.toml").write_text(SPEC)
    (tmp_path / "bad.toml").write_text("trails = 3\n" + SPEC)
    (tmp_path / "notes.txt").write_text("these are notes, and no database\n" * 100)
    code, output, errors = run(*arguments)
    assert code == 2
    assert errors.startswith("tunefront: ")
    assert expected in errors
    assert "Traceback" not in errors + output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.toml", "notes.txt", "study.toml"]


def test_run_refuses_a_changed_spec_and_names_what_changed(run: Run, tmp_path: Path, store_study: StudyFixture) -> None:
    (tmp_path / "study.toml").write_text(SPEC + "[training]\nepochs = 99\n")
    code, _, errors = run("run", "study.toml")
    assert code == 2
    assert "training.epochs: the study has 12, the spec 99" in errors
    assert "another name" in errors
    assert len(store_study.trials()) == 1


@pytest.mark.parametrize("command", ["status", "report", "confirm", "delete"])
def test_an_unknown_study_exits_2_and_lists_the_known(run: Run, store_study: StudyFixture, command: str) -> None:
    code, _, errors = run(command, "digist")
    assert code == 2
    assert "has no study 'digist'. Did you mean 'digits'? Known: digits" in errors


def test_confirm_refuses_what_the_space_can_no_longer_make(run: Run, store_study: StudyFixture) -> None:
    code, _, errors = run("confirm", "digits")
    assert code == 2
    assert "trial 0 of study 'digits' cannot be made again: its space has changed since" in errors
    assert [study.name for study in studies.list_all(store_study.store)] == ["digits"]


def _write_recording(path: Path, space: str) -> None:
    """Write a recording of two candidates of two epochs."""
    tables = {"data": {"source": "digits"}, "training": {"epochs": 2}}
    spec = StudySpec.model_validate({"name": "own.recording", "space": space, **tables})
    header = {"format": 1, "spec": spec.as_json(), "dataset": {}, "machines": [], "n_failed": 0, "n_trainings": 2}
    curves = "accuracy_by_epoch,train_seconds_by_epoch,validation_seconds_by_epoch"
    rows = [
        f"candidate,seed,accuracy,compile_seconds,model_bytes,train_seconds,net.units,{curves}",
        "0,0,0.5,0.1,100,2,4,0.4 0.5,1 1,0.1 0.1",
        "1,0,0.6,0.1,200,3,8,0.5 0.6,1 2,0.1 0.1",
    ]
    path.write_text("\n".join([f"# {json.dumps(header)}", *rows]) + "\n")


@pytest.mark.parametrize("arguments", [("run", "own.toml"), ("confirm", "own"), ("replay", "own.csv"), ("data",)])
def test_a_user_s_own_code_is_announced_before_it_runs(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    # The code fails, so everything printed came before it ran.
    (tmp_path / "mine.py").write_text("raise RuntimeError('ran')\n")
    (tmp_path / "own.toml").write_text(SPEC.replace("digits", "own", 1).replace("trials = 4", 'space = "mine.py:Mine"'))
    spec = read_spec(tmp_path / "own.toml")  # reading a spec does not run the code
    store = open_store(f"sqlite:///{tmp_path / 'tunefront.db'}", is_writer=True)
    fixture = StudyFixture(studies.create(store, spec.name, spec.as_json(), {}, DIRECTIONS, METRICS))
    fixture.finish(fixture.lease())
    _write_recording(tmp_path / "own.csv", "mine.py:Mine")
    options = {"replay": ("--sampler", "tpe"), "data": ("own.toml", "--out", "mine.py/in the way")}
    called = (*arguments, *options.get(arguments[0], ()))
    if arguments[0] in ("confirm", "replay"):  # the spec is from the storage or the table, whoever wrote that
        code, output, errors = run(*called)
        assert (code, output, len(errors.splitlines())) == (2, "", 1)
        assert f"it runs the code of {tmp_path / 'mine.py'}, which was not approved on this machine" in errors
        assert "raised RuntimeError: ran" in run(*called, "--allow-own-code")[2]
        approve([tmp_path / "mine.py"], [])
    code, output, errors = run(*called)
    assert code == 2
    if arguments[0] == "data":  # this command needs no candidates
        assert (output, "RuntimeError" in errors) == ("", False)
    else:
        assert output.startswith("this study runs the code of mine.py:Mine\n")
        assert "raised RuntimeError: ran" in errors
    assert run("status", "own")[0] == run("report", "own")[0] == 0  # these commands do not need the code


def test_status_tells_of_all_studies_and_of_one(run: Run, store_study: StudyFixture) -> None:
    assert run("status")[0] == 0
    assert "digits" in run("status")[1]
    code, output, _ = run("status", "digits")
    assert code == 0
    assert "1" in output
    assert "4" in output


@pytest.mark.parametrize("arguments", [("status",), ("status", "digits"), ("report", "digits")], ids=" ".join)
def test_json_is_for_programs(run: Run, store_study: StudyFixture, arguments: tuple[str, ...]) -> None:
    code, output, _ = run(*arguments, "--json")
    assert code == 0
    assert "digits" in json.dumps(json.loads(output))


def test_a_bug_of_ours_keeps_its_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(url: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("tunefront.storage.database.connection.open_store", broken)
    with pytest.raises(ZeroDivisionError):
        run("status")


@pytest.mark.parametrize("option", ["--slots", "--workers"])
def test_slots_have_an_older_name(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store_study: StudyFixture, option: str
) -> None:
    asked: list[object] = []

    def remember(*arguments: object) -> tuple[Ending, Console]:
        asked.append(arguments[3])
        return Ending.INTERRUPTED, Console()

    monkeypatch.setattr(study, "run_here", remember)
    run("run", "study.toml", option, "3")
    assert asked == [3]
