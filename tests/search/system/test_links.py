"""Links where a run would write."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.supervisor_fixture import RecordingView, SupervisorFixture, make_spec
from tunefront.search.fleet.run import RunRequest, run_study
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.system.links import refuse_links
from tunefront.storage.folder_owner import FolderTakenError, claim


@pytest.mark.parametrize(
    "link",
    [
        "logs",
        "models",
        "tensorboard",
        "confirmation",
        "data",
        "logs/trial-3.log",
        "models/trial-3.keras",
        "retrained/trial-3.keras",
        "models/.partial-3.keras",
        "tensorboard/trial-3",
        "tensorboard/trial-3/train",
        "tensorboard/trial-3/train/events",
    ],
)
def test_a_link_where_a_run_writes_is_named(any_folder: Path, link: str) -> None:
    target = any_folder / "target"
    target.mkdir()
    path = any_folder / "results" / link
    path.parent.mkdir(parents=True)
    path.symlink_to(target)
    with pytest.raises(OSError, match="this is a link, and links are not followed here: remove it") as caught:
        refuse_links(any_folder / "results")
    assert caught.value.filename == str(path)


def test_a_dangling_link_is_one_too(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "trial-0.log").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OSError, match="this is a link"):
        refuse_links(tmp_path)


def test_a_user_s_own_links_stay(tmp_path: Path) -> None:
    results = tmp_path / "results"
    for name in ("logs", "models", "tensorboard/trial-0/train"):
        (tmp_path / "disk" / name).mkdir(parents=True)
    results.symlink_to(tmp_path / "disk")  # results on a larger disk
    (results / "models" / "best.keras").symlink_to("trial-3.keras")
    refuse_links(results)
    refuse_links(tmp_path / "not there yet")


def _run(fixture: SupervisorFixture, out: Path) -> None:
    launcher = Launcher(fixture.folder / "forkserver.log", preload=())
    run_study(
        RunRequest(fixture.spec, Path("study.toml"), fixture.url, 1, out, launcher, fixture.folder), RecordingView()
    )


def test_a_run_writes_neither_through_links_nor_over_another_study_s_models(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    one, other = (SupervisorFixture(tmp_path / name, make_spec(), {}) for name in ("one", "other"))
    claim(tmp_path / "results", one.record)
    with pytest.raises(FolderTakenError, match="results holds the results of another study named 'digits'"):
        _run(other, tmp_path / "results")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "results" / "models").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="this is a link"):
        _run(one, tmp_path / "results")
    assert one.states() == other.states() == []
