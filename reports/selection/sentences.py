"""A choice in sentences: which model, why, what the next best would cost or gain, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tunefront.objectives.measures import DEPLOYMENT_MEASURES, Axis, axis_name
from tunefront.objectives.noise import noise
from tunefront.objectives.quantities import format_quantity, significant
from tunefront.reports.confirmation.sentences import show_estimate
from tunefront.reports.confirmation.statistics import ENOUGH_SEEDS
from tunefront.reports.deployment.deployed_front import MEASURED
from tunefront.reports.selection.alternatives import find_alternatives
from tunefront.reports.selection.limits import Limit, describe_what_to_loosen, nearest_to, study_limits
from tunefront.reports.selection.options import Option, Options
from tunefront.reports.selection.quantities import FILE_BYTES
from tunefront.reports.selection.selection import FEW_IMAGES, Selection
from tunefront.reports.sentences.conditions import describe_shared_gpus
from tunefront.reports.study_results import StudyResults
from tunefront.reports.words import value_name


def explain(selection: Selection) -> list[str]:
    """Return the whole choice in lines, but for how sure it is; that there are too few images is the first."""
    few = describe_few(selection.options)
    return [*few, describe_choice(selection), describe_why(selection), *describe_alternatives(selection)]


def describe_few(options: Options) -> list[str]:
    """Say that there are too few images to tell models apart, if so."""
    if not 0 < options.n_images < FEW_IMAGES:
        return []
    few = f"{options.n_images} {options.results.examples}"
    return [f"{few} are too few to tell models apart: take the choice as a first guess."]


def describe_choice(selection: Selection) -> str:
    """Return the choice in a line: ``"Take trial 21: accuracy 97.21 ± 0.9 %, training time 0.2 s."``."""
    values = ", ".join(f"{name} {value}" for name, value in shown_values(selection.options, selection.option).items())
    return f"Take {selection.option.name}: {values}."


def shown_values(options: Options, option: Option) -> dict[str, str]:
    """Return a model's value on each axis that counts as text, by what it is of in words."""
    return {value_name(options.measure(axis)): show_with_interval(options, option, axis) for axis in options.axes}


def show_with_interval(options: Options, option: Option, axis: Axis) -> str:
    """Return a model's value on an axis as text, accuracy with half of its 95 % interval where that is known.

    After a confirmation it is that of its seeds and images, see :mod:`tunefront.reports.confirmation`; else that of so
    many images, two standard errors.
    """
    measure = options.measure(axis)
    value = option.value(measure.name)
    if axis != "accuracy":
        return format_quantity(value, measure.unit)
    if option.confirmed is not None and option.file is None:
        return show_estimate(option.confirmed.estimates[axis], measure.unit)
    half = noise(value, options.n_images, measure)
    if math.isnan(half):
        return format_quantity(value, measure.unit)
    if measure.unit == "fraction":
        return f"{100 * value:.2f} ± {100 * half:.2g} %"
    return f"{format_quantity(value, measure.unit)} ± {significant(half, 2)}"


def describe_why(selection: Selection) -> str:
    """Say in a sentence by which rule the model was chosen."""
    options, best, name = selection.options, selection.most_accurate, _quality(selection.options)
    if selection.preference == "knee":
        return f"It is where another step of {name} begins to cost more than those before."
    if selection.preference in ("accuracy", "quality"):
        return f"It has the best {name}."
    if len(options.members) == 1:
        return "There is no other to choose from."
    if len(selection.alike) == 1:
        return f"It has the best {name}{_describe_runner_up(selection)}."
    reasons = {"memory": "needs the least memory", "time": "takes the least time"}
    reason = reasons.get(selection.preference, "is the cheapest")
    return (
        f"It {reason} of {len(selection.alike)} {_kind(options)}s whose {name} cannot be told from "
        f"the best one's: {best.name} has {_value(options, best, 'accuracy')}, and a difference up to "
        f"{_show_noise(options, selection.noise)} may be chance."
    )


def _describe_runner_up(selection: Selection) -> str:
    """Say how far the next best model is behind, and how much of that may be chance, as the end of a sentence."""
    options, best, other = selection.options, selection.most_accurate, selection.runner_up
    if other is None:
        return ", and no other costs less" if selection.n_beaten_alike else ": no other keeps the limits"
    measure = options.measure("accuracy")
    behind = abs(other.value(measure.name) - best.value(measure.name))
    shown = f"{100 * behind:.2f} points" if measure.unit == "fraction" else format_quantity(behind, measure.unit)
    which = "the next that costs less" if selection.n_beaten_alike else "the next"
    line = f": {which}, {other.name}, has {shown} {'less' if measure.direction == 'maximize' else 'more'}"
    noise_between = options.noise_between(best, other)
    return (
        line if math.isnan(noise_between) else f"{line}, and up to {_show_noise(options, noise_between)} may be chance"
    )


def describe_alternatives(selection: Selection) -> list[str]:
    """Say for each side what the next best model would gain and cost."""
    return [alternative.describe() for alternative in find_alternatives(selection)]


