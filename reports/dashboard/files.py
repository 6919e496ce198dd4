"""The files of a study that its page leads to: tables made now, and models and logs from its results folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tunefront.reports.dashboard.readings import Reading
from tunefront.reports.report_files import texts_beside

_FOLDERS = ("models", "deployed", "logs", "confirmation")  # of a results folder; nothing else of it is served
_TYPES = {".csv": "text/csv", ".md": "text/markdown", ".json": "application/json", ".log": "text/plain"}
_POLICY = "default-src 'none'; sandbox"  # nothing in a file runs, whatever a browser takes it for


@dataclass(frozen=True)
class ServedFile:
    """A file as it is sent."""

    name: str
    content: bytes

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Headers by which a browser shows texts and saves all else, and runs nothing."""
        kind = _TYPES.get(Path(self.name).suffix, "")
        headers = [("Content-Security-Policy", _POLICY)]
        headers += [("Content-Type", f"{kind}; charset=utf-8" if kind else "application/octet-stream")]
        return headers if kind else [*headers, ("Content-Disposition", "attachment")]


def served_file(reading: Reading, name: str) -> ServedFile | None:
    """Return a file that lies beside the study's page, by its path from there; None if there is none to be had.

    Files of the results folder are sent only if they lie in it: a link that leads out of it is not followed.
    """
    texts = texts_beside(reading.results, reading.confirmation, reading.answers, reading.deployed)
    if name in texts:
        return ServedFile(name, texts[name]().encode())
    folder, parts = reading.folder, Path(name).parts
    if folder is None or "\0" in name or not parts or parts[0] not in _FOLDERS or ".." in parts:
        return None
    path = (folder / name).resolve()
    if not path.is_relative_to(folder / parts[0]) or not path.is_file():
        return None
    return ServedFile(path.name, path.read_bytes())
