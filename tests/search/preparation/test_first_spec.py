"""First specs for somebody's images: they can be read, and say what the files are."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tunefront.mistakes import TunefrontError
from tunefront.search.preparation.first_spec import Purpose, first_spec
from tunefront.search.preparation.found_data import BUNDLED, Looked, look
from tunefront.search.spec.file import read_spec
from tunefront.search.spec.study_spec import StudySpec

WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{}_no_top.h5"  # as Keras names them


def images(folder: Path, counts: dict[str, int], size: tuple[int, int] = (60, 40), mode: str = "RGB") -> None:
    rng = np.random.default_rng(0)
    for name, n in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(n):
            pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
            Image.fromarray(pixels).convert(mode).save(folder / name / f"{number}.png")


def written(folder: Path, found: Looked, purpose: Purpose = "training", *, may_download: bool = False) -> StudySpec:
    path = folder / "study.toml"
    path.write_text(first_spec(found, purpose, may_download=may_download))
    return read_spec(path)


@pytest.fixture(autouse=True)
def _no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


def test_a_folder_of_photos(tmp_path: Path) -> None:
    images(tmp_path / "my photos", {"circle": 10, "square": 20})
    found = look(str(tmp_path / "my photos"))
    assert (found.name, found.counts, found.n_train, found.side) == ("my_photos", [10, 20], 18, 40)
    spec = written(tmp_path, found)
    data = spec.data.model_dump()
    assert (data["source"], data["path"], data["image_size"], data["channels"]) == (
        "folder",
        str(tmp_path / "my photos"),
        32,  # the largest usual size below 40
        3,
    )
    assert spec.accuracy_measure == "f1_macro"  # twice as many squares
    assert spec.space["class_weights"] == "balanced"  # type: ignore[index]
    assert spec.space["batch_size"] == [8, 16]  # type: ignore[index]
    assert "--download" in first_spec(found)
    assert "MobileNetV2" not in first_spec(found)


def test_even_classes_are_scored_by_accuracy(tmp_path: Path) -> None:
    images(tmp_path / "photos", {"circle": 10, "square": 12})
    spec = written(tmp_path, look(str(tmp_path / "photos")))
    assert spec.accuracy_measure == "accuracy"
    assert "class_weights" not in spec.space


def test_pretrained_weights_are_used_where_they_lie_or_may_be_downloaded(tmp_path: Path) -> None:
    images(tmp_path / "photos", {"circle": 5, "square": 5})
    found = look(str(tmp_path / "photos"))
    assert "MobileNetV2" in written(tmp_path, found, may_download=True).space["architecture"]  # type: ignore[index]
    (tmp_path / "keras" / "models").mkdir(parents=True)
    for other in ("1.0_96", "1.0_160", "0.35_224", "1.4_224"):  # Keras does not look at these for 32 pixels
        (tmp_path / "keras" / "models" / WEIGHTS.format(other)).touch()
    assert "MobileNetV2" not in written(tmp_path, found).space["architecture"]  # type: ignore[index]
    name = WEIGHTS.format("1.0_224")
    (tmp_path / "keras" / "models" / name).touch()
    assert "MobileNetV2" in written(tmp_path, found).space["architecture"]  # type: ignore[index]
    micro = written(tmp_path, found, "microcontroller", may_download=True)
    assert "MobileNetV2" not in micro.space["architecture"]  # type: ignore[index]


def test_weights_for_a_side_of_their_own_are_looked_for_by_it(tmp_path: Path) -> None:
    images(tmp_path / "photos", {"a": 3, "b": 3}, size=(640, 480))
    found = look(str(tmp_path / "photos"))
    (tmp_path / "keras" / "models").mkdir(parents=True)
    (tmp_path / "keras" / "models" / WEIGHTS.format("1.0_160")).touch()
    assert "MobileNetV2" in first_spec(found, "phone")  # of 160 pixels
    assert "MobileNetV2" not in first_spec(found)  # of 224


def test_grey_images_have_one_channel(tmp_path: Path) -> None:
    images(tmp_path / "scans", {"a": 4, "b": 4}, mode="L")
    found = look(str(tmp_path / "scans"))
    assert written(tmp_path, found).data.model_dump()["channels"] == 1
    assert "MobileNetV2" not in first_spec(found, may_download=True)


def test_images_that_are_turned_are_measured_as_they_are_seen(tmp_path: Path) -> None:
    (tmp_path / "photos" / "a").mkdir(parents=True)
    (tmp_path / "photos" / "b").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    for name in ("a/0", "a/1", "a/2", "b/0", "b/1", "b/2"):
        Image.new("RGB", (300, 100)).save(tmp_path / "photos" / f"{name}.jpg", exif=exif)
    (tmp_path / "photos" / "b" / "broken.jpg").write_bytes(b"no image")
    assert look(str(tmp_path / "photos")).side == 100


def test_large_photos_are_made_smaller_unless_a_pretrained_network_looks_at_them(tmp_path: Path) -> None:
    images(tmp_path / "photos", {"a": 3, "b": 3}, size=(640, 480))
    found = look(str(tmp_path / "photos"))
    spec = written(tmp_path, found)
    assert spec.data.model_dump()["image_size"] == 96
    assert spec.space["residual_cnn"] == {"filters": 16}
    assert "image_size = 96 # the files' median smaller side is 480; twice the size shows more" in first_spec(found)
    assert written(tmp_path, found, may_download=True).data.model_dump()["image_size"] == 224
    assert written(tmp_path, found, "phone", may_download=True).data.model_dump()["image_size"] == 160
    assert written(tmp_path, found, "microcontroller").data.model_dump()["image_size"] == 48


def test_a_table_of_files(tmp_path: Path) -> None:
    images(tmp_path / "files", {"all": 6})
    with (tmp_path / "labels.csv").open("w") as file:
        csv.writer(file).writerows([("file", "label"), *((f"files/all/{n}.png", "ab"[n % 2]) for n in range(6))])
    found = look(str(tmp_path / "labels.csv"), "mine")
    spec = written(tmp_path, found)
    assert (spec.name, spec.data.source, found.counts) == ("mine", "table", [3, 3])


@pytest.mark.parametrize("name", BUNDLED)
@pytest.mark.parametrize("purpose", ["training", "phone", "microcontroller"])
def test_bundled_datasets(tmp_path: Path, name: str, purpose: Purpose) -> None:
    spec = written(tmp_path, look(name), purpose)
    assert spec.data.source == name
    assert "image_size" not in spec.data.model_dump()
    if purpose == "training":
        assert [objective.measure.name for objective in spec.parsed_objectives().values()] == [
            "accuracy",
            "model_bytes",
            "train_seconds",
        ]


@pytest.mark.parametrize(
    ("n_train", "batches", "epochs"),
    [(36, [8, 16], 60), (1500, [16, 32], 32), (10_000, [32, 64], 10), (48_000, [64, 128], 8)],
)
def test_batches_and_epochs_follow_from_the_count(
    tmp_path: Path, n_train: int, batches: list[int], epochs: int
) -> None:
    # 1500 images are 94 batches of 16: 3000 batches are 31.9 epochs.
    spec = written(tmp_path, Looked("x", ['source = "digits"'], [], n_train, 8, True, are_files=False))
    assert spec.space["batch_size"] == batches  # type: ignore[index]
    assert spec.training.epochs == epochs
    assert spec.training.early_stopping is not None
    assert spec.training.early_stopping.patience == max(5, epochs // 5)


def test_paths_and_names_are_written_as_toml_has_them(tmp_path: Path) -> None:
    folder = tmp_path / 'em\U0001f600ji "odd".pics v1.2'
    images(folder, {"a": 3, "b": 4, "one": 1})
    found = look(str(folder))
    assert found.name == "em_ji__odd__pics_v1_2"
    spec = written(tmp_path, found)
    assert spec.data.model_dump()["path"] == str(folder)
    assert spec.data.rare_classes == "drop"  # of one image there is none to validate on
    assert "tunefront run 'my specs/a.toml'" in first_spec(found, path=Path("my specs/a.toml"))
    for name in ("a/b", "q\nz", 'x y"z'):
        with pytest.raises(TunefrontError, match="--name"):
            look(str(folder), name)


def test_too_few_images_for_any_study_are_refused(tmp_path: Path) -> None:
    images(tmp_path / "few", {"a": 30, "b": 1})
    images(tmp_path / "single", {"a": 30})
    for name in ("few", "single"):
        with pytest.raises(TunefrontError, match="fewer than two classes"):
            look(str(tmp_path / name))


def test_what_is_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(TunefrontError, match="no file or folder 'digit'.* Did you mean 'digits'?"):
        look("digit")
    (tmp_path / "model.keras").touch()
    with pytest.raises(TunefrontError, match="is no folder and no CSV file"):
        look(str(tmp_path / "model.keras"))
    (tmp_path / "texts" / "a").mkdir(parents=True)
    with pytest.raises(TunefrontError):
        look(str(tmp_path / "texts"))
