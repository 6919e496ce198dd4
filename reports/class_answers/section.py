"""The answers by class in reports: a section of the page with its figures, and Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from markupsafe import Markup

from tunefront.objectives.quantities import format_quantity
from tunefront.reports.class_answers.calibration import Calibration, describe_calibration
from tunefront.reports.class_answers.class_answers import ClassAnswers, FrontAnswers
from tunefront.reports.class_answers.class_scores import ClassScores, ImageShare, f1_macro
from tunefront.reports.class_answers.sentences import describe_answers, describe_reliability, describe_scores
from tunefront.reports.figures.class_curves import NamedCurve, precision_recall_figure, roc_figure
from tunefront.reports.figures.confusion_matrix import MOST_CLASSES, confusion_matrix
from tunefront.reports.figures.reliability import reliability_figure
from tunefront.reports.tables.markdown import escape, markdown_table

TITLE = "What the kept models get wrong"
MOST_MODELS = 10  # that are drawn
_MOST_PAIRS = 10
_WIDE = 10  # with more classes the confusion matrix takes a row of its own


def class_answers_context(answers: FrontAnswers | None) -> dict[str, Any]:
    """Return the variables of ``section.html.j2``; only a few if there is nothing to show."""
    if answers is None:
        return {"answers": None, "answers_title": TITLE}
    n_classes = len(answers.class_names)
    return {
        "answers": answers,
        "answers_title": TITLE,
        "answers_notes": describe_answers(answers, MOST_MODELS),
        "answers_method": describe_scores(answers),
        "answer_titles": _titles(answers),
        "answer_models": answers.models[:MOST_MODELS],
        "answer_cells": {model.number: _cells(answers, model) for model in answers.models[:MOST_MODELS]},
        "answer_pairs": {model.number: model.mistakes[:_MOST_PAIRS] for model in answers.models[:MOST_MODELS]},
        "answer_calibrations": {
            model.number: describe_calibration(model.calibration, model.n, answers.examples)
            for model in answers.models[:MOST_MODELS]
        },
        "answer_reliability": describe_reliability(answers)
        if any(model.calibration for model in answers.models[:MOST_MODELS])
        else "",
        "answer_classes": {model.number: _shown_classes(model) for model in answers.models[:MOST_MODELS]},
        "most_classes": MOST_CLASSES,
        "is_wide": n_classes > _WIDE,
        "matrix_size": (170 + 13 * n_classes, max(440, 190 + (20 if n_classes <= 20 else 12) * n_classes)),
        "share_cell": share_cell,
        "show_area": _show_area,
    }


def class_answer_figures(answers: FrontAnswers | None) -> dict[str, go.Figure]:
    """Return the figures by name: ``confusion-N`` and ``reliability-N`` of trial N, and the curves.

    Those are ``roc`` of two classes, else ``roc-N``, and so on.
    """
    if answers is None:
        return {}
    models, names = answers.models[:MOST_MODELS], answers.class_names
    figures = {
        f"confusion-{model.number}": confusion_matrix(
            model.matrix, names, f"Trial {model.number}: confusion matrix", answers.examples
        )
        for model in models
    }
    figures |= {
        f"reliability-{model.number}": reliability_figure(
            reliability_points(model.calibration), f"Trial {model.number}: reliability"
        )
        for model in models
        if model.calibration
    }
    if answers.positive is not None:
        curves = [NamedCurve(f"trial {model.number}", curve) for model in models for curve in model.curves.values()]
        return figures | _curve_figures(curves, "", "")
    for model in models:
        curves = [NamedCurve(names[number], curve) for number, curve in model.curves.items()]
        figures |= _curve_figures(curves, f"-{model.number}", f"Trial {model.number}: ")
    return figures


def answers_markdown(answers: FrontAnswers) -> str:
    """Return the section of front.md: a row for each model."""
    rows = [
        [str(model.number), *(_as_text(value) for value in _cells(answers, model))]
        for model in answers.models[:MOST_MODELS]
    ]
    titles = ["trial", *_titles(answers)]
    table = markdown_table(titles, rows, n_numbers=len(titles) if answers.positive is not None else 4)
    texts = [*describe_answers(answers, MOST_MODELS), describe_scores(answers)]
    texts += [
        f"Trial {model.number}: {describe_calibration(model.calibration, model.n, answers.examples)}"
        for model in answers.models[:MOST_MODELS]
    ]
    return "\n\n".join([f"## {TITLE}", table, *map(escape, texts)]) + "\n"


def reliability_points(calibration: Calibration) -> list[tuple[float, float, float, float, int]]:
    """Return the points of a reliability diagram: confidence, share of right answers with its interval, answers."""
    return [(each.confidence, each.right.fraction, *each.right.interval, each.right.n) for each in calibration.bins]


def share_cell(share: ImageShare) -> Markup:
    """Return a cell with a share, its interval, and the images."""
    if not share.n:
        return Markup('<td class="number" data-value="">-<small>none</small></td>')
    low, high = (100 * end for end in share.interval)
    return Markup('<td class="number" data-value="{}">{}<small>{:.1f} to {:.1f}<br>{} of {}</small></td>').format(
        share.fraction, format_quantity(share.fraction, "fraction"), low, high, share.n_hits, share.n
    )


def _curve_figures(curves: Sequence[NamedCurve], ending: str, prefix: str) -> dict[str, go.Figure]:
    return {
        f"roc{ending}": roc_figure(curves, f"{prefix}ROC"),
        f"precision_recall{ending}": precision_recall_figure(curves, f"{prefix}PR curve"),
    }


def _titles(answers: FrontAnswers) -> list[str]:
    """Return the titles of :func:`_cells`."""
    if answers.positive is not None:
        return ["right", "recall (sensitivity)", "specificity", "precision (PPV)", "NPV", "F1", "AUC", "AP"]
    return ["right", "F1, mean of classes", "AUC, mean of classes", "found least", "most frequent mistake"]


def _cells(answers: FrontAnswers, model: ClassAnswers) -> list[ImageShare | str]:
    """Return a model's row: with two classes the scores of the positive one, else what sums up all classes."""
    right = ImageShare(int(np.trace(model.matrix)), int(model.matrix.sum()))
    scores, names = model.scores, answers.class_names
    if answers.positive is not None:
        own, curve = scores[answers.positive], model.curves.get(answers.positive)
        areas = [_show_area(curve.auc), _show_area(curve.average_precision)] if curve else ["-", "-"]
        return [right, own.recall, own.specificity, own.precision, own.npv, format_quantity(own.f1, "fraction"), *areas]
    there = [number for number in range(len(names)) if scores[number].recall.n]
    least = min(there, key=lambda number: scores[number].recall.fraction)
    auc = float(np.mean([curve.auc for curve in model.curves.values()])) if model.curves else None
    return [
        right,
        format_quantity(f1_macro(scores), "fraction"),
        "-" if auc is None else _show_area(auc),
        f"{names[least]}: {scores[least].recall.n_hits} of {scores[least].recall.n}" if model.mistakes else "all found",
        "none" if not model.mistakes else _describe_pair(answers, model),
    ]


def _describe_pair(answers: FrontAnswers, model: ClassAnswers) -> str:
    true, chosen, n = model.mistakes[0]
    n_class = model.scores[true].recall.n
    return f"{answers.class_names[true]} taken for {answers.class_names[chosen]}: {n} of {n_class}"


def _shown_classes(model: ClassAnswers) -> list[tuple[int, ClassScores]]:
    """Return class and scores in the order of classes; of very many classes those with the lowest F1, lowest first."""
    found = list(enumerate(model.scores))
    if len(found) <= MOST_CLASSES:
        return found
    named = [(number, scores) for number, scores in found if scores.recall.n or scores.precision.n]
    return sorted(named, key=lambda each: (each[1].f1, each[0]))[:MOST_CLASSES]


def _show_area(area: float) -> str:
    return f"{area:.4f}"


def _as_text(value: ImageShare | str) -> str:
    if isinstance(value, str):
        return value
    return f"{format_quantity(value.fraction, 'fraction')} ({value.n_hits} of {value.n})"
