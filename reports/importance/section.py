"""The importances in reports: a section of the page, Markdown, and a data frame."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tunefront.reports.importance.importance import FRONT, Importance
from tunefront.reports.tables.markdown import escape, markdown_table

TITLE = "Which parameters matter"
_COLUMNS = ("parameter", "target", "strength", "is_clear", "chance", "n_best", "n_with_parameter", "n_trials")


def importance_context(importance: Importance) -> dict[str, Any]:
    """Return the variables of ``section.html.j2``."""
    return {
        "importance": importance,
        "importance_title": TITLE,
        "importance_targets": _targets(importance),
        "importance_method": describe_method(importance),
        "importance_notes": describe_notes(importance),
    }


def importance_markdown(importance: Importance) -> str:
    """Return a heading, and a table of the clear importances."""
    parts = [f"## {TITLE}", escape(importance.why_none or describe_method(importance))]
    targets = _targets(importance)
    if importance.clear:
        rows = [
            [
                *(f"{each.strength:.2f}" if each.is_clear else "" for each in strengths.values()),
                name + (f" (in {n_having} trials)" if n_having < importance.n_trials else ""),
            ]
            for name, strengths in importance.clear.items()
            for n_having in [importance.n_having[name]]
        ]
        titles = [f"{target} ({best})" for target, best in targets.items()]
        parts.append(markdown_table([*titles, "parameter"], rows, n_numbers=len(titles)))
    if not importance.why_none:
        parts.append(escape(describe_notes(importance)))
    return "\n\n".join(parts) + "\n"


def importance_frame(importance: Importance) -> pd.DataFrame:
    """Return a data frame with a row for each parameter and target, clear or not; no rows without importances.

    ``strength`` is 0 at chance and at most 1, ``chance`` the probability that chance alone makes the parameter differ
    that much.
    """
    rows = [
        (
            name,
            target,
            each.strength,
            each.is_clear,
            each.chance,
            importance.n_best[target],
            importance.n_having[name],
            importance.n_trials,
        )
        for name, strengths in importance.strengths.items()
        for target, each in strengths.items()
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def describe_method(importance: Importance) -> str:
    """Explain the strengths in a few sentences."""
    n_all = importance.n_trials + importance.n_left_out
    which = f"the {n_all} complete trials"
    if importance.n_left_out:
        which = f"{importance.n_trials} of {which} (all of the front, and others spread evenly over the search)"
    return (
        f"How much each parameter decides which of {which} are the best: how far its "
        "values in the best ones differ from those in all (PED-ANOVA). "
        "Only what is more than chance counts: as many trials, drawn at random, differ less. 0 is chance, 1 would be a "
        "parameter that alone decides."
    )


def describe_notes(importance: Importance) -> str:
    """Return the notes on the importances, in a few sentences."""
    clear, n_unclear = importance.clear, len(importance.strengths) - len(importance.clear)
    notes = []
    if clear:
        more = f", as are all cells of {n_unclear} more parameter{'s' if n_unclear > 1 else ''}" if n_unclear else ""
        notes.append(f"An empty cell is no more than chance{more}.")
        notes.append("About one in ten of those shown may be chance, too.")
        notes.append("A sampler that learns moves parameters together: then one may get another's share.")
    else:
        notes.append("No parameter does so clearly: more trials, or wider ranges, may show which do.")
    if any(importance.n_having[name] < importance.n_trials for name in clear):
        notes.append("A parameter that only some trials have is compared among those.")
    if importance.why_no_front:
        notes.append(importance.why_no_front)
    notes.append("Trials that were stopped early are not counted. In a narrower range a parameter matters less.")
    return " ".join(notes)


def _targets(importance: Importance) -> dict[str, str]:
    """Return the description of each target's best trials: target -> text."""
    return {
        target: f"{count} trials" if target == FRONT else f"best {count}" for target, count in importance.n_best.items()
    }
