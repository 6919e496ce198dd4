"""The files of a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tunefront.reports.class_answers.class_answers import FrontAnswers
from tunefront.reports.class_answers.section import answers_markdown
from tunefront.reports.class_answers.tables import class_scores_frame, confusion_frame
from tunefront.reports.confirmation.confirmation import Confirmation
from tunefront.reports.confirmation.tables import confirmation_markdown, confirmed_frame
from tunefront.reports.deployment.deployed_front import DeployedFront
from tunefront.reports.deployment.tables import deployed_frame
from tunefront.reports.importance.importance import Importance, find_importance
from tunefront.reports.importance.section import importance_frame, importance_markdown
from tunefront.reports.page.page import render_page
from tunefront.reports.study_results import StudyResults
from tunefront.reports.tables.csv_text import csv_text
from tunefront.reports.tables.epochs import epochs_frame
from tunefront.reports.tables.frames import classes_frame, front_frame, trials_frame
from tunefront.reports.tables.markdown import front_markdown
from tunefront.reports.tables.optimizers import optimizers_markdown
from tunefront.storage.files import replace_file


@dataclass(frozen=True)
class ReportFiles:
    """The paths of a report's files.

    Attributes:
        report_html: The page for people; it needs none of the other files.
        front_md: The front's table in Markdown.
        front_csv: The front with everything known of its trials.
        trials_csv: Every trial, in the columns of `front_csv`.
        importance_csv: The importance of each parameter for each objective.
        epochs_csv: Every epoch of every trial.
        classes_csv: The classes, in the order of the models' outputs; None where numbers are predicted.
        class_scores_csv: The scores of each class by each model on the front; None if no answers of theirs are known.
        confusion_csv: The images of each class that such a model takes for each class; None as `class_scores_csv` is.
        confirmed_csv: The finalists trained again; None if the search was not confirmed.
        deployed_csv: The variants of its models for runtimes; None if nothing was deployed.
    """

    report_html: Path
    front_md: Path
    front_csv: Path
    trials_csv: Path
    importance_csv: Path
    epochs_csv: Path
    classes_csv: Path | None = None
    class_scores_csv: Path | None = None
    confusion_csv: Path | None = None
    confirmed_csv: Path | None = None
    deployed_csv: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        always = (
            self.report_html,
            self.front_md,
            self.front_csv,
            self.trials_csv,
            self.importance_csv,
            self.epochs_csv,
        )
        sometimes = (self.classes_csv, self.class_scores_csv, self.confusion_csv, self.confirmed_csv, self.deployed_csv)
        return (*always, *(path for path in sometimes if path is not None))


def write_report(
    results: StudyResults,
    out_dir: Path,
    confirmation: Confirmation | None = None,
    answers: FrontAnswers | None = None,
    deployed: DeployedFront | None = None,
) -> ReportFiles:
    """Write the report into `out_dir`, which is made if it is missing.

    Each existing file is replaced at once: a reader sees the old or the new file, never a part. A report
    that fails leaves the old files.
    """
    importance = find_importance(results)
    page = render_page(results, out_dir, confirmation, importance, answers, deployed)
    texts = {name: make() for name, make in texts_beside(results, confirmation, answers, deployed, importance).items()}
    out_dir.mkdir(parents=True, exist_ok=True)
    for name, text in {"report.html": page, **texts}.items():
        replace_file(out_dir / name, text)
    paths = {name.replace(".", "_"): out_dir / name for name in texts}
    return ReportFiles(report_html=out_dir / "report.html", **paths)


def texts_beside(
    results: StudyResults,
    confirmation: Confirmation | None = None,
    answers: FrontAnswers | None = None,
    deployed: DeployedFront | None = None,
    importance: Importance | None = None,
) -> dict[str, Callable[[], str]]:
    """Return the files that lie beside the page: name -> a function that makes its text."""
    find = cache(lambda: importance or find_importance(results))  # takes long, and most of these files need none
    texts: dict[str, Callable[[], str]] = {
        "front.md": lambda: _front_md(results, confirmation, answers, find()),
        "front.csv": lambda: csv_text(front_frame(results)),
        "trials.csv": lambda: csv_text(trials_frame(results)),
        "importance.csv": lambda: csv_text(importance_frame(find())),
        "epochs.csv": lambda: csv_text(epochs_frame(results)),
    }
    if results.task == "classification":
        texts["classes.csv"] = lambda: csv_text(classes_frame(results))
    if answers:
        texts["class_scores.csv"] = lambda: csv_text(class_scores_frame(answers))
        texts["confusion.csv"] = lambda: csv_text(confusion_frame(answers))
    if confirmation:
        texts["confirmed.csv"] = lambda: csv_text(confirmed_frame(confirmation))
    if deployed:
        texts["deployed.csv"] = lambda: csv_text(deployed_frame(deployed))
    return texts


def _front_md(
    results: StudyResults, confirmation: Confirmation | None, answers: FrontAnswers | None, importance: Importance
) -> str:
    optimizers = optimizers_markdown(results)
    parts = [front_markdown(results), *([optimizers] if optimizers else []), importance_markdown(importance)]
    if confirmation:
        parts.insert(1, confirmation_markdown(confirmation))
    if answers:
        parts.append(answers_markdown(answers))
    return "\n".join(parts)
