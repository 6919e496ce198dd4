"""The verdict of a report, made by the functions that make the words of ``tunefront select``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tunefront.objectives.measures import MEASURES, Axis
from tunefront.objectives.noise import noise
from tunefront.objectives.quantities import format_quantity
from tunefront.reports.deployment.deployed_front import DeployedFront
from tunefront.reports.selection.alternatives import find_alternatives, find_picks
from tunefront.reports.selection.limits import nearest_to, study_limits
from tunefront.reports.selection.options import Option, Options
from tunefront.reports.selection.selection import Selection, choose
from tunefront.reports.selection.sentences import (
    describe_certainty,
    describe_choice,
    describe_few,
    describe_no_choice,
    describe_why,
    show_with_interval,
)
from tunefront.storage.deployment.deployed import DeployedVariant

_PRICE = "trains the best ones again with other seeds and says which were luck"


@dataclass(frozen=True)
class PickedModel:
    """One of the models that the verdict names.

    Attributes:
        title: Why it is named: ``"Take this one"``, ``"Best accuracy"``, ``"Less memory"``.
        values: Axis -> value as text.
        searched: Axis -> the value that the search saw, where a confirmation has another one.
        step: What it gains and costs beside the first one; empty for that.
        ships: The file that ships, with its own numbers; empty if none was deployed.
    """

    title: str
    option: Option
    values: Mapping[Axis, str]
    searched: Mapping[Axis, str]
    step: str = ""
    ships: str = ""


@dataclass(frozen=True)
class ReportVerdict:
    """Which model to take, and how sure that is.

    Attributes:
        selection: The choice; None if there is nothing to choose from.
        sentence: The choice in a sentence, or why there is none.
        picks: At most three models, the chosen one first.
        others: The alternatives that are no picks, a sentence each.
        certainty: How sure the choice is, in sentences.
        nearest: If no model keeps the study's limits, the one that breaks them least.
    """

    selection: Selection | None
    sentence: str
    why: str
    picks: Sequence[PickedModel]
    others: Sequence[str]
    certainty: Sequence[str]
    nearest: Option | None = None

    @property
    def lead(self) -> str:
        """The first words of the sentence, which stand out: ``"Take trial 21"``."""
        return self.sentence.partition(":")[0] if self.selection else ""


def find_verdict(options: Options, deployed: DeployedFront | None = None) -> ReportVerdict:
    """Return the verdict on a study, as ``tunefront select`` without limits gives it."""
    selection = choose(options)
    if selection is None:
        nearest = nearest_to(study_limits(options.results), options.outside)
        return ReportVerdict(None, describe_no_choice(options, []), "", (), (), (), nearest)
    picks = [_picked(options, selection.option, "Take this one", "", deployed)]
    picked = find_picks(selection)
    picks += [_picked(options, each.option, each.title, each.step, deployed) for each in picked]
    return ReportVerdict(
        selection,
        describe_choice(selection),
        describe_why(selection),
        picks,
        [each.describe() for each in find_alternatives(selection) if each not in picked],
        [*describe_few(options), *describe_certainty(selection, _PRICE)],
    )


def _picked(options: Options, option: Option, title: str, step: str, deployed: DeployedFront | None) -> PickedModel:
    results = options.results
    values = {axis: show_with_interval(options, option, axis) for axis in options.axes}
    searched = {axis: results.show(option.trial, axis) for axis in options.axes} if option.confirmed else {}
    return PickedModel(title, option, values, searched, step, describe_shipped(deployed, option.number))


def describe_shipped(deployed: DeployedFront | None, number: int) -> str:
    """Return the file that ships of a model, with its numbers: ``"int8: accuracy 97.21 %, file 28.6 kB, image 41 µs"``.

    Empty without one.

    Of the files on offer whose accuracy cannot be told from the best one's, it is the smallest.
    """
    variant = shipped(deployed, number)
    if deployed is None or variant is None:
        return ""
    numbers = {
        "accuracy": format_quantity(variant.accuracy or math.nan, "fraction"),
        "arena" if deployed.device else "file": format_quantity(
            variant.measures.get(deployed.memory, math.nan), "bytes"
        ),
        "image": format_quantity(deployed.latency(variant), "seconds"),
    }
    return f"{variant.variant}: {', '.join(f'{name} {text}' for name, text in numbers.items() if text != '-')}"


def shipped(deployed: DeployedFront | None, number: int) -> DeployedVariant | None:
    """Return the variant of a model that ships; None if none is on offer."""
    if deployed is None:
        return None
    offered = [v for v in deployed.variants if v.trial == number and v.accuracy is not None and not deployed.why_not(v)]
    if not offered:
        return None
    best = max(variant.accuracy or 0.0 for variant in offered)
    known = noise(best, offered[0].n_images, MEASURES["accuracy"])
    within = 0.0 if math.isnan(known) else known
    alike = [variant for variant in offered if best - (variant.accuracy or 0.0) <= within]
    return min(alike, key=lambda variant: variant.measures.get(deployed.memory, math.inf))
