"""The data by which the page finds the best model within a reader's limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tunefront.reports.choice.code import select_command
from tunefront.reports.choice.ranges import LimitRange
from tunefront.reports.selection.files import is_of_files
from tunefront.reports.selection.options import Option, Options, searched_values
from tunefront.reports.selection.sentences import shown_values
from tunefront.reports.verdict.verdict import ReportVerdict


def choice_data(
    options: Options, ranges: Sequence[LimitRange], verdict: ReportVerdict, *, is_deployed: bool = False
) -> dict[str, Any]:
    """Return plain data for the page's script, which chooses as :func:`tunefront.reports.selection.selection.choose`.

    ``names`` say what the ``texts`` of each candidate are of. ``columns`` are the measures, first those of the axes by
    which models are compared, accuracy first. ``noise`` has for each candidate the difference to it that may be chance:
    a number, or after a confirmation one for each other. ``is_outside`` tells which candidates break a limit of the
    study, so that ``tunefront select`` never takes them, and ``is_of_files`` which limits make it choose among files;
    none does without files. ``others`` cannot be chosen: complete trials that guess, or that a confirmation lacks.

    Args:
        is_deployed: Whether the study has files for runtimes.
    """
    axes = [options.results.measure(axis) for axis in options.axes]
    measures = [*axes, *(each.measure for each in ranges if each.measure not in axes)]
    candidates = sorted([*options.members, *options.outside], key=lambda option: option.number)
    known = {option.number for option in candidates}
    others = [trial for trial in options.results.trials if trial.state == "complete" and trial.number not in known]
    searched = [searched_values(options.results, trial) for trial in others]
    selection, members = verdict.selection, {option.number for option in options.members}
    return {
        "command": select_command(options.results.study.name),
        "chosen": selection.option.number if selection else None,
        "nearest": verdict.nearest.number if verdict.nearest else None,
        "n_axes": len(axes),
        "names": list(shown_values(options, candidates[0])) if candidates else [],
        "columns": [{"name": measure.name, "is_upper": measure.direction == "minimize"} for measure in measures],
        "ranges": [
            {
                "name": each.name,
                "column": measures.index(each.measure),
                "start": each.start,
                "is_of_files": is_deployed and is_of_files(each.name, options),
                "stops": [[stop.value, stop.text] for stop in each.stops],
            }
            for each in ranges
        ],
        "numbers": [option.number for option in candidates],
        "others": {
            "numbers": [trial.number for trial in others],
            "values": [[_known(values.get(measure.name, math.nan)) for measure in measures] for values in searched],
        },
        "is_outside": [option.number not in members for option in candidates],
        "values": [[_known(option.value(measure.name)) for measure in measures] for option in candidates],
        "texts": [_texts(options, option) for option in candidates],
        "noise": [_noise(options, option, candidates) for option in candidates],
    }


def _texts(options: Options, option: Option) -> list[str]:
    """Return a model's values as texts in which no line breaks."""
    return [value.replace(" ", "\N{NO-BREAK SPACE}") for value in shown_values(options, option).values()]


def _noise(options: Options, best: Option, candidates: Sequence[Option]) -> float | list[float | None] | None:
    if options.confirmation is None:
        return _known(options.noise_between(best, best))
    return [_known(options.noise_between(best, other)) for other in candidates]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
