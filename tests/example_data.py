"""Small data sets in the formats that the examples are for: folders, tables, and Keras's own files."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image


def _picture(label: int, size: tuple[int, int], generator: np.random.Generator) -> Image.Image:
    """Return an image of noise with a bright bar whose position tells the class."""
    width, height = size
    pixels = generator.integers(0, 120, (height, width, 3), dtype=np.uint8)
    pixels[:, (label * width // 8) % width :][:, : width // 8] += 120
    return Image.fromarray(pixels)


def write_folder(
    folder: Path, classes: list[str], n_each: int, size: tuple[int, int], ending: str = "jpg", seed: int = 1
) -> None:
    """Write images as ``folder/CLASS/N.jpg``."""
    generator = np.random.default_rng(seed)
    for label, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for number in range(n_each):
            _picture(label, size, generator).save(folder / name / f"{number}.{ending}")


def write_table(folder: Path, n_each: list[int], size: tuple[int, int]) -> None:
    """Write ``train.csv`` with the columns Image and Id, and the images in ``train/``."""
    generator = np.random.default_rng(1)
    (folder / "train").mkdir(parents=True)
    lines = ["Image,Id"]
    for label, n_images in enumerate(n_each):
        for number in range(n_images):
            name = f"{label:04d}{number:04d}.jpg"
            _picture(label, size, generator).save(folder / "train" / name)
            lines.append(f"{name},w_{label:07x}")
    (folder / "train.csv").write_text("\n".join(lines) + "\n")


def write_prices(path: Path, n_days: int) -> None:
    """Write a table of daily prices, a random walk, as finance sites export it."""
    generator = np.random.default_rng(1)
    closes = 100 * np.exp(np.cumsum(generator.normal(0.0005, 0.01, n_days)))
    days = np.busday_offset("2020-01-01", np.arange(n_days), roll="forward")
    opens, volumes = np.concatenate([[100.0], closes[:-1]]), generator.integers(10_000, 99_000, n_days)
    rows = [
        f"{day},{first:.2f},{max(first, last) + 0.5:.2f},{min(first, last) - 0.5:.2f},{last:.2f},{volume}"
        for day, first, last, volume in zip(days, opens, closes, volumes, strict=True)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["Date,Open,High,Low,Close,Volume", *rows]) + "\n")


def write_students(path: Path, n: int) -> None:
    """Write a table of n students: six columns of numbers and five of categories, some empty, and their result."""
    generator = np.random.default_rng(1)
    lines = ["school,sex,age,mother_job,study_time,failures,absences,grade_1,grade_2,higher,internet,result"]
    for number in range(n):
        pairs = (("GP", "MS"), ("F", "M"), ("no", "yes"), ("no", "yes"))
        school, sex, higher, internet = (generator.choice(pair) for pair in pairs)
        job = generator.choice(("teacher", "health", "at_home", ""))
        age, study_time, failures, absences = generator.integers((15, 1, 0, 0), (23, 5, 4, 30))
        grades = generator.integers(0, 21, 2)
        absent = "" if number % 11 == 0 else absences
        result = "pass" if grades.mean() + study_time - failures > 11 else "fail"
        cells = (school, sex, age, job, study_time, failures, absent, *grades, higher, internet, result)
        lines.append(",".join(map(str, cells)))
    path.write_text("\n".join(lines) + "\n")


def write_keras_files(datasets: Path) -> None:
    """Write a few hundred images each of MNIST, Fashion-MNIST and CIFAR-100 in the files that Keras stores."""
    generator = np.random.default_rng(1)
    grey = generator.integers(0, 256, (260, 28, 28), dtype=np.uint8)
    labels = (np.arange(260) % 10).astype(np.uint8)
    datasets.mkdir(parents=True)
    np.savez(datasets / "mnist.npz", x_train=grey[:200], y_train=labels[:200], x_test=grey[200:], y_test=labels[200:])
    _write_fashion(datasets / "fashion-mnist", grey, labels)
    _write_cifar100(datasets / "cifar-100-python-target_archive", generator)


def _write_fashion(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    folder.mkdir()
    for start, rows in (("train", slice(0, 200)), ("t10k", slice(200, None))):
        chosen = images[rows]
        sizes = np.array([0x803, len(chosen), 28, 28], dtype=">i4").tobytes()
        (folder / f"{start}-images-idx3-ubyte.gz").write_bytes(gzip.compress(sizes + chosen.tobytes()))
        sizes = np.array([0x801, len(chosen)], dtype=">i4").tobytes()
        (folder / f"{start}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(sizes + labels[rows].tobytes()))


def _write_cifar100(path: Path, generator: np.random.Generator) -> None:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, n_images in (("train", 400), ("test", 100)):
            fine = np.arange(n_images) % 100
            batch = {
                b"data": generator.integers(0, 256, (n_images, 3072), dtype=np.uint8),
                b"fine_labels": fine.tolist(),
                b"coarse_labels": (fine // 5).tolist(),
            }
            data = pickle.dumps(batch, protocol=3)
            info = tarfile.TarInfo(f"cifar-100-python/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
