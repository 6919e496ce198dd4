"""The errors of a model as tables and sentences for a terminal, and as JSON data."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tunefront.objectives.quantities import format_quantity
from tunefront.reports.class_answers.calibration import Calibration, describe_calibration
from tunefront.reports.class_answers.class_answers import ClassAnswers, FrontAnswers
from tunefront.reports.class_answers.class_scores import ClassScores, ImageShare
from tunefront.reports.errors.model_errors import ModelErrors
from tunefront.reports.errors.residuals import describe_residuals

_MOST_CLASSES = 12  # of a confusion matrix that fits a terminal
_MOST_LETTERS = 60  # of all its class names together, which stand in one line
_MOST_ROWS = 20
_MOST_WORST = 12


def errors_shown(errors: ModelErrors) -> list[RenderableType]:
    """Return tables and sentences for a terminal."""
    shown: list[RenderableType] = [Text(describe_model(errors), style="bold")]
    if errors.by_class is not None:
        model = errors.by_class.models[0]
        shown += [_confusion(errors.by_class, model), _scores(errors.by_class, model)]
        shown.append(Text(describe_calibration(model.calibration, model.n, errors.results.examples)))
        if model.calibration is not None:
            shown.append(_reliability(model.calibration, errors.results.examples))
    if errors.residuals is not None:
        shown += [Text(line) for line in describe_residuals(errors.residuals, errors.results.examples)]
    if errors.worst:
        shown.append(_worst(errors))
    elif not errors.without_worst:
        shown.append(Text(f"All {errors.results.examples} are right."))
    if errors.without_worst:
        shown.append(Text(errors.without_worst))
    return shown


def describe_model(errors: ModelErrors) -> str:
    """Return which model this is, and what it answered to."""
    examples = errors.results.examples
    which = f"{errors.results.study.name}, trial {errors.number}"
    if errors.trained_in != errors.results.study.name:
        which += f", trained again as trial {errors.trained.number} of {errors.trained_in}"
    chose = "chose nothing" if errors.split == "test" else "chose its epoch and its place on the front"
    if errors.by_class is not None:
        model = errors.by_class.models[0]
        right = ImageShare(int(model.matrix.trace()), model.n)
        low, high = (100 * end for end in right.interval)
        score = f"{right.n_hits} of {right.n} {errors.split} {examples} are right: {_percent(right)}"
        return f"{which}: {score} ({low:.1f} to {high:.1f}). These {examples} {chose}."
    n = errors.residuals.n if errors.residuals is not None else 0
    return f"{which}: its errors on {n} {errors.split} {examples}, which {chose}."


def errors_json(errors: ModelErrors) -> dict[str, Any]:
    """Return the same for programs; what is not defined is None."""
    content: dict[str, Any] = {
        "study": errors.results.study.name,
        "trial": errors.number,
        "trained_in": errors.trained_in,
        "training": errors.trained.number,
        "split": errors.split,
        "model": errors.trained.model_path or None,
    }
    if errors.by_class is not None:
        model = errors.by_class.models[0]
        content |= {
            "n": model.n,
            "right": int(model.matrix.trace()),
            "class_names": list(errors.by_class.class_names),
            "confusion": model.matrix.tolist(),
            "class_scores": [
                {
                    "class": name,
                    "n": scores.recall.n,
                    "recall": _known(scores.recall.fraction),
                    "precision": _known(scores.precision.fraction),
                    "f1": _known(scores.f1),
                }
                for name, scores in zip(errors.by_class.class_names, model.scores, strict=True)
            ],
            "calibration": _calibration_json(model.calibration),
        }
    if errors.residuals is not None:
        content["residuals"] = {name: _known(value) for name, value in asdict(errors.residuals).items()}
    return content | {
        "worst": [asdict(example) for example in errors.worst],
        "without_worst": errors.without_worst,
        "sheet": str(errors.sheet) if errors.sheet else None,
        "predictions": str(errors.predictions) if errors.predictions else None,
    }


def _calibration_json(calibration: Calibration | None) -> dict[str, Any] | None:
    if calibration is None:
        return None
    return {
        "error": calibration.error,
        "error_by_chance": calibration.error_by_chance,
        "confidence": calibration.confidence,
        "right": calibration.right.fraction,
        "leaning": calibration.leaning,
        "bins": [
            {"n": each.right.n, "right": each.right.n_hits, "confidence": each.confidence} for each in calibration.bins
        ],
    }


def _confusion(answers: FrontAnswers, model: ClassAnswers) -> Group:
    """Return the confusion matrix; of many classes the most frequent mistakes."""
    names = answers.class_names
    if len(names) > _MOST_CLASSES or sum(map(len, names)) > _MOST_LETTERS:
        mistakes = model.mistakes
        more = f", the first {_MOST_ROWS} of {len(mistakes)} kinds" if len(mistakes) > _MOST_ROWS else ""
        table = _table("class", "taken for", answers.examples, "of")
        for true, chosen, n in mistakes[:_MOST_ROWS]:
            table.add_row(Text(names[true]), Text(names[chosen]), Text(str(n)), Text(str(model.matrix[true].sum())))
        return _titled(f"most frequent mistakes{more}", table)
    table = _table("class", *names)
    for true, name in enumerate(names):
        cells = [
            Text(str(n) if n else "·", style="bold" if true == chosen else "red" if n else "dim")
            for chosen, n in enumerate(model.matrix[true].tolist())
        ]
        table.add_row(Text(name), *cells)
    return _titled("classes, and what they were taken for", table)


def _scores(answers: FrontAnswers, model: ClassAnswers) -> Group:
    """Return precision and recall of each class, with intervals; of many classes those with the lowest F1."""
    found: list[tuple[int, ClassScores]] = list(enumerate(model.scores))
    title = "each class against the rest, with 95 % intervals"
    if len(found) > _MOST_ROWS:
        occurring = [(number, scores) for number, scores in found if scores.recall.n or scores.precision.n]
        found = sorted(occurring, key=lambda each: (each[1].f1, each[0]))[:_MOST_ROWS]
        title = f"the {len(found)} classes with the lowest F1, of {len(model.scores)}, with 95 % intervals"
    table = _table("class", answers.examples, "recall", "precision", "F1")
    for number, scores in found:
        table.add_row(
            Text(answers.class_names[number]),
            Text(str(scores.recall.n)),
            Text(_share(scores.recall)),
            Text(_share(scores.precision)),
            Text(format_quantity(scores.f1, "fraction")),
        )
    return _titled(title, table)


def _reliability(calibration: Calibration, examples: str) -> Group:
    table = _table(examples, "it is sure by", "right")
    for each in calibration.bins:
        confidence = format_quantity(each.confidence, "fraction")
        table.add_row(Text(str(each.right.n)), Text(confidence), Text(_share(each.right)))
    return _titled("reliability, in groups of about equal number", table)


def _worst(errors: ModelErrors) -> Group:
    examples = errors.results.examples
    are_classes = errors.by_class is not None
    titles = ("class", "taken for", "with") if are_classes else ("right", "predicted", "off by")
    table = _table(examples.removesuffix("s"), *titles)
    for example in errors.worst[:_MOST_WORST]:
        if isinstance(example.right, str) or isinstance(example.answer, str):
            probability = "" if example.probability is None else f"{100 * example.probability:.1f} %"
            cells = (str(example.right), str(example.answer), probability)
        else:
            cells = (f"{example.right:.4g}", f"{example.answer:.4g}", f"{example.answer - example.right:+.3g}")
        table.add_row(Text(example.name), *(Text(cell) for cell in cells))
    return _titled(f"the worst {examples}", table)


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(Text(first), overflow="fold")
    for name in others:
        table.add_column(Text(name), justify="right", overflow="fold")
    return table


def _titled(title: str, table: Table) -> Group:
    """Return a table below its title, which as rich's own title would be wrapped at the width of the table."""
    return Group(Text(title, style="italic"), table)


def _share(share: ImageShare) -> str:
    if not share.n:
        return "-"
    low, high = (100 * end for end in share.interval)
    return f"{_percent(share)} ({low:.0f} to {high:.0f})"


def _percent(share: ImageShare) -> str:
    return format_quantity(share.fraction, "fraction")


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
