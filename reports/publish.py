"""Publishing a study's report: reading the store, writing the files, and summing them up."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from rich.console import RenderableType
from rich.text import Text

from tunefront.reports.class_answers.class_answers import load_front_answers
from tunefront.reports.class_answers.section import MOST_MODELS
from tunefront.reports.class_answers.sheets import describe_sheets, with_sheets
from tunefront.reports.confirmation.confirmation import Confirmation
from tunefront.reports.confirmation.results import load_confirmation
from tunefront.reports.confirmation.tables import confirmation_table, confirmed_frame
from tunefront.reports.deployment.deployed_front import DeployedFront, load_deployed_front
from tunefront.reports.deployment.tables import deployed_frame, deployed_table
from tunefront.reports.figures.plotly_script import plotly_script
from tunefront.reports.figures.style import new_figure
from tunefront.reports.kept_models import describe_without_model
from tunefront.reports.page.templates import compile_templates
from tunefront.reports.report_files import ReportFiles, write_report
from tunefront.reports.sentences.notes import notes
from tunefront.reports.study_results import StudyResults, load_results
from tunefront.reports.tables.frames import front_frame
from tunefront.reports.tables.terminal import front_table
from tunefront.storage import folder_owner
from tunefront.storage.artifacts.model_files import bring_models
from tunefront.storage.open_study import OpenStudy


@dataclass(frozen=True)
class Published:
    """A report that was written.

    Attributes:
        images: Whose worst images it shows, in a sentence; empty if none were asked for.
        problems: What could not be fetched from the study's artifacts, a line each.
    """

    results: StudyResults
    confirmation: Confirmation | None
    files: ReportFiles
    deployed: DeployedFront | None = None
    images: str = ""
    problems: Sequence[str] = ()

    def tables(self) -> list[RenderableType]:
        """Return tables for a terminal: the front, notes on it, and the finalists that were trained again."""
        front = front_table(self.results)
        if self.confirmation:  # whose numbers follow
            front = replace(front, title=f"{front.title}, as the search saw them")
        tables: list[RenderableType] = [_describe_trainings(self.results) or front]
        tables += [Text(note, style="yellow") for note in notes(self.results)]
        tables += [Text(problem, style="yellow") for problem in self.problems]
        tables += [Text(text) for text in (describe_without_model(self.results),) if text]
        if self.confirmation:
            tables.append(confirmation_table(self.confirmation))
        if self.deployed:
            tables.append(deployed_table(self.deployed, self.results.study.name))
        if self.images:
            tables.append(Text(self.images))
        return tables

    def as_json(self) -> dict[str, Any]:
        """Return the content of the tables for programs, and the paths of the files."""
        front = json.loads(front_frame(self.results).to_json(orient="records"))
        content = {
            "study": self.results.study.name,
            "front": front,
            "notes": [*notes(self.results), *self.problems],
            "files": [str(path) for path in self.files.paths],
        }
        if self.confirmation:
            content["confirmed"] = json.loads(confirmed_frame(self.confirmation).to_json(orient="records"))
        if self.deployed:
            content["deployed"] = json.loads(deployed_frame(self.deployed).to_json(orient="records"))
        return content


def _describe_trainings(results: StudyResults) -> Text | None:
    """Return where a confirmation's trainings are summed up, because they have no front of their own; None else."""
    name, search = results.study.name, results.study.spec.get("confirms")
    counted = f"{name}: {results.counts['complete']} complete"
    return Text(f"{counted}. What they mean together: tunefront report {search}") if search else None


P = ParamSpec("P")
R = TypeVar("R")


def _without_collection(function: Callable[P, R]) -> Callable[P, R]:
    """Let Python look for no garbage meanwhile: among the objects of very many trials that takes half of the time."""

    @wraps(function)
    def run(*args: P.args, **options: P.kwargs) -> R:
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            return function(*args, **options)
        finally:
            if was_enabled:
                gc.enable()

    return run


def get_ready() -> None:
    """Load what the first report of a process loads, while there is time: the last trial's end waits for none."""
    compile_templates()
    _ = plotly_script().packed
    new_figure("").add_scatter(x=[0], y=[0]).to_json()


@_without_collection
def publish(study: OpenStudy, folder: Path, *, has_images: bool = False) -> Published:
    """Read a study and its confirmation, and write their report into `folder`, which is made if missing.

    Kept models that are not on this machine are fetched into the folder from the study's artifacts, if it has any.

    Args:
        has_images: Whether the page shows the worst images of the models, which else it never does.

    Raises:
        FolderTakenError: If the folder holds another study's results.
    """
    folder_owner.claim(folder, study.record)
    problems = bring_models(study, folder)
    results = load_results(study, folder)
    confirmation = load_confirmation(study.store, results, folder)
    answers = load_front_answers(study, results, confirmation)
    if has_images and answers is not None:
        answers = with_sheets(answers)
    deployed = load_deployed_front(study)
    files = write_report(results, folder, confirmation, answers, deployed)
    images = describe_sheets(results, answers, MOST_MODELS) if has_images else ""
    return Published(results, confirmation, files, deployed, images, problems)
