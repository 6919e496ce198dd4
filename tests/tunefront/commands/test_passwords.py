"""Addresses of storages on the command line and in the environment, whose passwords are never shown."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
import typer

from tests.storage.study_fixture import StudyFixture
from tests.tunefront.commands.conftest import SPEC, Run
from tunefront.commands import terminal
from tunefront.commands.session import interrupted_early


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
