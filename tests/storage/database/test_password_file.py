"""Password files that a URL names, and passwords in URLs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunefront.storage.database.connection import has_studies, open_store
from tunefront.storage.database.password_file import PasswordFileError
from tunefront.storage.database.passwords import has_password, masked, password_warning


def url_with(path: Path) -> str:
    return f"postgresql+psycopg://tunefront@127.0.0.1:1/tunefront?passfile={path}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_password_file_that_others_may_use_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "pass file"
    path.write_text("*:*:*:*:s3cret\n")
    path.chmod(mode)
    with pytest.raises(PasswordFileError, match=rf"others \(mode {mode:o}\).*: chmod 600 '{path}'$"):
        open_store(url_with(path))
    with pytest.raises(PasswordFileError, match="chmod 600"):
        has_studies(url_with(path))


def test_a_missing_password_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PasswordFileError, match=f"there is no password file {tmp_path / 'none'}"):
        open_store(url_with(tmp_path / "none"), is_writer=True)


def test_the_path_of_a_password_file_is_no_secret() -> None:
    url = url_with(Path("/home/anna/passfile"))
    assert masked(url) == url
    assert not has_password(url)
    assert masked(f"{url}&password=s3cret") == f"{url}&password=***"


@pytest.mark.parametrize(
    ("url", "is_warned"),
    [
        ("postgresql+psycopg://anna:s3cret@host/db", True),
        ("postgresql://host/db?user=anna&password=s3cret", True),
        ("postgresql+psycopg://anna@host/db?passfile=/home/anna/passfile", False),
        ("postgresql+psycopg://anna@host/db", False),
        ("mysql+pymysql://anna:s3cret@host/db", False),  # its drivers read no such file
        ("sqlite:///tunefront.db", False),
        ("postgresql", False),
    ],
)
def test_a_password_in_a_url_is_warned_of_with_the_remedy(url: str, is_warned: bool) -> None:
    warning = password_warning(url)
    assert ("?passfile=/its/path" in warning) == is_warned
    assert "s3cret" not in warning


def test_a_variable_that_goes_before_the_password_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    named, without = "postgresql+psycopg://anna@host/db?passfile=/its/path", "postgresql+psycopg://anna@host/db"
    assert password_warning(named) == ""
    monkeypatch.setenv("PGPASSWORD", "s3cret")
    assert "'unset PGPASSWORD'" in password_warning(named)
    assert password_warning(without) == ""  # its one password is there
    assert "s3cret" not in password_warning(named)
