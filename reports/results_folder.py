"""What a study has written into its results folder: told apart from what is not its own, and removed.

Links are not followed: what one leads to was not written here.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Below the folder, and below its folder `confirmation` too.
_REPORT = r"report\.html|replay\.html|front\.md|(?:front|trials|importance|classes|confirmed)\.csv"
_TRIALS = (
    r"models/(?:trial-\d+\.(?:keras|json)|\.partial-\d+\.keras)|logs/trial-\d+\.log|"
    r"tensorboard/trial-\d+/(?:train|validation)/events\.out\.tfevents\.[^/]+"
)
_OURS = re.compile(rf"(?:confirmation/)?(?:{_REPORT}|study\.json|{_TRIALS})|data/contact_sheet\.png")
_FOLDERS = re.compile(
    r"(?:confirmation/)?(?:models|logs|tensorboard(?:/trial-\d+(?:/(?:train|validation))?)?)|confirmation|data"
)


@dataclass(frozen=True)
class ResultsFolder:
    """A results folder as it is now.

    Attributes:
        files: Written by tunefront.
        others: What else is there: the user's own files and folders, and links.
        n_bytes: Of `files`.
    """

    folder: Path
    files: tuple[Path, ...]
    others: tuple[Path, ...]
    n_bytes: int

    def remove(self) -> list[str]:
        """Remove the files, and the folders that are empty then; tell which could not be, with the reason."""
        problems = []
        for path in self.files:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                problems.append(f"{path}: {error.strerror}")
        for path in sorted({parent for file in self.files for parent in self._parents(file)}, reverse=True):
            try:
                if not any(path.iterdir()):
                    path.rmdir()
            except FileNotFoundError:
                pass  # somebody else was faster
            except OSError as error:
                problems.append(f"{path}: {error.strerror}")
        return problems

    def _parents(self, file: Path) -> Iterator[Path]:
        """The folders that hold it, down to the results folder itself."""
        for parent in file.parents:
            yield parent
            if parent == self.folder:
                return


def look_at_results(folder: Path) -> ResultsFolder | None:
    """Look at what is in the folder; None if it is not there, or is a link. Changes nothing."""
    if folder.is_symlink() or not folder.is_dir():
        return None
    files: list[Path] = []
    others: list[Path] = []
    n_bytes = 0
    todo = [folder]
    while todo:
        for path in sorted(todo.pop().iterdir()):
            facts, name = path.lstat(), path.relative_to(folder).as_posix()
            if stat.S_ISDIR(facts.st_mode) and _FOLDERS.fullmatch(name):
                todo.append(path)
            elif stat.S_ISREG(facts.st_mode) and _OURS.fullmatch(name):
                files.append(path)
                n_bytes += facts.st_size
            else:
                others.append(path)
    return ResultsFolder(folder, tuple(files), tuple(others), n_bytes)
