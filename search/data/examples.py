"""The labelled examples that a source found, not decoded yet, and their splits if they are given."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tunefront.mistakes import TunefrontError
from tunefront.printable import shortened
from tunefront.search.system.regular_files import open_file
from tunefront.spaces.columns.column import Column

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
SPLIT_WORDS: dict[str, SplitName] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
_SET = re.compile(r"[ _-]?set$")  # as in test_set, TestSet

Stamp = tuple[str, int, int, int]  # path or place, size in bytes, mtime and ctime in nanoseconds
Progress = Callable[[str, int, int], None]  # called with what is being done, how many are done, and of how many

_MAX_FILE_BYTES = 2**30  # larger than any image: a film or an archive among the images must not fill the memory


class DataError(TunefrontError):
    """Data that cannot be used; the message names file, key, value and remedy."""


@dataclass(frozen=True)
class EncodedFile:
    """An image file; calling it reads its bytes."""

    path: str

    def __call__(self) -> bytes:
        facts = os.stat(self.path)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError("not a file")
        if facts.st_size > _MAX_FILE_BYTES:
            raise OSError(f"{facts.st_size} bytes are too many for an image")
        return Path(self.path).read_bytes()

    def stamp(self) -> Stamp:
        """Return the file's stamp, which is cheap to read and changes with the content."""
        facts = os.stat(self.path)
        return os.path.abspath(self.path), facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


@dataclass(frozen=True)
class Examples:
    """The labelled examples of a source, n of them.

    Attributes:
        names: The name of each example in messages: a path, or ``x_train[17]``.
        labels: Shape (n,), indices into `class_names` as int64, or numbers to predict as float32.
        class_names: The names of the classes; empty with numbers to predict.
        content: Either all values at once, of shape (n, ...): pixels from 0 to 255 as uint8, or any
            numbers as float32; or one function for each example that returns its encoded image file
            as bytes, or raises OSError. The functions can be pickled, because decoding runs in several processes.
            One with a method ``stamp() -> Stamp``, as :class:`EncodedFile` has, is read again only when
            its stamp has changed; one without it is read at every start.
        splits: The split that each example was given in, or None where tunefront splits. Where the
            source gives a test split alone, the others are ``"train"`` and validation is taken from them.
        notes: Texts on what was noticed while finding them, with a number.
        groups: The group of each example, such as its patient, which stays in one split; None without groups.
        columns: The columns of `content`, of shape (n, columns), where these are those of a table, with every category
            that occurs: all columns of numbers, then those of categories. Empty for other values.
    """

    names: Sequence[str]
    labels: NDArray[Any]
    class_names: Sequence[str]
    content: NDArray[Any] | Sequence[Callable[[], bytes]]
    splits: Sequence[SplitName] | None = None
    groups: Sequence[str] | None = None
    columns: Sequence[Column] = ()
    notes: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.int64]) -> Examples:
        """Return the examples of `rows` in that order; the classes stay as they are."""
        content = self.content
        return replace(
            self,
            names=[self.names[row] for row in rows],
            labels=self.labels[rows],
            content=content[rows] if isinstance(content, np.ndarray) else [content[row] for row in rows],
            splits=None if self.splits is None else [self.splits[row] for row in rows],
            groups=None if self.groups is None else [self.groups[row] for row in rows],
        )


def split_named(name: str) -> SplitName | None:
    """Return the split that a word such as ``Training``, ``val`` or ``test_set`` stands for; None for any other."""
    return SPLIT_WORDS.get(_SET.sub("", name.strip().lower()))


def readable(path: str) -> str:
    """Return a path as text that can be printed and stored, whatever bytes it contains."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def read_error(path: Path, error: OSError, key: str = "data.path") -> DataError:
    """Return the error for a file that cannot be read: it is missing, no regular file, or cannot be opened."""
    name = readable(str(path))
    if isinstance(error, FileNotFoundError):
        return DataError(f"{key}: there is no file {name!r} (looked for in {os.getcwd()}): correct the path")
    return DataError(f"{key}: {name} cannot be read: {error.strerror or error}")


def check_file(path: Path, key: str = "data.path") -> None:
    """Check that a file can be opened.

    Raises:
        DataError: If it is missing, no file, or not to be opened.
    """
    try:
        open_file(path).close()
    except OSError as error:
        raise read_error(path, error, key) from None


def reading_problem(error: BaseException) -> str:
    """Return an error's first line, without NumPy's advice to trust a file and let it run its code."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return "it holds pickled objects, which are refused" if "allow_pickle" in text else shortened(text, 300)


def some_of(lines: Sequence[str], at_most: int = 20) -> str:
    """Return the first lines, indented, and the number of further ones."""
    shown = [f"  {line}" for line in lines[:at_most]]
    return "\n".join([*shown, f"  and {len(lines) - at_most} more"] if len(lines) > at_most else shown)
