"""What somebody's data is, as far as a first spec needs it: found out without decoding or downloading it all."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.mistakes import nearest
from tunefront.objectives.measures import Task
from tunefront.printable import shown
from tunefront.search.data.examples import DataError, EncodedFile, Examples, SplitName
from tunefront.search.data.sources.folder import FolderSource
from tunefront.search.preparation.found_table import FirstSpecError, find_table
from tunefront.search.spec.study_spec import NAME_PATTERN

# Datasets without files of one's own: images to train on, their side, and whether they are grey.
BUNDLED = {
    "digits": (1078, 8, True),
    "mnist": (48_000, 28, True),
    "fashion_mnist": (48_000, 28, True),
    "cifar10": (40_000, 32, False),
    "cifar100": (40_000, 32, False),
}
_N_LOOKED_AT = 200  # files whose sizes are read
_COMMENTS = {
    "task": "numbers, and no classes",
    "ignore": "too many different texts, or no name that a model could take",
    "missing": "a number gets the mean of the training, a category counts as unknown",
}


@dataclass(frozen=True)
class Looked:
    """What was found out about somebody's images.

    Attributes:
        table: The lines of the ``[data]`` table.
        counts: Images of each class; empty for Keras's own datasets, which are not downloaded for this.
        n_train: Images to train on, at least one.
        side: The median of the images' smaller sides in pixels.
        is_grey: Whether all images have one channel.
        are_files: Whether they are image files, which are resized and have their channels chosen.
        n: All of them; 0 if that is not known.
        task: What they are labelled with: classes, or numbers.
        has_columns: Whether they are the rows of a table of columns, and no images.
        said: What was taken for the labels, and why, for people; empty where that needs no words.
    """

    name: str
    table: Sequence[str]
    counts: Sequence[int]
    n_train: int
    side: int
    is_grey: bool
    are_files: bool = True
    n: int = 0
    task: Task = "classification"
    has_columns: bool = False
    said: str = ""


def look(where: str, name: str = "", label_column: str = "") -> Looked:
    """Look at a folder of class folders, a CSV file of image files or of columns, or the name of a dataset.

    Args:
        name: The study's name; empty takes that of the file or folder.
        label_column: The column of a CSV file with the labels; empty guesses it.

    Raises:
        FirstSpecError: If it is none of these, has fewer than two classes, the name is none of a study, or the column
            is not there.
        DataError: If examples cannot be found there.
    """
    if name and not re.fullmatch(NAME_PATTERN, name):
        raise FirstSpecError(f'--name {shown(name)} is not possible: give up to 100 letters, digits, ".", "_" and "-"')
    path = Path(where).expanduser()
    if label_column and not path.is_file():
        raise FirstSpecError(
            f"--label-column {shown(label_column)} is of a CSV file, and {where} is none: leave it out"
        )
    if where in BUNDLED and not path.exists():
        n_train, side, is_grey = BUNDLED[where]
        return Looked(name or where, [f'source = "{where}"'], [], n_train, side, is_grey, are_files=False)
    if not path.exists():
        raise FirstSpecError(
            f"there is no file or folder {where!r} (looked for in {os.getcwd()}), and no dataset of that name. "
            f"{nearest(where, BUNDLED)}"
        )
    found = _look_at_table(path, where, label_column) if not path.is_dir() else _look_at_folder(where)
    return replace(found, name=name or _study_name(path))


def _look_at_folder(where: str) -> Looked:
    examples = FolderSource(source="folder", path=where).find()
    return _images(examples, _lines({"source": "folder", "path": where}), where)


def _look_at_table(path: Path, where: str, label_column: str) -> Looked:
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise FirstSpecError(
            f"{where} is no folder and no CSV file: name a folder with a folder of images for each class, or a CSV "
            "file with a column of image files and one of classes, or with columns of numbers and categories"
        )
    table = find_table(path, where, label_column)
    examples = table.source().find()
    if table.settings["source"] == "table":
        return replace(_images(examples, _lines(table.settings), where), said=table.said)
    counts = _counts(examples, where)
    n_train = _n_train(examples.splits, len(examples))
    return Looked(
        "", _lines(table.settings), counts, n_train, 0, is_grey=False, are_files=False, n=len(examples),
        task=table.task, has_columns=True, said=table.said,
    )  # fmt: skip


def _images(examples: Examples, table: Sequence[str], where: str) -> Looked:
    sizes, is_grey = _sizes(examples)
    side, n_train = int(np.median(sizes.min(axis=1))), _n_train(examples.splits, len(examples))
    task: Task = "classification" if examples.class_names else "regression"
    return Looked("", table, _counts(examples, where), n_train, side, is_grey, n=len(examples), task=task)


def _lines(settings: Mapping[str, Any]) -> list[str]:
    """Return the lines of a ``[data]`` table; JSON writes texts and lists of them as TOML does."""
    comments = {name: f" # {text}" for name, text in _COMMENTS.items()}
    return [
        f"{key} = {json.dumps(value, ensure_ascii=False)}{comments.get(key, '')}" for key, value in settings.items()
    ]


def _counts(examples: Examples, where: str) -> list[int]:
    """Return the examples of each class; empty where labels are numbers.

    Raises:
        FirstSpecError: If no two classes have an example for each split.
    """
    if not examples.class_names:
        return []
    counts: list[int] = np.bincount(examples.labels, minlength=len(examples.class_names)).tolist()
    if sum(count > 2 for count in counts) < 2:
        what = "rows" if examples.columns else "images"
        raise FirstSpecError(
            f"{where}: fewer than two classes have three {what} or more, and one is for training, one for validation "
            f"and one for the test: give more {what}, or name "
            f"{'another column with --label-column' if examples.columns else 'the folder above'}"
        )
    return counts


def _sizes(examples: Examples) -> tuple[NDArray[np.int64], bool]:
    """Return heights and widths of some images, shape (n, 2), and whether all of them are grey."""
    from PIL import Image, ImageOps

    sizes, modes = [], set()
    for row in np.linspace(0, len(examples) - 1, min(len(examples), _N_LOOKED_AT)).astype(int):
        content = examples.content[row]
        try:
            with Image.open(content.path if isinstance(content, EncodedFile) else content()) as image:
                turned = ImageOps.exif_transpose(image)
                sizes.append((turned.height, turned.width))
                modes.add(image.mode)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue  # `tunefront data` names files that are no images
    if not sizes:
        raise DataError(f"{examples.names[0]} and the others are no images: name a folder of image files")
    return np.array(sizes), modes <= {"L", "1", "I", "I;16", "F", "LA"}


def _n_train(splits: Sequence[SplitName] | None, n: int) -> int:
    return max(sum(split == "train" for split in splits) if splits else round(0.6 * n), 1)


def _study_name(path: Path) -> str:
    name = path.resolve().name if path.is_dir() else path.resolve().stem
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
    return kept.strip("_")[:60] or "study"
