"""The commands' exit codes and output, above all for mistakes. Nothing here loads Keras."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from rich.console import Console

from tests.conftest import DIGITS
from tests.storage.study_fixture import DIRECTIONS, METRICS, StudyFixture
from tunefront.commands import study, terminal
from tunefront.commands.session import interrupted_early
from tunefront.search.data.cache import prepare
from tunefront.search.data.cache_folder import cache_folder
from tunefront.search.spec.file import read_spec
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import folder_owner, studies
from tunefront.storage.database.connection import open_store

SPEC = 'name = "digits"\ntrials = 4\n[data]\nsource = "digits"\n'

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def store_study(tmp_path: Path) -> StudyFixture:
    """Store a study with one finished trial, from study.toml, in ./tunefront.db."""
    (tmp_path / "study.toml").write_text(SPEC)
    spec = read_spec(tmp_path / "study.toml")
    store = open_store(f"sqlite:///{tmp_path / 'tunefront.db'}", is_writer=True)
    fixture = StudyFixture(studies.create(store, spec.name, spec.as_json(), {}, DIRECTIONS, METRICS))
    fixture.finish(fixture.lease())
    return fixture


@pytest.mark.parametrize("ending", [Ending.INTERRUPTED, Ending.TOO_MANY_FAILURES])
def test_the_command_that_goes_on_can_be_copied(
    run: Run, store_study: StudyFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: Ending
) -> None:
    (tmp_path / "the [new] study.toml").write_text(SPEC)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(study, "run_here", lambda *_: (ending, Console()))
    monkeypatch.setattr(study, "publish_run", lambda *_: None)
    code, output, _ = run("run", "the [new] study.toml", "--trials", "4", "--out", "results/somewhere else")
    assert code == (130 if ending is Ending.INTERRUPTED else 1)
    assert "\n  tunefront run 'the [new] study.toml' --trials 4 --out 'results/somewhere else'\n" in output


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_while_the_storage_is_away_ends_as_ever(
    run: Run, store_study: StudyFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    def run_until_ctrl_c(*_: object) -> tuple[Ending, Console]:
        (tmp_path / "tunefront.db").rename(tmp_path / "away.db")
        return Ending.INTERRUPTED, Console(stderr=as_json)

    monkeypatch.setattr(study, "run_here", run_until_ctrl_c)
    code, output, errors = run("run", "study.toml", *(["--json"] if as_json else []))
    said = errors if as_json else output
    assert code == 130
    assert "the storage is away, so there is no report now: 'tunefront report digits' writes it later\n" in said
    assert "\n  tunefront run study.toml" in said
    assert (output == "", errors == "") == (as_json, not as_json)


def test_a_storage_that_is_gone_when_a_run_ends_by_itself_is_a_mistake(
    run: Run, store_study: StudyFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_to_the_end(*_: object) -> tuple[Ending, Console]:
        (tmp_path / "tunefront.db").rename(tmp_path / "away.db")
        return Ending.DONE, Console()

    monkeypatch.setattr(study, "run_here", run_to_the_end)
    code, _, errors = run("run", "study.toml")
    assert (code, "there is no such file" in errors) == (2, True)


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
    code, output, errors = run(*arguments, *options.get(arguments[0], ()))
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


@pytest.mark.parametrize("arguments", [("status",), ("status", "digits"), ("report", "digits")], ids=" ".join)
def test_json_is_for_programs(run: Run, store_study: StudyFixture, arguments: tuple[str, ...]) -> None:
    code, output, _ = run(*arguments, "--json")
    assert code == 0
    assert "digits" in json.dumps(json.loads(output))


def test_report_writes_its_files_anywhere(run: Run, tmp_path: Path, store_study: StudyFixture) -> None:
    assert run("report", "digits")[0] == 0
    assert run("report", "digits", "--out", "an other/place")[0] == 0
    for folder in ("results/digits", "an other/place"):
        names = {path.name for path in (tmp_path / folder).iterdir()}
        assert {"report.html", "front.md", "front.csv", "trials.csv"} <= names


def test_a_report_is_not_written_over_that_of_another_storage(
    run: Run, tmp_path: Path, store_study: StudyFixture
) -> None:
    assert run("report", "digits")[0] == 0
    before = (tmp_path / "results" / "digits" / "report.html").read_bytes()
    store = open_store(f"sqlite:///{tmp_path / 'other.db'}", is_writer=True)
    studies.create(store, "digits", store_study.record.spec, {}, DIRECTIONS, METRICS)
    for command in ("report", "confirm"):
        code, output, errors = run(command, "digits", "--storage", "sqlite:///other.db")
        assert (code, output) == (2, "")
        assert "results/digits holds the results of another study named 'digits', made 2" in errors
        assert "--out" in errors
    assert (tmp_path / "results" / "digits" / "report.html").read_bytes() == before
    assert run("report", "digits", "--storage", "sqlite:///other.db", "--out", "elsewhere")[0] == 0


def test_a_storage_comes_from_the_environment(
    run: Run, tmp_path: Path, store_study: StudyFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tunefront.db").rename(tmp_path / "moved.db")
    for suffix in ("-wal", "-shm"):
        if (tmp_path / f"tunefront.db{suffix}").exists():
            (tmp_path / f"tunefront.db{suffix}").rename(tmp_path / f"moved.db{suffix}")
    assert run("status", "digits")[0] == 2
    monkeypatch.setenv("TUNEFRONT_STORAGE", "sqlite:///moved.db")
    assert run("status", "digits")[0] == 0


@pytest.mark.parametrize("storage", [("--storage", "{url}"), ("--storage={url}",)], ids=["two words", "one word"])
def test_the_command_that_goes_on_leaves_a_password_out(
    monkeypatch: pytest.MonkeyPatch, storage: tuple[str, ...]
) -> None:
    def again(url: str) -> str:
        given = [argument.format(url=url) for argument in storage]
        monkeypatch.setattr(sys, "argv", ["tunefront", "run", "a.toml", *given, "--workers", "2"])
        return terminal.command_again(url)

    expected = "tunefront run a.toml --workers 2 (with TUNEFRONT_STORAGE set)"
    assert again("postgresql://u:s3cret@host/db") == again("postgresql://host/db?password=s3cret") == expected
    assert shlex.split(again("postgresql://u@host/db?a=1&b=2")) == [
        *(
            "tunefront",
            "run",
            "a.toml",
            *(argument.format(url="postgresql://u@host/db?a=1&b=2") for argument in storage),
        ),
        *("--workers", "2"),
    ]


def test_an_early_ctrl_c_leaves_a_password_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql://u:s3cret@host/db"
    monkeypatch.setattr(sys, "argv", ["tunefront", "run", "a.toml", "--storage", url])
    with pytest.raises(typer.Exit), interrupted_early(url, as_json=False):
        raise KeyboardInterrupt
    assert "tunefront run a.toml (with TUNEFRONT_STORAGE set)" in capsys.readouterr().out


def test_a_password_is_never_shown(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEFRONT_STORAGE", "postgresql+psycopg://user:s3cret@127.0.0.1:1/name")
    (tmp_path / "study.toml").write_text(SPEC)
    url = "postgresql+psycopg://user:p@s3cret@127.0.0.1:1/name"
    blank, query = "postgresql://user:p s3cret@host/name", "postgresql://host/name?user=u&password=s3cret"
    for arguments in (
        ("status",),
        ("report", "digits"),
        ("status", "--help"),
        ("status", "--storage", url),
        ("run", "study.toml", f"--storage={url}"),
        (url,),  # and where it does not belong
        ("run", url),
        ("run", "study.toml", url),
        ("run", "study.toml", "--workers", url),
        *((command, odd) for command in ("status", "run", "replay") for odd in (blank, query)),
        ("status", "digits", query),
        (query,),
        ("dashboard", "--host", query),
    ):
        _, output, errors = run(*arguments)
        assert "s3cret" not in output + errors


def test_a_password_in_an_address_is_warned_of(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEFRONT_STORAGE", "postgresql+psycopg://user:s3cret@127.0.0.1:1/name")
    code, output, errors = run("status", "--json")
    warning, mistake = errors.splitlines()
    assert (code, output) == (2, "")
    assert warning.startswith("tunefront: warning: the address of the storage has a password in it")
    assert "?passfile=" in warning
    assert mistake.startswith("tunefront: --storage postgresql+psycopg://user:***@127.0.0.1:1/name cannot be opened")


def test_an_at_in_a_password_is_told_with_the_remedy(run: Run) -> None:
    code, _, errors = run("status", "--storage", "postgresql://user:p@s3cret@127.0.0.1:1/name")
    assert code == 2
    assert "--storage postgresql://user:***@127.0.0.1:1/name has an @ in its password" in errors
    assert "Write %40" in errors


@pytest.mark.parametrize("arguments", [("run", "study.toml"), ("report", "digits")], ids=" ".join)
def test_a_folder_that_cannot_be_is_named_before_anything_is_done(
    run: Run, tmp_path: Path, store_study: StudyFixture, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    code, output, errors = run(*arguments, "--out", "notes.txt/report")
    assert (code, output) == (2, "")
    assert errors == (
        "tunefront: notes.txt/report cannot be written: notes.txt is a file. Name another folder with --out\n"
    )


def test_a_table_that_cannot_be_is_named_before_anything_is_done(run: Run, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(SPEC)
    code, _, errors = run("record", "study.toml", "--table", ".")
    assert (code, errors.startswith("tunefront: . is a folder: name a file with --table")) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["study.toml"]


def test_a_folder_that_the_system_refuses_is_named(run: Run, store_study: StudyFixture) -> None:
    code, _, errors = run("report", "digits", "--out", "/proc/report")
    assert (code, errors.startswith("tunefront: /proc/report: ")) == (2, True)
    assert "Traceback" not in errors


def test_a_bug_of_ours_keeps_its_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(url: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("tunefront.storage.database.connection.open_store", broken)
    with pytest.raises(ZeroDivisionError):
        run("status")


def test_data_cache_lists_and_prunes(run: Run) -> None:
    assert run("data", "--cache") == (0, f"{cache_folder()}: nothing is prepared there\n", "")
    dataset = prepare(DIGITS, seed=1)
    code, printed, _ = run("data", "--cache")
    assert code == 0
    assert all(text in printed for text in (Path(dataset.folder).name, "1,797", "just now", "--prune 30"))
    assert run("data", "--cache", "--prune", "1")[1].startswith("removed 0 entries that nobody used for 1 day: 0 B\n")
    answer = json.loads(run("data", "--cache", "--prune", "0", "--json")[1])
    assert [entry["path"] for entry in answer["removed"]] == [dataset.folder]
    assert (answer["entries"], answer["kept"]) == ([], [])
    assert not Path(dataset.folder).exists()


@pytest.mark.slow
def test_data_writes_tfrecords_by_either_way_of_asking(run: Run, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(SPEC)
    code, printed, errors = run("data", "study.toml", "--tfrecords", "new", "--json")
    assert (code, json.loads(printed)["n_examples"]) == (0, 1797)
    code, printed, errors = run("data", "export", "study.toml", "--json")
    assert "data export is now written as: tunefront data study.toml --tfrecords results/digits/tfrecords" in errors
    assert json.loads(printed)["folder"] == "results/digits/tfrecords"
    written = [
        [path.read_bytes() for path in sorted(folder.glob("*.tfrecord*"))]
        for folder in (tmp_path / "new", tmp_path / "results" / "digits" / "tfrecords")
    ]
    assert written[0] == written[1]
    assert len(written[0]) == 3


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
