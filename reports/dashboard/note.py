"""The note on a study in optuna-dashboard: the verdict, the front and links, and below them what a person wrote."""

from __future__ import annotations

import re

from tunefront.objectives.measures import AXES
from tunefront.reports.dashboard.readings import Reading
from tunefront.reports.selection.options import Options, find_options, front_of
from tunefront.reports.selection.selection import choose
from tunefront.reports.selection.sentences import describe_no_choice, explain, show_with_interval
from tunefront.reports.sentences.notes import notes
from tunefront.reports.tables.markdown import escape, markdown_table

# Markdown shows definitions of links nowhere.
_BEGIN, _END = "[//]: # (tunefront)", "[//]: # (tunefront: what you write below this line is kept)"
_OURS = re.compile(f"{re.escape(_BEGIN)}\n.*?{re.escape(_END)}", re.DOTALL)
_MAX_ROWS = 30
_WARNING = (
    "Where this dashboard differs from the page, the page counts. Its Pareto front takes a model that only guesses for "
    "one of the best{slow}. Its importances are shares without a comparison to chance, so that something seems to "
    "matter even where nothing does."
)


def with_note(reading: Reading, written: str) -> str:
    """Return a study's note: tunefront's part as it is now, and what a person wrote below it.

    Args:
        written: The stored note, which may have an earlier part of tunefront's in it.
    """
    own = _OURS.sub("", written).strip()
    return f"{_BEGIN}\n\n{_study_note(reading)}\n\n{_END}\n" + (f"\n{own}\n" if own else "")


def _study_note(reading: Reading) -> str:
    results, study_id = reading.results, reading.study.study_id
    search = results.study.spec.get("confirms")
    if search:
        page = f"[its page](/study/{reading.search_id}/)" if reading.search_id is not None else "its page"
        return f"Single trainings of the finalists of **{escape(search)}**. What they mean together stands on {page}."
    options = find_options(results, reading.confirmation)
    choice = choose(options)
    first, *more = explain(choice) if choice is not None else [describe_no_choice(options, [])]
    parts = [f"**{escape(first)}** {escape(' '.join(more))}".strip(), *map(escape, notes(results))]
    links = f"[The live page of this study](/study/{study_id}/) has the whole of it; [all studies](/studies)."
    if reading.confirmation_id is not None:
        links += f" Its confirmation is [a study of its own](/dashboard/studies/{reading.confirmation_id})."
    parts += [links, _front(options)]
    slow = ", and compares all trials pair by pair, which takes long with many" if len(results.objectives) > 2 else ""
    parts.append(_WARNING.format(slow=slow))
    return "\n\n".join(filter(None, parts))


def _front(options: Options) -> str:
    """Return the front of what can be chosen as a table, after a confirmation with its numbers."""
    results, measure = options.results, options.results.measure("accuracy")
    front = sorted(
        front_of(options, options.members), key=lambda option: (measure.loss(option.value(measure.name)), option.number)
    )
    if not front:
        return ""
    heads, shown = ["trial on the front", *map(results.axis_name, AXES)], front[:_MAX_ROWS]
    rows = [[str(each.number), *(show_with_interval(options, each, axis) for axis in AXES)] for each in shown]
    if options.confirmation is not None:
        heads.append(f"{results.axis_name('accuracy')} in the search")
        rows = [[*row, results.show(each.trial, "accuracy")] for row, each in zip(rows, shown, strict=True)]
    n_more = len(front) - len(shown)
    more = f"\n\nand {n_more} more on the page" if n_more else ""
    return markdown_table(heads, rows, n_numbers=len(heads)) + more
