"""The content of a results folder: telling the study's files from others, and removing them.

Links are not followed, because their targets were not written here.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# These patterns hold below the results folder, and below its folder `confirmation` too.
_TABLES = "front|trials|importance|epochs|classes|class_scores|confusion|confirmed|deployed"
_REPORT_FILES = rf"report\.html|replay\.html|front\.md|(?:{_TABLES})\.csv"
_TRIAL_FILES = (
    r"(?:models|retrained)/(?:trial-\d+\.(?:keras|json|predictions\.npz|worst\.png)|"
    r"\.partial-\d+\.(?:keras|predictions\.npz|worst\.png))|logs/trial-\d+\.log|"
    r"tensorboard/trial-\d+/(?:train|validation)/events\.out\.tfevents\.[^/]+|"
    r"checkpoints/(?:population-\d+/)?trial-\d+(?:-retrained)?/(?:taken/)?"
    r"(?:\d+-[0-9a-f]{64}\.npz|\.\d+\.partial|\.\d+-[0-9a-f]{64}\.npz\.\d+\.partial|stages\.json)|"
    r"spool/trial-\d+-attempt-\d+\.(?:json|model\.[a-z0-9.]+)|"
    r"deployed/(?:\.partial-)?trial-\d+\.(?:(?:float32|float16|dynamic|int8)\.tflite|onnx)|"
    r"deployed/trial-\d+\.(?:float32|float16|dynamic|int8|onnx)\.(?:json|md)"
)
_TUNEFRONT_FILES = re.compile(
    rf"(?:confirmation/)?(?:{_REPORT_FILES}|study\.json|{_TRIAL_FILES})|data/contact_sheet\.png"
)
_TUNEFRONT_FOLDERS = re.compile(
    r"(?:confirmation/)?(?:models|logs|spool|tensorboard(?:/trial-\d+(?:/(?:train|validation))?)?|"
    r"checkpoints(?:/(?:population-\d+(?:/trial-\d+)?|trial-\d+(?:-retrained|/taken)?))?)|"
    r"confirmation|data|deployed|retrained"
)


@dataclass(frozen=True)
class ResultsFolder:
    """The present content of a results folder.

    Attributes:
        files: The files that tunefront wrote.
        others: Everything else: the user's own files and folders, and links.
        n_bytes: The size of `files`.
    """

    folder: Path
    files: tuple[Path, ...]
    others: tuple[Path, ...]
    n_bytes: int

    @property
    def checkpoints(self) -> ResultsFolder:
        """The files that trainings would go on from."""
        files = tuple(path for path in self.files if "checkpoints" in path.relative_to(self.folder).parts)
        return ResultsFolder(self.folder, files, (), sum(path.lstat().st_size for path in files))

    def remove(self) -> list[str]:
        """Remove the files, and folders that are then empty; returns those that could not be removed, with reasons."""
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
                pass  # another process removed it first
            except OSError as error:
                problems.append(f"{path}: {error.strerror}")
        return problems

    def _parents(self, file: Path) -> Iterator[Path]:
        """Yield the folders that hold a file, from the innermost to the results folder itself."""
        for parent in file.parents:
            yield parent
            if parent == self.folder:
                return


def look_at_results(folder: Path) -> ResultsFolder | None:
    """Read the content of the folder; None if it does not exist, or is a link. Changes nothing."""
    if folder.is_symlink() or not folder.is_dir():
        return None
    files: list[Path] = []
    others: list[Path] = []
    n_bytes = 0
    todo = [folder]
    while todo:
        for path in sorted(todo.pop().iterdir()):
            facts, name = path.lstat(), path.relative_to(folder).as_posix()
            if stat.S_ISDIR(facts.st_mode) and _TUNEFRONT_FOLDERS.fullmatch(name):
                todo.append(path)
            elif stat.S_ISREG(facts.st_mode) and _TUNEFRONT_FILES.fullmatch(name):
                files.append(path)
                n_bytes += facts.st_size
            else:
                others.append(path)
    return ResultsFolder(folder, tuple(files), tuple(others), n_bytes)
