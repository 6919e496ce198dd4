"""Images of folders that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.data.decoding.test_decode import bomb
from tests.search.data.pictures import pictures, refused, sizes, source
from tunefront.search.data.cache import prepare
from tunefront.search.data.decoding.pixels import SKIPPED
from tunefront.search.data.examples import DataError


def with_bad_images(folder: Path) -> list[Path]:
    """Make some files unusable; return them."""
    pictures(folder)
    whole = (folder / "dog" / "0.png").read_bytes()
    contents = {
        "cat/empty.png": b"",
        "cat/text.png": b"hello",
        "dog/bomb.png": bomb(),
        "dog/cut.png": whole[: len(whole) // 2],
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "dog" / "lost.png").symlink_to(folder / "nowhere.png")
    return [*(folder / name for name in contents), folder / "dog" / "lost.png"]


@pytest.mark.parametrize("image_size", [None, 8])
def test_all_bad_images_are_named(any_folder: Path, image_size: int | None) -> None:
    bad = with_bad_images(any_folder / "images")
    message = refused(any_folder / "images", image_size=image_size)
    assert "5 of 25 files are no image" in message or image_size is None
    for path in bad if image_size else bad[:3]:
        assert f"{path}: " in message
    assert 'on_bad_image = "skip"' in message


@pytest.mark.parametrize("image_size", [None, 8])
def test_bad_images_are_left_out_and_counted_when_told_so(tmp_path: Path, image_size: int | None) -> None:
    bad = with_bad_images(tmp_path / "images")
    dataset = prepare(source(tmp_path / "images", image_size=image_size, on_bad_image="skip"), seed=1)
    assert sum(sizes(dataset)) == 20
    assert list(dataset.notes.values()) == [5]
    named = (Path(dataset.folder) / SKIPPED).read_text(encoding="utf-8").splitlines()
    assert [line.partition(": ")[0] for line in named] == sorted(str(path) for path in bad)
    assert all(line.partition(": ")[2] for line in named)
    (tmp_path / "other").mkdir()
    clean = prepare(source(pictures(tmp_path / "other")), seed=1)
    assert dataset.fingerprint == clean.fingerprint


def test_twenty_bad_images_are_shown_and_all_counted(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images")
    for number in range(30):
        (folder / "cat" / f"bad{number}.png").write_bytes(b"no image")
    message = refused(folder)
    assert message.count(": is no image") == 20
    assert "30 of 50 files" in message
    assert "and 10 more" in message


def test_only_bad_images_are_refused_also_when_they_may_be_skipped(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        (tmp_path / "images" / name / "0.png").write_bytes(b"no image")
    assert "2 of 2 files" in refused(tmp_path / "images", on_bad_image="skip")
    assert "2 of 2 files" in refused(tmp_path / "images", on_bad_image="skip", image_size=8)


def with_unreadable(folder: Path, *names: str) -> Path:
    """Write two classes of 10 images, a and b, and files that are no images in the named folders."""
    pictures(folder, classes=("a", "b"))
    for name in names:
        for number in range(5):
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name / f"bad{number}.png").write_bytes(b"no image")
    return folder


def test_a_class_of_which_no_file_can_be_read_is_named(tmp_path: Path) -> None:
    folder = with_unreadable(tmp_path / "images", "c")
    with pytest.raises(DataError, match=r"no file of 1 classes can be read: .*rare_classes = \"drop\":\n  c: 5"):
        prepare(source(folder, on_bad_image="skip"), seed=1)
    dataset = prepare(source(folder, on_bad_image="skip", rare_classes="drop"), seed=1)
    assert dataset.class_names == ("a", "b")
    assert dataset.notes["classes have no file that can be read, and were left out: c"] == 1
    with pytest.raises(DataError, match="for two classes are needed"):
        prepare(source(folder, on_bad_image="skip", rare_classes="drop", classes=["c", "a"]), seed=1)


def test_a_given_split_of_which_no_file_can_be_read_is_not_taken_from_training(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    pictures(folder / "train")
    for name in ("cat", "dog"):
        (folder / "test" / name).mkdir(parents=True)
        (folder / "test" / name / "1.png").write_bytes(b"x" * 100)
    with pytest.raises(DataError, match="no file of the given test split can be read"):
        prepare(source(folder, on_bad_image="skip"), seed=1)
