"""The output of tunefront's commands among the data is no data, but folders that only look like it are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.data.pictures import picture, pictures, source
from tests.search.data.sources.test_table import table
from tunefront.search.data.cache import prepare
from tunefront.search.data.cache_folder import make_cache_folder
from tunefront.search.data.sources.table import TableSource
from tunefront.search.data.sources.tunefront_output import is_output

OUTPUTS = {  # files below the data folder
    "tunefront run": ["results/s/study.json", "results/s/report.html", "results/s/models/trial-1.json"],
    "tunefront data": ["results/s/data/contact_sheet.png"],
    "tunefront data --out sheet": ["sheet/contact_sheet.png"],
    "tunefront data --out sheets/new": ["sheets/new/contact_sheet.png"],
    "tunefront data --out .": ["contact_sheet.png"],
    "tunefront data export": ["results/s/tfrecords/train-00000-of-00001.tfrecord", "results/s/tfrecords/labels.txt"],
    "tunefront data export --out rec": ["rec/test-00000-of-00002.tfrecord", "rec/labels.txt"],
    "tunefront run --out mine": ["mine/study.json", "mine/data/contact_sheet.png", "mine/logs/trial-1.log"],
    "tunefront record": ["results/s.recording/recording.csv.gz"],
    "tunefront replay": ["results/s.replay/replay.html", "results/s.replay/front.csv"],
    "tunefront pretrain": ["weights/mine.weights.h5", "weights/mine.json"],
    "TUNEFRONT_CACHE=.": ["tunefront/locks/a", "tunefront/manifests/a.jsonl", "tunefront/digits-1/images.npy"],
    "TUNEFRONT_CACHE=cache": ["cache/tunefront/locks/a", "cache/tunefront/manifests/a.jsonl"],
    "results with notes": ["results/s/data/contact_sheet.png", "results/notes/a.txt", "results/notes/b.png"],
}


def add(folder: Path, files: list[str]) -> None:
    for name in files:
        picture(folder / name, 7) if name.endswith(".png") else _touch(folder / name)


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")


@pytest.mark.parametrize("command", OUTPUTS)
def test_output_beside_the_class_folders_is_no_class(any_folder: Path, command: str) -> None:
    folder = pictures(any_folder / "images")
    add(folder, OUTPUTS[command])
    found = source(folder).find()
    assert (list(found.class_names), len(found)) == (["cat", "dog"], 20)


@pytest.mark.parametrize("command", OUTPUTS)
def test_output_beside_the_folders_of_splits_is_none(tmp_path: Path, command: str) -> None:
    for split in ("train", "test"):
        pictures(tmp_path / "images" / split)
    add(tmp_path / "images", OUTPUTS[command])
    found = source(tmp_path / "images").find()
    assert found.splits is not None
    assert (found.splits.count("train"), found.splits.count("test")) == (20, 20)


@pytest.mark.parametrize("command", OUTPUTS)
def test_output_beside_a_table_is_not_unlisted(tmp_path: Path, command: str) -> None:
    path = table(tmp_path / "images")
    add(path.parent, OUTPUTS[command])
    assert len(TableSource(source="table", path=str(path)).find()) == 20


def test_hidden_images_and_litter_beside_a_table_are_not_unlisted(tmp_path: Path) -> None:
    path = table(tmp_path / "images")
    for name in (".thumbnails/0.png", "__MACOSX/0.png", "more/.cache/0.png", "._0.png"):
        picture(path.parent / name, 7)
    assert len(TableSource(source="table", path=str(path)).find()) == 20


@pytest.mark.parametrize("cache", [".", "cache"])
def test_the_cache_in_the_data_folder_is_no_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: str) -> None:
    folder = pictures(tmp_path / "images")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TUNEFRONT_CACHE", cache)
    first = prepare(source(Path()), seed=1)
    assert (folder / cache / "tunefront" / "locks").is_dir()
    assert prepare(source(Path()), seed=1).fingerprint == first.fingerprint
    assert first.class_names == ("cat", "dog")


CLASSES = {  # files of a folder that somebody may have as a class, or around classes
    "a class called results": ["results/0.png"],
    "a class called tunefront": ["tunefront/0.png"],
    "images beside a contact sheet": ["sheet/contact_sheet.png", "sheet/0.png"],
    "images beside a study's file": ["a/study.json", "a/0.jpg"],
    "images without an ending": ["a/study.json", "a/0001"],
    "images with labels": ["a/labels.txt", "a/0.png"],
    "classes beside results": ["train/results/s/study.json", "train/cat/0.png"],
    "images below others": ["train/results/s/study.json", "train/cat/more/0001"],
    "records without labels": ["train/train-00000-of-00001.tfrecord"],
    "nothing": ["a/.hidden"],
}


@pytest.mark.parametrize("case", CLASSES)
def test_a_folder_with_somebodys_images_is_no_output(tmp_path: Path, case: str) -> None:
    for name in CLASSES[case]:
        _touch(tmp_path / name)
    assert not is_output(tmp_path / CLASSES[case][0].split("/", maxsplit=1)[0])


def test_a_real_cache_is_output(tmp_path: Path) -> None:
    assert is_output(make_cache_folder())
    assert is_output(make_cache_folder().parent)