def describe_certainty(selection: Selection, price: str) -> list[str]:
    """Say how sure the choice is: where its numbers come from, and what would make it surer.

    Args:
        price: What a confirmation would train, as the end of a sentence.
    """
    options, confirmed = selection.options, selection.option.confirmed
    lines = _describe_file(selection)
    if confirmed is None and not options.has_files and "time" in options.axes:
        lines += filter(None, [describe_shared_gpus(options.results)])
    if confirmed is None or options.confirmation is None:
        name, spec = options.results.study.name, options.results.study.spec
        if spec.get("confirms"):
            lines.append(f"It is a single training. What several mean together is told of {spec['confirms']}.")
            return lines
        lines.append(
            f"{_describe_seen_once(options)} 'tunefront confirm {name}' {price}"
            + (f", and 'tunefront deploy {name}' then makes their files." if options.has_files else ".")
        )
        return lines
    if options.has_files:
        return lines
    n_seeds = len(confirmed.trainings)
    trained = f"Its numbers are means of {n_seeds} training{'s' if n_seeds > 1 else ''}"
    if options.confirmation.has_test:
        lines.append(
            f"{trained} with other seeds, scored on the test {options.results.examples}; ± is how far other seeds and "
            f"{options.results.examples} would move such a mean, in 95 of 100 cases. The choice was made by these same "
            f"numbers, so its {_quality(options)} is a little too good."
        )
    else:
        lines.append(f"{trained} on the validation {options.results.examples}, by which the search chose too.")
    if n_seeds < ENOUGH_SEEDS:
        lines.append(f"Fewer than {ENOUGH_SEEDS} trainings may agree by chance.")
    return lines


def _describe_seen_once(options: Options) -> str:
    """Say what the numbers of a search are, and why they are a little too good."""
    if options.has_files:
        return "Its model was trained once."
    seen = "Its numbers are as the search saw it, once"
    if options.n_images:
        seen += f": ± is two standard errors of {options.n_images} validation {options.results.examples}"
    if len(options.members) == 1:
        return f"{seen}."
    return f"{seen}. The best of many trials is a little lucky:"


def describe_no_choice(options: Options, limits: Sequence[Limit]) -> str:
    """Say why no model can be chosen, and what to change."""
    if not options.members:
        return _describe_no_model(options)
    what = _kind(options)
    wanted = " and ".join(limit.describe() for limit in limits)
    unmeasured = [
        limit.measure.name
        for limit in limits
        if all(math.isnan(option.value(limit.measure.name)) for option in options.members)
    ]
    if unmeasured:
        remedy = _how_to_measure(options, unmeasured)
        return f"No {what} of this study has {' or '.join(unmeasured)} measured, so none can keep {wanted}.{remedy}"
    which = describe_what_to_loosen(options.members, limits)
    return f"None of {len(options.members)} {what}s has {wanted}. {which}"


def _how_to_measure(options: Options, names: Sequence[str]) -> str:
    """Return a sentence on what measures what only files have; empty if that is not what lacks."""
    deploys = f"'tunefront deploy {options.results.study.name}'"
    if MEASURED in names:
        return f" Measure it on the device, and give it to {deploys} with --measured."
    if "arena_bytes" in names and options.has_files:
        return f" pip install 'tunefront[micro]', and {deploys} again, tell it."
    if options.has_files or not any(name in DEPLOYMENT_MEASURES or name == FILE_BYTES.name for name in names):
        return ""
    since = " since its confirmation" if options.confirmation is not None else ""
    return f" Nothing was deployed{since}: {deploys} makes files of the models, and measures each."


def _describe_file(selection: Selection) -> list[str]:
    """Say what the numbers of a file are; nothing for a Keras model."""
    file, options = selection.option.file, selection.options
    if file is None:
        return []
    memory = "its arena" if options.device else "the file"
    cpu = file.machine.get("cpu") or "the machine that deployed it"
    where = "the device" if MEASURED in file.measures else f"one thread of {cpu}"
    line = f"Memory is {memory}, time one image on {where}, accuracy that of the file on {file.n_images} {file.split}"
    fits = (
        [f"It fits {options.device}: its flash has room for the file, its RAM for the arena."] if options.device else []
    )
    once = ", once, and models were chosen by them." if file.split == "validation" else ", once."
    return [*fits, f"{line} images{once}"]


def _kind(options: Options) -> str:
    return "file" if options.has_files else "model"


def _describe_no_model(options: Options) -> str:
    results, outside = options.results, options.outside
    guessing = f"{options.n_guessing} no better than guessing" if options.n_guessing else ""
    limits = study_limits(results)
    nearest = nearest_to(limits, outside)
    if nearest is None:
        return f"There is no model to choose from: {guessing or _describe_nothing_complete(results)}."
    values = ", ".join(f"{name} {value}" for name, value in shown_values(options, nearest).items())
    return (
        f"No model keeps the study's limits: {len(outside)} outside{', ' + guessing if guessing else ''}. Nearest is "
        f"trial {nearest.number}: {values}. {describe_what_to_loosen(outside, limits)}"
    )


def _describe_nothing_complete(results: StudyResults) -> str:
    """Say why no trial is complete: with the reason, if all trials that ended did so in one way."""
    counts = {state: count for state, count in results.counts.items() if count}
    if not counts:
        return "no trial has started yet"
    if {"running", "waiting"} & counts.keys():
        return "no trial is complete yet"
    state = next(iter(counts))
    if len(counts) > 1 or state == "pruned":
        return "no trial is complete"
    was = "was refused" if state == "refused" else state
    groups = results.reasons(state)
    which = f"all {counts[state]} trials {was.replace('was', 'were')}" if counts[state] > 1 else f"the only trial {was}"
    if not groups:
        return which
    of_them = "" if len(groups) == 1 else f"{len(groups[0].numbers)} of them: "
    return f"{which}: {of_them}{groups[0].text.rstrip('.')}"


def _quality(options: Options) -> str:
    return axis_name("accuracy", options.measure("accuracy"))


def _value(options: Options, option: Option, axis: Axis) -> str:
    measure = options.measure(axis)
    return format_quantity(option.value(measure.name), measure.unit)


def _show_noise(options: Options, value: float) -> str:
    measure = options.measure("accuracy")
    return f"{100 * value:.2g} points" if measure.unit == "fraction" else format_quantity(value, measure.unit)
