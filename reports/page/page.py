"""The report's page: one HTML file that needs no other file and no network."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup, escape

from tunefront.objectives.limits import read_limits
from tunefront.objectives.measures import AXES, MEASURES, Measure
from tunefront.objectives.quantities import format_quantity
from tunefront.reports.choice.code import describe_use
from tunefront.reports.choice.section import choice_context
from tunefront.reports.class_answers.class_answers import FrontAnswers
from tunefront.reports.class_answers.section import class_answer_figures, class_answers_context
from tunefront.reports.confirmation.confirmation import Confirmation
from tunefront.reports.confirmation.figures import confirmation_figures
from tunefront.reports.confirmation.section import confirmation_context
from tunefront.reports.deployment.deployed_front import DeployedFront
from tunefront.reports.deployment.figures import deployed_figures
from tunefront.reports.deployment.section import deployment_context
from tunefront.reports.figures.fronts import pair_figures
from tunefront.reports.figures.hypervolume import hypervolume_figure
from tunefront.reports.figures.learning_curves import learning_curves
from tunefront.reports.figures.loss_curves import loss_curves
from tunefront.reports.figures.plotly_script import plotly_script
from tunefront.reports.figures.slot_seconds import SlotSeconds, describe_slot_seconds, slot_seconds, slot_seconds_figure
from tunefront.reports.importance.importance import Importance, find_importance
from tunefront.reports.importance.section import importance_context
from tunefront.reports.kept_models import find_candidate_model
from tunefront.reports.page.templates import page_template
from tunefront.reports.page.toml_text import toml_text
from tunefront.reports.parallel.section import parallel_context
from tunefront.reports.places import without_places
from tunefront.reports.selection.options import find_options
from tunefront.reports.sentences.attempts import describe_attempts
from tunefront.reports.sentences.conditions import busyness, machines
from tunefront.reports.sentences.features import describe_features
from tunefront.reports.sentences.notes import MARK, describe_marks, notes
from tunefront.reports.sentences.state_meanings import describe_state
from tunefront.reports.sentences.stopping_cost import describe_stopping_cost
from tunefront.reports.sentences.summary import (
    describe_empty_front,
    describe_front,
    describe_progress,
    describe_search,
    describe_wanted,
)
from tunefront.reports.study_results import STATES, StudyResults
from tunefront.reports.tables.optimizers import describe_optimizers, optimizer_rows, show_milestone
from tunefront.reports.verdict.verdict import find_verdict
from tunefront.reports.words import parameter_words, show_value, unbroken
from tunefront.storage.trials import TrialRecord

_CHOICE_FIGURES: Mapping[str, str] = {
    "confirmed-memory": "memory, confirmed",
    "confirmed-time": "time, confirmed",
    "memory-accuracy": "memory",
    "time-accuracy": "time",
    "memory-time": "memory and time",
}

_MOST_LISTED = 1000  # trials in the table of all, because a browser takes seconds for more


def render_page(
    results: StudyResults,
    folder: Path,
    confirmation: Confirmation | None = None,
    importance: Importance | None = None,
    answers: FrontAnswers | None = None,
    deployed: DeployedFront | None = None,
) -> str:
    """Return the page for a report in `folder`, with links to the models that lie below it.

    Every text that a spec, a dataset or an error message brought into the store is escaped. The page's
    policy allows only scripts with a nonce that is drawn now, so only its own run.
    """
    seconds = slot_seconds(results)
    figures = figures_json(
        pair_figures(results, confirmation)
        | {"curves": learning_curves(results), "loss_curves": loss_curves(results)}
        | {"hypervolume": hypervolume_figure(results), "slot_seconds": slot_seconds_figure(seconds)}
    )
    confirmed = figures_json(confirmation_figures(confirmation)) if confirmation else {}
    options = find_options(results, confirmation)
    verdict = find_verdict(options, deployed)
    return page_template("page/page.html.j2").render(
        **_context(results, confirmation, folder, seconds),
        **choice_context(options, verdict, folder, answers, deployed),
        verdict=verdict,
        choice_figures={name: title for name, title in _CHOICE_FIGURES.items() if name in {**figures, **confirmed}},
        run_figures=[name for name in figures if name not in _CHOICE_FIGURES],
        **confirmation_context(confirmation, folder),
        **deployment_context(deployed, folder),
        deployed_figures=figures_json(deployed_figures(deployed)),
        **importance_context(importance or find_importance(results)),
        **parallel_context(results),
        **class_answers_context(answers),
        answer_figures=figures_json(class_answer_figures(answers)),
        optimizers=optimizer_rows(results),
        show_milestone=show_milestone,
        figures=figures,
        confirmation_figures=confirmed,
        plotly=plotly_script(),
        nonce=secrets.token_urlsafe(16),
    )


def figures_json(figures: Mapping[str, go.Figure]) -> dict[str, str]:
    """Return name -> JSON that is safe inside a script element, whatever texts it has; empty figures are left out."""
    drawn = {name: figure for name, figure in figures.items() if figure.data}
    return {name: str(figure.to_json()).replace("<", "\\u003c") for name, figure in drawn.items()}


def _context(
    results: StudyResults, confirmation: Confirmation | None, folder: Path, seconds: Sequence[SlotSeconds]
) -> dict[str, Any]:
    front = results.front
    models = {trial.number: find_candidate_model(results, confirmation, trial, folder) for trial in front}
    positive_class = _positive_class(results.study.dataset)
    spec = toml_text(written_spec(results))
    return {
        "results": results,
        "examples": results.examples,
        "study": results.study,
        "front": front,
        "axes": AXES,
        "names": {axis: results.axis_name(axis) for axis in AXES},
        "places": {number: model.place for number, model in models.items() if model.place},
        "loadable": any(model.href for model in models.values()),
        "use": describe_use(results, positive_class),
        "positive_class": positive_class,
        "notes": notes(results),
        "has_limits": any(limit.has_limit for limit in read_limits(results.study.spec)),
        "all_parameters": results.parameters,
        "show_value": show_value,
        "format_quantity": format_quantity,
        "nan": math.nan,
        "breakable": _breakable,
        "parameter_words": parameter_words,
        "unbroken": unbroken,
        "without_places": without_places,
        "meanings": {state: describe_state(results, state) for state in STATES},
        "listed_trials": _listed_trials(results),
        "other_measures": _other_measures(results),
        "busyness": busyness(results),
        "machines": machines(results),
        "spec": without_places(spec),
        "is_spec_shortened": without_places(spec) != spec,
        "sentences": {
            "front": describe_front(results),
            "search": describe_search(results),
            "wanted": describe_wanted(results),
            "progress": describe_progress(results),
            "empty_front": describe_empty_front(results),
            "marks": describe_marks(results).removeprefix(f"{MARK} "),
            "unconfirmed": _describe_unconfirmed(results),
            "stopping_cost": describe_stopping_cost(results),
            "optimizers": describe_optimizers(results),
            "attempts": describe_attempts(results),
            "features": describe_features(results),
            "slot_seconds": describe_slot_seconds(seconds),
        },
        "written_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "version": version("tunefront"),
    }


def written_spec(results: StudyResults) -> Mapping[str, Any]:
    """Return the spec as it was written, with what has changed since; all that the study has if that is not known."""
    stored = results.study.spec
    if not results.written_spec:
        return stored
    changed = {"trials": stored.get("trials")}
    if results.limit_changes:
        changed |= {"objectives": stored["objectives"], "limits": stored.get("limits")}
    return {**results.written_spec, **changed}


def _describe_unconfirmed(results: StudyResults) -> str:
    """Say in a sentence that nothing was confirmed, and how it can be."""
    examples, name = results.examples, results.study.name
    if results.study.spec.get("confirms"):
        return f"The test {examples} chose nothing here."
    if not results.front_numbers:
        return f"No trial saw the test {examples}."
    if results.study.dataset.get("n_test") == 0:
        return f"The data has no test split; 'tunefront confirm {name}' trains the front again with other seeds."
    return f"No trial saw the test {examples}; 'tunefront confirm {name}' trains the front again and scores it on them."


def _listed_trials(results: StudyResults) -> list[TrialRecord]:
    """Return the trials of the page's table, by their numbers: of very many the front, and the latest of the others."""
    by_weight = sorted(results.trials, key=lambda trial: (trial.number not in results.front_numbers, -trial.number))
    return sorted(by_weight[:_MOST_LISTED], key=lambda trial: trial.number)


def _positive_class(dataset: Mapping[str, Any]) -> str | None:
    """Return the class that binary measures look for; None without two classes, or if an old study has none."""
    names, number = dataset.get("class_names", []), dataset.get("positive_class")
    return str(names[number]) if len(names) == 2 and number is not None else None


def _breakable(name: str) -> Markup:
    """Return a name that a narrow column may break after an underscore."""
    return Markup("_<wbr>").join(escape(part) for part in name.split("_"))


def _other_measures(results: StudyResults) -> list[Measure]:
    """Return the measures that stand on no axis and were measured nevertheless."""
    on_axes = {results.measure(axis).name for axis in AXES}
    measured = {name for trial in results.trials for name in trial.measurements}
    return [measure for name, measure in MEASURES.items() if name in measured - on_axes]
