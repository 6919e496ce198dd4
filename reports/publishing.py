"""A study's report from the store to files, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from reports.confirmation import Confirmation
from reports.confirmation_reading import load_confirmation
from reports.confirmation_tables import confirmation_table, confirmed_frame
from reports.front import StudyResults, load_results
from reports.kept_models import describe_without_model
from reports.notes import notes
from reports.tables import front_frame
from reports.terminal import front_table
from reports.writing import ReportFiles, write_report
from storage import Store, StudyRecord, folder_owner


@dataclass(frozen=True)
class Published:
    """A report that was written."""

    results: StudyResults
    confirmation: Confirmation | None
    files: ReportFiles

    def tables(self) -> list[RenderableType]:
        """For a terminal: the front, what to know of it, and the finalists that were trained again."""
        tables: list[RenderableType] = [front_table(self.results)]
        tables += [Text(note, style="yellow") for note in notes(self.results)]
        tables += [Text(text) for text in (describe_without_model(self.results),) if text]
        return [*tables, confirmation_table(self.confirmation)] if self.confirmation else tables

    def as_json(self) -> dict[str, Any]:
        """For programs: the same, and the paths of the files."""
        front = json.loads(front_frame(self.results).to_json(orient="records"))
        content = {
            "study": self.results.study.name,
            "front": front,
            "notes": notes(self.results),
            "files": [str(path) for path in self.files.paths],
        }
        if self.confirmation:
            content["confirmed"] = json.loads(confirmed_frame(self.confirmation).to_json(orient="records"))
        return content


def publish(store: Store, study: StudyRecord, folder: Path) -> Published:
    """Read a study and its confirmation, and write their report into `folder`, which is made if it is missing.

    Raises:
        FolderTakenError: If the folder holds another study's results.
    """
    folder_owner.claim(folder, study)
    results = load_results(store, study)
    confirmation = load_confirmation(store, results)
    return Published(results, confirmation, write_report(results, folder, confirmation))
