"""The axes of parallel coordinates: parameters that vary, then what is wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tunefront.objectives.measures import AXES
from tunefront.objectives.quantities import format_quantity
from tunefront.reports.figures.axes import has_log_scale
from tunefront.reports.parameters import Parameters
from tunefront.reports.study_results import StudyResults
from tunefront.reports.words import parameter_words, show_value, value_name
from tunefront.storage.trials import TrialRecord

N_STEPS = 20  # from the least to the most value of an axis of numbers: where an end of a range can be
NOT_THERE = "not there"
_MOST_LEVELS = 6  # of whole numbers that stand at equal distances
_LOG_FACTOR = 20  # numbers that differ by so much stand on a log scale


@dataclass(frozen=True)
class ParallelAxis:
    """An axis and where each trial stands on it.

    Attributes:
        name: In words.
        places: The place of each trial from 0 to 1.
        stops: Place and text of where a range can end, ascending.
        shown: Place and text of what stands beside the axis.
    """

    name: str
    places: Sequence[float]
    stops: Sequence[tuple[float, str]]
    shown: Sequence[tuple[float, str]]


def parallel_axes(results: StudyResults, trials: Sequence[TrialRecord]) -> list[ParallelAxis]:
    """Return an axis for each parameter that differs between the trials, and for each objective that they reached."""
    parameters = Parameters.of(trials)
    axes = [
        _parameter_axis(parameter_words(name), [parameters.value(trial, name) for trial in trials])
        for name in parameters.differing
    ]
    for axis in AXES:
        values = [results.value(trial, axis) for trial in trials]
        if axis in results.objectives and not any(map(math.isnan, values)) and len(set(values)) > 1:
            measure = results.measure(axis)
            is_log = has_log_scale(measure, values)
            axes.append(
                _number_axis(
                    value_name(measure), values, is_log, lambda value, unit=measure.unit: format_quantity(value, unit)
                )
            )
    return axes


def _parameter_axis(name: str, values: Sequence[Any]) -> ParallelAxis:
    known = [value for value in values if value is not None]
    is_number = all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)
    if is_number and len(known) == len(values):
        is_log = min(known) > 0 and max(known) >= _LOG_FACTOR * min(known)
        is_whole = all(isinstance(value, int) for value in known)
        if not is_whole or len(set(known)) > _MOST_LEVELS:
            return _number_axis(
                name, known, is_log, lambda value: show_value(round(value) if is_whole else float(value))
            )
    return _level_axis(name, values)


def _number_axis(name: str, values: Sequence[float], is_log: bool, show: Any) -> ParallelAxis:
    scale = math.log if is_log else float
    low, high = scale(min(values)), scale(max(values))
    at = [low + (high - low) * step / N_STEPS for step in range(N_STEPS + 1)]
    stops = [(step / N_STEPS, show(math.exp(value) if is_log else value)) for step, value in enumerate(at)]
    places = [(scale(value) - low) / (high - low) for value in values]
    return ParallelAxis(name, places, stops, [stops[0], stops[N_STEPS // 2], stops[-1]])


def _level_axis(name: str, values: Sequence[Any]) -> ParallelAxis:
    """Return an axis with a level for each value, in their order; what a trial lacks is the lowest one."""
    levels = sorted({value for value in values if value is not None}, key=_order)
    ordered = [*([None] if None in values else []), *levels]
    last = max(len(ordered) - 1, 1)
    stops = [(level / last, NOT_THERE if value is None else show_value(value)) for level, value in enumerate(ordered)]
    every = math.ceil(len(stops) / 12)  # more texts than that would touch
    places = [ordered.index(value) / last for value in values]
    return ParallelAxis(name, places, stops, stops[::every])


def _order(value: Any) -> tuple[bool, Any]:
    is_number = isinstance(value, int | float)
    return (not is_number, value if is_number else str(value))
