"""The findings of a confirmation in sentences, which are the same on the page, in Markdown and in a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from tunefront.objectives.quantities import Unit, format_quantity, significant
from tunefront.reports.confirmation.confirmation import Confirmation, Confirmed
from tunefront.reports.confirmation.scores import SHARES
from tunefront.reports.confirmation.statistics import ENOUGH_SEEDS, Estimate
from tunefront.reports.sentences.notes import describe_marks
from tunefront.reports.sentences.stages import describe_replayed

_BUSY = 1.25  # processes wanting each core; with this many or more, something else ran beside the training


def show_estimate(found: Estimate, unit: Unit) -> str:
    """Return the mean, and half of its interval where there is one and it is not 0: ``"97.40 % ± 0.80 %"``."""
    number, _, name = format_quantity(found.mean, unit).partition(" ")
    if math.isnan(found.half_width) or found.half_width == 0:
        return f"{number} {name}".strip()
    if unit == "number":
        return f"{number} ± {significant(found.half_width, 2)}"
    if unit == "fraction":
        return f"{number} ± {100 * found.half_width:.2f} {name}"
    if found.mean == 0:  # a cost of 0 has no unit to show its interval in
        return f"{number} {name}".strip()
    half = f"{found.half_width * float(number) / found.mean:.2g}"
    return f"{number} ± {float(half):.0f} {name}" if "e+" in half else f"{number} ± {half} {name}"


def show_points(found: Estimate, unit: Unit) -> str:
    """Return a difference of two scores with its sign, of shares in percentage points: ``"+0.37 ± 0.80"``."""
    if math.isnan(found.mean):
        return "-"
    half = f"{significant(found.half_width, 2)}" if unit == "number" else f"{100 * found.half_width:.2f}"
    return _signed(found.mean, unit) + ("" if math.isnan(found.half_width) else f" ± {half}")


def _signed(difference: float, unit: Unit) -> str:
    """Return a difference of two scores with its sign, a minus and no hyphen; none is shown as ``"+0.00"``."""
    points = round(100 * difference, 2) + 0.0  # the sum turns -0.0 into 0.0
    shown = significant(difference + 0.0, 3, sign="+") if unit == "number" else f"{points:+.2f}"
    return shown.replace("-", "\N{MINUS SIGN}")


def gap_title(confirmation: Confirmation, less: str = "less") -> str:
    """Return the title of the gap, ``"search less test"``: of errors it is the other way round."""
    sides = ["search", "test" if confirmation.has_test else "now"]
    return f" {less} ".join(sides if _is_maximized(confirmation) else reversed(sides))


def _is_maximized(confirmation: Confirmation) -> bool:
    return confirmation.search.measure("accuracy").direction == "maximize"


def show_probability(finalist: Confirmed) -> str:
    """Return the probability of being on the front, ``"97 %"``, or ``"-"`` where nothing can be said.

    Nothing is certain, so the extremes are ``"> 99 %"`` and ``"< 1 %"``. If one of the compared finalists has fewer
    than three seeds, they are ``"> 90 %"`` and ``"< 10 %"``.
    """
    probability = finalist.front_probability
    if math.isnan(probability):
        return "-"
    most = 0.99 if finalist.fewest_seeds >= ENOUGH_SEEDS else 0.9
    if probability > most:
        return f"> {100 * most:.0f} %"
    return f"< {100 * (1 - most):.0f} %" if probability < 1 - most else f"{100 * probability:.0f} %"


def describe_confirmation(confirmation: Confirmation) -> Iterator[str]:
    """Yield every finding in a sentence or two, the most important first."""
    yield _describe_trainings(confirmation)
    yield _describe_missing(confirmation)
    searched = [finalist.searched for finalist in confirmation.finalists]
    yield describe_replayed(searched)
    yield describe_marks(confirmation.search, searched)
    yield _describe_luck(confirmation)
    yield _describe_cautious_front(confirmation)
    yield _describe_gap(confirmation)
    yield _describe_times(confirmation)


def describe_method(confirmation: Confirmation) -> Iterator[str]:
    """Yield sentences that explain the columns and words."""
    yield (
        "Means are over trainings with different seeds, ± half their 95 % interval: of the seeds by Student's t"
        f"{_image_interval(confirmation)}. " + _images(confirmation)
    )
    is_number = confirmation.search.task == "regression"
    better = (
        "a score two standard errors better (of normally distributed errors)"
        if is_number
        else "an accuracy two standard errors higher"
    )
    yield (
        f"Near misses are trials that noise alone may have kept off the front: with {better}, or a measured cost 10 % "
        "lower, nothing on the front would have beaten them."
    )
    yield (
        "The probability of being on the front is the share of 2000 bootstrap resamples of the seeds"
        f"{_with_images(confirmation)} in which the means of a model are within the limits and on the front of all "
        "means. Of the search's front, luck has less than 50 %; a near miss with 50 % or more has risen. Of what was "
        "trained only once, nothing is said, and of what was trained twice nothing for sure."
    )
    yield (
        "The cautious front leaves out only what one and the same other model beats on all objectives, or what breaks "
        "a limit, in at least 95 % of the resamples: what is left out is beaten, what is left in may be. More seeds "
        "make it smaller."
    )


def _image_interval(confirmation: Confirmation) -> str:
    """Describe how the choice of images enters the interval of accuracy."""
    measure = confirmation.search.measure("accuracy").name
    if measure in SHARES:
        return ", and of accuracy also of so many images by Wilson's interval"
    return (
        f", and of {measure} also of the {confirmation.search.examples} by a bootstrap"
        if confirmation.is_paired
        else ""
    )


def _images(confirmation: Confirmation) -> str:
    examples, name = confirmation.search.examples, confirmation.search.axis_name("accuracy")
    sentence = f"Weights were chosen on the validation {examples}."
    if not confirmation.has_test:
        sentence = (
            f"There is no test split, so {name} is that of the validation {examples}, which also chose the epoch."
        )
    if confirmation.is_paired or not confirmation.compared:
        return sentence
    return (
        f"{sentence} What each training answered to each image is not known of all (an earlier version did not keep "
        "it), so models are compared as if there were no other images, and that is too sure. To compare them image by "
        f"image, run 'tunefront delete {confirmation.study.study.name} --results' and confirm again."
    )


def _with_images(confirmation: Confirmation) -> str:
    examples = confirmation.search.examples
    return f" and the {examples}, in each the same {examples} for all models," if confirmation.is_paired else ""


def _describe_trainings(confirmation: Confirmation) -> str:
    winners = len(confirmation.winners)
    others = len(confirmation.finalists) - winners
    text = (
        f"{winners} of the search's front and {others} near {'miss' if others == 1 else 'misses'} were trained again"
        f"{_how_often(confirmation)}."
    )
    if confirmation.n_failed:
        is_one = confirmation.n_failed == 1
        text += f" {confirmation.n_failed} training{'' if is_one else 's'} failed; nothing took "
        text += "its place." if is_one else "their place."
        failed = [finalist for finalist in confirmation.finalists if not finalist.trainings]
        text += f" With every seed failed {_trials(failed)}." if failed else ""
    n_told = confirmation.n_ended - confirmation.n_complete - confirmation.n_failed
    if n_told:
        text += f" {n_told} without measurements, ended by hand, {'does' if n_told == 1 else 'do'} not count."
    return text


def _how_often(confirmation: Confirmation) -> str:
    counts = sorted({len(finalist.trainings) for finalist in confirmation.finalists if finalist.trainings})
    if not counts:
        return ""
    times = "once" if counts == [1] else f"{' to '.join(map(str, sorted({counts[0], counts[-1]})))} times"
    split = "the test" if confirmation.has_test else "validation"
    return f", {times} each with new seeds, and scored on {split} {confirmation.search.examples}"


def _describe_missing(confirmation: Confirmation) -> str:
    """Describe which candidates are not trained, or not yet, and why."""
    command = f"'tunefront confirm {confirmation.search.study.name}'"
    sentences = []
    if not confirmation.is_finished:
        sentences.append(
            f"It is not finished: {confirmation.n_ended} of {confirmation.n_planned} trainings are done. "
            f"{command} goes on."
        )
    if confirmation.newcomers:
        them = "it" if len(confirmation.newcomers) == 1 else "them"
        sentences.append(
            f"{_numbered(confirmation.newcomers).capitalize()} came on the search's front since; nothing here is "
            f"compared with {them}. {command} adds {them}."
        )
    sentences += [
        f"Trial {number} of the front has the parameters of trial {finalist}, which stands for both."
        for number, finalist in confirmation.same.items()
    ]
    return " ".join(sentences)


def _describe_luck(confirmation: Confirmation) -> str:
    lucky = [finalist for finalist in confirmation.winners if finalist.is_luck]
    risen = [finalist for finalist in confirmation.finalists if finalist.is_risen]
    above = [finalist for finalist in confirmation.winners if finalist.is_above_interval]
    n_winners = sum(finalist.was_on_front for finalist in confirmation.compared)
    sentences = []
    if n_winners:
        sentences.append(
            f"Luck: {len(lucky)} of the {n_winners} on the search's front"
            + (f", {_trials(lucky)}, would more often than not have missed it." if lucky else ".")
        )
    if above:
        saw = "more" if confirmation.search.task == "classification" else "better"
        sentences.append(f"The search saw {saw} than another training is expected to reach for {_trials(above)}.")
    if risen:
        sentences.append(f"Missed by the search, and more likely than not on the front: {_trials(risen)}.")
    unknown = [finalist for finalist in confirmation.finalists if finalist.is_open]
    if unknown:
        sentences.append(f"One training tells too little of {_trials(unknown)}.")
    return " ".join(sentences)


def _describe_cautious_front(confirmation: Confirmation) -> str:
    if not confirmation.compared:
        return ""
    cautious = [finalist for finalist in confirmation.finalists if finalist.is_on_cautious_front]
    out = [finalist for finalist in confirmation.compared if not finalist.is_on_cautious_front]
    sure = [finalist for finalist in confirmation.finalists if finalist.is_on_front_for_sure]
    few = [finalist for finalist in confirmation.compared if not finalist.has_enough_seeds]
    text = f"Cautious front: {_trials(cautious)}."
    text += f" Left out with 95 % confidence: {_trials(out)}." if out else ""
    text += f" On the front for sure (95 %): {_trials(sure)}." if sure else ""
    if len(few) == len(confirmation.compared):
        return f"{text} With two seeds nothing is for sure, and nothing is left out: they may agree by chance."
    return text + (f" With two seeds of {_trials(few)}, nothing is for sure of who is on the front." if few else "")


def _describe_gap(confirmation: Confirmation) -> str:
    gap = confirmation.gap
    if not gap.n:
        return ""
    to, measure = "test" if confirmation.has_test else "confirmation", confirmation.search.measure("accuracy")
    is_number, examples = measure.unit == "number", confirmation.search.examples
    text = (
        f"Search-to-{to} gap: {show_points(gap, measure.unit)} "
        f"{f'of {measure.name}' if is_number else 'points of accuracy'}, on average over the search's front. "
        f"Above 0, the search saw {'better' if is_number else 'more'} than there is"
    )
    if not confirmation.has_test:
        return f"{text}."
    luck, rest = (_signed(found, measure.unit) for found in (confirmation.luck_gap, gap.mean - confirmation.luck_gap))
    return (
        f"{text}. {luck} of it is there on the validation {examples} too, the luck of being "
        f"chosen; {rest} lies between validation and test {examples}."
    )


def _describe_times(confirmation: Confirmation) -> str:
    load = confirmation.load_average
    wanted = "" if math.isnan(load) else f" ({load:.2f} processes wanted each CPU core)"
    if confirmation.is_shared:
        who = "several trainings, or one and a trial of the search, ran on one machine at a time"
        return f"Times are shared: {who}{wanted}, so they are longer than alone."
    if load > _BUSY:
        return f"One training at a time, but something else ran on the machine{wanted}: times are longer than alone."
    return f"One training at a time on its machine{wanted}: times are true."


def _trials(finalists: Sequence[Confirmed]) -> str:
    return _numbered([finalist.number for finalist in finalists])


def _numbered(numbers: Sequence[int]) -> str:
    listed = ", ".join(map(str, sorted(numbers)))
    return f"trial{'s' if len(numbers) > 1 else ''} {listed}" if numbers else "none"
