"""The models beside the chosen one: what the best score would cost, and what less cost would lose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tunefront.objectives.measures import Axis, axis_name
from tunefront.objectives.quantities import significant
from tunefront.objectives.tolerance import within
from tunefront.reports.selection.options import Option, Options
from tunefront.reports.selection.selection import Selection
from tunefront.reports.words import value_name

MOST_PICKS = 3  # with the chosen one


@dataclass(frozen=True)
class Alternative:
    """A model that may be taken in place of the chosen one.

    Attributes:
        title: What it is better at: ``"Best accuracy"``, ``"Less memory and training time"``.
        step: What it gains and costs: ``"+1.70 points for 26 % more memory"``.
        axes: The axes on which it is better.
    """

    title: str
    option: Option
    step: str
    axes: Sequence[Axis]

    def describe(self) -> str:
        """Return it in a line."""
        return f"{self.title}: {self.option.name}, {self.step}."


def find_alternatives(selection: Selection) -> list[Alternative]:
    """Return the most accurate model, unless it is the chosen one, and for each cost the best one that costs less.

    None of them is there twice: one that costs less on two axes names both.
    """
    best, options = selection.most_accurate, selection.options
    found = []
    if best.key != selection.option.key:
        costs = _changes(selection, best, [axis for axis in options.axes if axis != "accuracy"])
        name = axis_name("accuracy", options.measure("accuracy"))
        found.append(Alternative(f"Best {name}", best, f"{_step(selection, best)} for {costs}", ["accuracy"]))
    cheaper: dict[tuple[int, str], list[Axis]] = {}
    for axis, option in selection.cheaper.items():
        if option.key not in [each.option.key for each in found]:
            cheaper.setdefault(option.key, []).append(axis)
    for axes in cheaper.values():
        option = selection.cheaper[axes[0]]
        saved = " and ".join(_share_of(options, option, selection.option, axis) for axis in axes)
        price = " and ".join([_step(selection, option), *_worse(selection, option, axes)])
        names = " and ".join(value_name(options.measure(axis)) for axis in axes)
        found.append(Alternative(f"Less {names}", option, f"{saved} for {price}", axes))
    return found


def find_picks(selection: Selection) -> list[Alternative]:
    """Return the alternatives that somebody would take, at most two, none of them twice.

    A cheaper model is one if its cost falls by at least the factor by which its error and its other costs grow: half
    the memory for up to twice the mistakes. An extreme of a front, which has given up nearly everything for one cost,
    is none.
    """
    alternatives = find_alternatives(selection)
    kept = [each for each in alternatives if "accuracy" in each.axes]
    cheaper = [
        (each, max(_worth(selection, each.option, axis) for axis in each.axes))
        for each in alternatives
        if "accuracy" not in each.axes
    ]
    kept += [each for each, worth in sorted(cheaper, key=lambda pair: -pair[1]) if worth >= 0]
    return kept[: MOST_PICKS - 1]


def _worth(selection: Selection, cheaper: Option, saved_axis: Axis) -> float:
    """Return the logarithm of the factor that one cost falls by, less those that the error and other costs grow by."""
    options, least = selection.options, _least_error(selection.options)
    measure = options.measure("accuracy")
    perfect = 1.0 if measure.direction == "maximize" else 0.0
    pair = cheaper, selection.option
    error, before = (max(abs(perfect - option.value(measure.name)), least) for option in pair)
    worth = -max(math.log(error / before), 0.0)
    for axis in selection.options.axes:
        if axis != "accuracy":
            cost, of_chosen = (max(option.value(options.measure(axis).name), 1e-12) for option in pair)
            saved = math.log(of_chosen / cost)
            worth += saved if axis == saved_axis else min(saved, 0.0)
    return worth


def _least_error(options: Options) -> float:
    """Return the error below which so many images tell nothing apart: one mistake, of predicted numbers none."""
    is_share = options.measure("accuracy").unit == "fraction"
    return 1 / options.n_images if is_share and options.n_images else 1e-12


def _step(selection: Selection, other: Option) -> str:
    """Return the difference in accuracy from the chosen model to another one: ``"+1.7 points"``."""
    measure = selection.options.measure("accuracy")
    step = other.value(measure.name) - selection.option.value(measure.name)
    shown = f"{100 * step:+.2f} points"
    if measure.unit != "fraction":
        shown = f"{measure.name} {significant(step, 3, sign='+')}"
    return shown.replace("-", "\N{MINUS SIGN}")


def _worse(selection: Selection, other: Option, saved: Sequence[Axis]) -> list[str]:
    """Return the costs other than `saved` that are higher than the chosen model's, by more than the tolerance."""
    options, chosen = selection.options, selection.option
    found = []
    for axis in selection.options.axes:
        name = options.measure(axis).name
        if axis in ("accuracy", *saved) or other.value(name) <= chosen.value(name):
            continue
        if not within(chosen.value(name), other.value(name), options.objective(axis)):
            found.append(_share_of(options, other, chosen, axis))
    return found


def _changes(selection: Selection, other: Option, axes: Sequence[Axis]) -> str:
    options = selection.options
    changes = []
    for axis in axes:
        name = options.measure(axis).name
        if within(selection.option.value(name), other.value(name), options.objective(axis)):
            changes.append(f"as much {value_name(options.measure(axis))}")
        else:
            changes.append(_share_of(options, other, selection.option, axis))
    return " and ".join(changes) or "nothing"


def _share_of(options: Options, other: Option, chosen: Option, axis: Axis) -> str:
    """Return how a cost changes from the chosen model to another one: ``"26 % more training time"``."""
    measure = options.measure(axis)
    return f"{_share(other, chosen, measure.name)} {value_name(measure)}"


def _share(other: Option, chosen: Option, measure: str) -> str:
    """Return how a cost changes from the chosen model to another one: ``"26 % more"``, ``"4.1 times the"``."""
    ratio = other.value(measure) / chosen.value(measure)
    if ratio >= 1.995:  # that is written as 2
        return f"{ratio:.2g} times the"
    return f"{100 * (ratio - 1):.0f} % more" if ratio >= 1 else f"{100 * (1 - ratio):.0f} % less"
