"""`tunefront store backup` and `store check` on an SQLite file: what they print, and their exit codes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.storage.study_fixture import StudyFixture
from tests.tunefront.commands.conftest import Run
from tunefront.commands.store.check_text import check_json, describe_check
from tunefront.storage.check.defect import Defect
from tunefront.storage.check.store_check import StoreCheck
from tunefront.storage.database import schema


@pytest.fixture
def fixture(tmp_path: Path) -> StudyFixture:
    """A study with one finished and one running trial, in ./tunefront.db."""
    made = StudyFixture.make(f"sqlite:///{tmp_path / 'tunefront.db'}")
    made.finish(made.lease())
    made.lease()
    return made


def test_check_counts_and_finds_nothing(run: Run, fixture: StudyFixture) -> None:
    code, output, errors = run("store", "check")
    assert (code, errors) == (0, "")
    assert output == (
        f"sqlite:///tunefront.db: tables of version {schema.VERSION}\n"
        "digits: 1 of 4 trials are done (1 complete, 1 running)\n"
        "\nnothing is wrong\n"
    )


def test_check_names_what_is_wrong_with_what_to_do(run: Run, fixture: StudyFixture) -> None:
    fixture.expire("anna")
    code, output, _ = run("store", "check")
    assert code == 1
    lines = output.splitlines()
    assert lines[3] == "1 thing is wrong:"
    assert lines[4].startswith("digits: the lease on trial 1 ran out ")
    assert lines[5].startswith("  what to do: any 'tunefront run'")
    code, output, _ = run("store", "check", "--json")
    told = json.loads(output)
    assert code == 1
    assert [defect["study"] for defect in told["defects"]] == ["digits"]
    assert (told["version"], told["studies"][0]["done"], told["studies"][0]["running"]) == (schema.VERSION, 1, 1)


def test_a_long_list_of_what_is_wrong_ends_with_how_many_more_there_are() -> None:
    defects = [Defect("digits", f"model {number} is gone", "look for it") for number in range(23)]
    text = describe_check(StoreCheck(4, [], defects), "sqlite:///tunefront.db")
    assert "23 things are wrong:" in text
    assert [number for number in range(23) if f"model {number} is gone" in text] == list(range(20))
    assert text.endswith("\nand 3 more: --json lists all of them")
    assert len(check_json(StoreCheck(4, [], defects))["defects"]) == 23
    assert "more" not in describe_check(StoreCheck(4, [], defects[:20]), "sqlite:///tunefront.db")


def test_a_backup_says_how_it_is_restored(run: Run, fixture: StudyFixture, tmp_path: Path) -> None:
    code, output, errors = run("store", "backup", "--to", "my backup.db")
    assert (code, errors) == (0, "")
    assert output.startswith("wrote my backup.db (")
    told = json.loads(run("store", "backup", "--to", "second.db", "--json")[1])
    assert (told["path"], told["bytes"]) == ("second.db", (tmp_path / "second.db").stat().st_size)
    fixture.finish(fixture.lease())
    subprocess.run(["sh", "-c", output.splitlines()[-1]], check=True)
    assert "digits: 1 of 4 trials are done (1 complete, 1 running)" in run("store", "check")[1]
    # It is a storage itself.
    code, output, _ = run("store", "check", "--storage", "sqlite:///second.db")
    assert (code, "digits: 1 of 4 trials are done" in output) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("check",), "there is no such file"),
        (("backup",), "there is no such file"),
        (("backup", "--storage", "nonsense"), "is not a database URL"),
        (("check", "--storage", "sqlite:///notes.txt"), "cannot be opened: file is not a database"),
        (
            ("start", "--data", "new", "--listen", ""),
            "--listen is empty. Name an address of this machine; 0.0.0.0 means",
        ),
        (("start", "--data", "notes.txt"), "notes.txt is a file. Name a folder with --data"),
        (("stop", "--data", "none"), "there is no store in"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_mistake_exits_2_with_one_message(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    (tmp_path / "notes.txt").write_text("these are notes, and no database\n" * 100)
    code, output, errors = run("store", *arguments)
    assert (code, output) == (2, "")
    assert errors.startswith("tunefront: ")
    assert expected in errors
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_store_without_a_command_lists_them(run: Run) -> None:
    for arguments in (("store",), ("store", "--help")):
        _, output, errors = run(*arguments)
        for command in ("start", "stop", "backup", "check"):
            assert f" {command} " in output + errors
