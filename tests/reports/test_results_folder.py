from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from tunefront.reports.report_files import ReportFiles
from tunefront.reports.results_folder import look_at_results

TUNEFRONT_FILES = (
    *(
        "report.html",
        "front.md",
        "front.csv",
        "trials.csv",
        "importance.csv",
        "epochs.csv",
        "classes.csv",
        "class_scores.csv",
        "confusion.csv",
        "confirmed.csv",
        "deployed.csv",
        "data/contact_sheet.png",
    ),
    *("models/trial-0.keras", "models/trial-0.json", "models/.partial-12.keras", "logs/trial-0.log"),
    *("retrained/trial-3.keras", "retrained/trial-3.json"),
    *("models/trial-0.predictions.npz", "models/trial-0.worst.png", "models/.partial-12.predictions.npz"),
    *("models/.partial-12.worst.png", "confirmation/models/trial-3.predictions.npz"),
    *("confirmation/models/trial-3.keras", "confirmation/logs/trial-3.log", "confirmation/report.html"),
    *(
        "deployed/trial-3.int8.tflite",
        "deployed/trial-3.int8.json",
        "deployed/trial-3.onnx",
        "deployed/trial-3.onnx.md",
    ),
    "tensorboard/trial-1/train/events.out.tfevents.1.host",
    *(f"checkpoints/trial-1/12-{'0a' * 32}.npz", "checkpoints/trial-1/.123.partial"),
    *(f"checkpoints/population-0/trial-1/2-{'0a' * 32}.npz", f"checkpoints/trial-1-retrained/3-{'0a' * 32}.npz"),
    *(f"checkpoints/trial-2/taken/2-{'0a' * 32}.npz", "checkpoints/trial-2/taken/stages.json"),
)
OTHER_FILES = (
    *("notes.txt", "models/best.keras", "models/trial-0.keras.bak", "models/trial-x.keras", "logs/trial-0.log.txt"),
    *("models/trial-0.png", "models/predictions.npz", "retrained/mine.keras"),
    *("deployed/mine.tflite", "deployed/trial-3.int4.tflite", "deployed/trial-3.json"),
    *("checkpoints/trial-1/mine.npz", f"checkpoints/12-{'0a' * 32}.npz"),
    *("tensorboard/trial-1/mine.txt", "mine/report.html", "confirmation/mine.txt", "data/images/a.png"),
)


def make(folder: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("12345")


def test_every_file_of_a_report_is_ours(tmp_path: Path) -> None:
    names = [f"{field.name.rpartition('_')[0]}.{field.name.rpartition('_')[2]}" for field in fields(ReportFiles)]
    make(tmp_path, tuple(names))
    results = look_at_results(tmp_path)
    assert results is not None
    assert (len(results.files), results.others) == (len(names), ())


def test_a_folder_of_our_files_alone_is_removed_with_them(tmp_path: Path) -> None:
    make(tmp_path / "results", TUNEFRONT_FILES)
    results = look_at_results(tmp_path / "results")
    assert results is not None
    assert (len(results.files), results.others, results.n_bytes) == (len(TUNEFRONT_FILES), (), 5 * len(TUNEFRONT_FILES))
    assert results.remove() == []
    assert not (tmp_path / "results").exists()


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    make(tmp_path, (*TUNEFRONT_FILES, *OTHER_FILES))
    results = look_at_results(tmp_path)
    assert results is not None
    results.remove()
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(OTHER_FILES)


def test_links_are_not_followed(tmp_path: Path) -> None:
    make(tmp_path / "elsewhere", ("trial-0.keras", "trial-0.log", "report.html"))
    folder = tmp_path / "results"
    make(folder, ("front.csv",))
    (folder / "models").symlink_to(tmp_path / "elsewhere")
    (folder / "logs").mkdir()
    (folder / "logs" / "trial-0.log").symlink_to(tmp_path / "elsewhere" / "trial-0.log")
    (folder / "report.html").symlink_to(tmp_path / "elsewhere" / "report.html")
    results = look_at_results(folder)
    assert results is not None
    assert results.files == (folder / "front.csv",)
    results.remove()
    assert len(list((tmp_path / "elsewhere").iterdir())) == 3
    (tmp_path / "link").symlink_to(folder)
    assert look_at_results(tmp_path / "link") is None


def test_a_folder_that_cannot_be_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, ("front.csv", "models/trial-0.keras"))
    results = look_at_results(tmp_path)
    assert results is not None
    rmdir = Path.rmdir

    def refuse(path: Path) -> None:
        if path.name != "models":
            raise PermissionError(13, "Permission denied", str(path))
        rmdir(path)

    monkeypatch.setattr(Path, "rmdir", refuse)  # permissions would not stop tests that run as root
    assert results.remove() == [f"{tmp_path}: Permission denied"]
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, ("front.csv", "trials.csv"))
    results = look_at_results(tmp_path)
    assert results is not None
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.name == "front.csv":
            raise PermissionError(13, "Permission denied", str(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)  # permissions would not stop tests that run as root
    assert results.remove() == [f"{tmp_path / 'front.csv'}: Permission denied"]
    assert [path.name for path in tmp_path.iterdir()] == ["front.csv"]
