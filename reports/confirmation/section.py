"""The report page's section about a confirmation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from tunefront.objectives.measures import Axis
from tunefront.reports.confirmation.confirmation import Confirmation
from tunefront.reports.confirmation.sentences import (
    describe_confirmation,
    describe_method,
    gap_title,
    show_estimate,
    show_points,
    show_probability,
)
from tunefront.reports.confirmation.statistics import Estimate
from tunefront.reports.kept_models import find_candidate_model
from tunefront.reports.sentences.notes import show_marked


def confirmation_context(confirmation: Confirmation | None, folder: Path) -> dict[str, Any]:
    """Return the variables of ``section.html.j2`` in a report in `folder`; only a few if there is nothing to show."""
    if confirmation is None:
        return {"confirmation": None}
    return {
        "confirmation": confirmation,
        "findings": list(describe_confirmation(confirmation)),
        "method": list(describe_method(confirmation)),
        "confirmed_models": {
            f.number: find_candidate_model(confirmation.search, confirmation, f.searched, folder)
            for f in confirmation.finalists
        },
        "show_marked": show_marked,
        "show_points": lambda gap: show_points(gap, confirmation.search.measure("accuracy").unit),
        "gap_title": gap_title(confirmation),
        "show_probability": show_probability,
        "estimated": lambda found, axis: _cell(confirmation, found, axis),
    }


def _cell(confirmation: Confirmation, found: Estimate, axis: Axis) -> Markup:
    text = show_estimate(found, confirmation.search.measure(axis).unit)
    return Markup('<td class="number" data-value="{}">{}</td>').format(found.mean, escape(text))
