"""The pictures of the worst images in reports: only where they were asked for, because people mail reports."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

from tunefront.reports.class_answers.class_answers import FrontAnswers
from tunefront.reports.study_results import StudyResults
from tunefront.storage.files import WORST

_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_BYTES = 5_000_000  # more than a sheet ever has


def with_sheets(answers: FrontAnswers) -> FrontAnswers:
    """Return the answers with the pictures of those models whose files are on this machine."""
    models = [replace(model, sheet=_read(model.trained.model_path)) for model in answers.models]
    return replace(answers, models=models, shows_images=answers.examples == "images")


def describe_sheets(results: StudyResults, answers: FrontAnswers | None, most_models: int) -> str:
    """Return a sentence on which models' worst images are in a report that was to have them.

    Args:
        most_models: The number of models that a report shows.
    """
    shown = [model for model in answers.models[:most_models] if model.sheet] if answers else []
    none = "No image is in the report"
    if results.study.dataset.get("columns"):
        return f"{none}: the study is about rows of a table."
    if results.task == "regression":
        return f"{none}: it has those that are taken for a wrong class, and these models predict numbers. " + (
            f"The pictures lie beside the models: trial-N{WORST}"
        )
    if not shown:
        return f"{none}: no model of the front has a picture of its worst images on this machine."
    numbers = ", ".join(str(model.number) for model in shown)
    return f"The report has the worst images of trial{'s' if len(shown) > 1 else ''} {numbers}: it shows your data."


def _read(model_path: str) -> str:
    """Return the picture beside a model as an address that holds it; empty if there is none, or it is no PNG."""
    path = Path(model_path).with_suffix(WORST) if model_path else None
    if path is None or path.is_symlink() or not path.is_file() or path.stat().st_size > _MOST_BYTES:
        return ""
    content = path.read_bytes()
    return f"data:image/png;base64,{base64.b64encode(content).decode()}" if content.startswith(_PNG) else ""
