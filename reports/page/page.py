"""The report's page: one HTML file that needs no other file and no network."""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
import plotly.graph_objects as go
from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs

from tunefront.objectives.limits import read_limits
from tunefront.objectives.measures import AXES, DEPLOYMENT_MEASURES, MEASURES, Axis, Measure
from tunefront.objectives.quantities import format_quantity
from tunefront.reports.class_answers.class_answers import FrontAnswers
from tunefront.reports.class_answers.section import class_answer_figures, class_answers_context
from tunefront.reports.confirmation.confirmation import Confirmation
from tunefront.reports.confirmation.figures import confirmation_figures
from tunefront.reports.confirmation.section import confirmation_context
from tunefront.reports.deployment.deployed_front import DeployedFront
from tunefront.reports.deployment.figures import deployed_figures
from tunefront.reports.deployment.section import deployment_context
from tunefront.reports.figures.fronts import pair_figures
from tunefront.reports.figures.learning_curves import learning_curves
from tunefront.reports.figures.loss_curves import loss_curves
from tunefront.reports.importance.importance import Importance, find_importance
from tunefront.reports.importance.section import importance_context
from tunefront.reports.kept_models import find_kept_model
from tunefront.reports.parameters import Parameters, show_value
from tunefront.reports.sentences.conditions import busyness, machines
from tunefront.reports.sentences.notes import describe_marks, notes
from tunefront.reports.sentences.state_meanings import describe_state
from tunefront.reports.sentences.stopping_cost import describe_stopping_cost
from tunefront.reports.sentences.summary import (
    describe_empty_front,
    describe_front,
    describe_progress,
    describe_search,
    describe_shared,
    describe_wanted,
    second_title,
)
from tunefront.reports.study_results import STATES, StudyResults
from tunefront.reports.tables.optimizers import describe_optimizers, optimizer_rows, show_milestone
from tunefront.storage.trials import TrialRecord

_PICKS: Mapping[Axis, str] = {"accuracy": "Best", "memory": "Least", "time": "Least"}
_EXTRA_COLUMNS = ("weight_bytes", "latency_seconds", *DEPLOYMENT_MEASURES)  # the costs of deploying a model


@dataclass(frozen=True)
class _Pick:
    """The best trial on an axis, as the page shows it."""

    title: str
    axis: Axis
    trial: TrialRecord


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
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parents[1]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page/page.html.j2").render(
        **_context(results, folder),
        **confirmation_context(confirmation, folder),
        **deployment_context(deployed, folder),
        deployed_figures=figures_json(deployed_figures(deployed)),
        **importance_context(importance or find_importance(results)),
        **class_answers_context(answers),
        answer_figures=figures_json(class_answer_figures(answers)),
        optimizers=optimizer_rows(results),
        show_milestone=show_milestone,
        figures=figures_json(
            pair_figures(results) | {"curves": learning_curves(results), "loss_curves": loss_curves(results)}
        ),
        confirmation_figures=figures_json(confirmation_figures(confirmation)) if confirmation else {},
        plotly=get_plotlyjs(),
        nonce=secrets.token_urlsafe(16),
    )


def figures_json(figures: Mapping[str, go.Figure]) -> dict[str, str]:
    """Return name -> JSON that is safe inside a script element, whatever texts it has; empty figures are left out."""
    drawn = {name: figure for name, figure in figures.items() if figure.data}
    return {name: str(figure.to_json()).replace("<", "\\u003c") for name, figure in drawn.items()}


def _context(results: StudyResults, folder: Path) -> dict[str, Any]:
    front = results.front
    parameters = Parameters.of(front)
    models = {trial.number: find_kept_model(results, trial, folder) for trial in front}
    return {
        "results": results,
        "examples": results.examples,
        "study": results.study,
        "front": front,
        "axes": AXES,
        "names": {axis: results.axis_name(axis) for axis in AXES},
        "titles": {axis: second_title(results, axis) for axis in AXES},
        "best": {pick.axis: results.value(pick.trial, pick.axis) for pick in _picks(results)},
        "picks": _picks(results),
        "extras": [measure for measure in _other_measures(results) if measure.name in _EXTRA_COLUMNS],
        "models": models,
        "positive_class": _positive_class(results.study.dataset),
        "loadable": next(
            ((t.number, models[t.number].path) for t in front if models[t.number].href and not results.is_guessing(t)),
            None,
        ),
        "notes": notes(results),
        "parameters": parameters,
        "has_limits": any(limit.has_limit for limit in read_limits(results.study.spec)),
        "all_parameters": Parameters.of(results.trials),
        "show_value": show_value,
        "format_quantity": format_quantity,
        "nan": math.nan,
        "breakable": _breakable,
        "meanings": {state: describe_state(results, state) for state in STATES},
        "repeated": [trial for trial in results.trials if trial.n_attempts > 1],
        "other_measures": _other_measures(results),
        "busyness": busyness(results),
        "machines": machines(results),
        "spec": json.dumps(results.study.spec, indent=2, ensure_ascii=False),
        "sentences": {
            "front": describe_front(results),
            "search": describe_search(results),
            "wanted": describe_wanted(results),
            "progress": describe_progress(results),
            "empty_front": describe_empty_front(results),
            "marks": describe_marks(results),
            "shared": describe_shared(parameters),
            "stopping_cost": describe_stopping_cost(results),
            "optimizers": describe_optimizers(results),
        },
        "written_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "version": version("tunefront"),
    }


def _positive_class(dataset: Mapping[str, Any]) -> str | None:
    """Return the class that binary measures look for; None without two classes, or if an old study has none."""
    names, number = dataset.get("class_names", []), dataset.get("positive_class")
    return str(names[number]) if len(names) == 2 and number is not None else None


def _picks(results: StudyResults) -> list[_Pick]:
    best = {axis: results.best(axis) for axis in results.objectives}
    return [
        _Pick(f"{_PICKS[axis]} {results.axis_name(axis)}", axis, trial)
        for axis, trial in best.items()
        if trial is not None
    ]


def _breakable(name: str) -> Markup:
    """Return a name that a narrow column may break after an underscore."""
    return Markup("_<wbr>").join(escape(part) for part in name.split("_"))


def _other_measures(results: StudyResults) -> list[Measure]:
    """Return the measures that stand on no axis and were measured nevertheless."""
    on_axes = {results.measure(axis).name for axis in AXES}
    measured = {name for trial in results.trials for name in trial.measurements}
    return [measure for name, measure in MEASURES.items() if name in measured - on_axes]
