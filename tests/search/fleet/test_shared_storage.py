"""The addresses of storages that workers on other machines may be given."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunefront.ray_runner import RayWish
from tunefront.search.fleet.shared_storage import SharedStorageError, address_for_workers, is_file


def test_an_address_is_given_on_when_a_file_has_its_password() -> None:
    url = "postgresql+psycopg://tunefront@db:5432/tunefront?passfile=/srv/passfile&connect_timeout=5"
    assert address_for_workers(url) == url
    assert not is_file(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://u:hunter2@db/d",
        "postgresql+psycopg://u:hunter2@db/d?passfile=/srv/passfile",
        "postgresql+psycopg://u@db/d?password=hunter2&passfile=/srv/passfile",
        "postgresql+psycopg://u@db/d",  # the password would come from each machine's environment
        "postgresql+psycopg://u@db/d?passfile=passfile",  # workers have other current folders
        "mysql+pymysql://u:hunter2@db/d",
    ],
)
def test_an_address_is_refused_when_its_password_would_be_seen_or_missed(url: str) -> None:
    with pytest.raises(SharedStorageError, match="no password in it, and name a file") as error:
        address_for_workers(url)
    assert "hunter2" not in str(error.value)


def test_a_file_of_sqlite_is_named_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert address_for_workers("sqlite:///tunefront.db") == f"sqlite:///{tmp_path}/tunefront.db"
    assert is_file("sqlite:///tunefront.db")


def test_a_worker_is_told_its_study_slots_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    wish = RayWish("auto", 4, 2, 8, Path("out"), ("--data-root=/data",))
    assert wish.arguments("sqlite:////a.db", "digits") == [
        *("-m", "tunefront", "work", "--storage", "sqlite:////a.db", "--study", "digits", "--slots", "2"),
        *("--until-idle", "--out", f"{tmp_path}/out", "--data-root=/data"),
    ]
    assert wish.describe() == "4 workers on Ray, 2 GPUs and 8 CPU cores each"
    assert RayWish("auto", 1, 0, 1).describe() == "1 worker on Ray, 1 CPU core"
    for n_gpus in (0, 0.5, 1):
        arguments = RayWish("auto", 4, n_gpus, 8).arguments("sqlite:////a.db", "digits")
        assert arguments[arguments.index("--slots") + 1] == "1"
        assert "--out" not in arguments
