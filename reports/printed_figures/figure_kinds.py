"""The printed figures that there are, by name."""

from __future__ import annotations

from tunefront.mistakes import nearest
from tunefront.reports.confirmation.results import load_confirmation
from tunefront.reports.figures.fronts import PAIRS
from tunefront.reports.printed_figures.confirmed import draw_confirmed
from tunefront.reports.printed_figures.fronts import draw_fronts
from tunefront.reports.printed_figures.learning_curves import draw_learning_curves
from tunefront.reports.printed_figures.printed_figure import PrintedFigure
from tunefront.reports.printed_figures.style import PrintedFigureError, Width, check_matplotlib, printed_style
from tunefront.reports.study_results import load_results
from tunefront.storage.open_study import OpenStudy

_PAIRS = {f"{x}-{y}": ((x, y),) for x, y in PAIRS}
_FRONTS = {"front": PAIRS[:2], **_PAIRS}
FIGURE_KINDS = (*_FRONTS, "learning-curves", "confirmed")


def draw_figure(study: OpenStudy, kind: str, width: Width) -> PrintedFigure:
    """Draw a figure of a study, as it is in the store now.

    Args:
        kind: One of :data:`FIGURE_KINDS`; ``front`` is accuracy over memory, and over time beside it.

    Raises:
        PrintedFigureError: If matplotlib is missing, there is no such figure, or nothing to draw.
    """
    if kind not in FIGURE_KINDS:
        raise PrintedFigureError(f"there is no printed figure {kind!r}. {nearest(kind, FIGURE_KINDS)}")
    check_matplotlib()
    results = load_results(study)
    with printed_style():
        if kind in _FRONTS:
            return draw_fronts(results, _FRONTS[kind], width)
        if kind == "learning-curves":
            return draw_learning_curves(results, width)
        confirmation = load_confirmation(study.store, results)
        if confirmation is None:
            raise PrintedFigureError(
                f"study {study.name!r} has no confirmed models: 'tunefront confirm {study.name}' trains its front again"
            )
        return draw_confirmed(confirmation, width)
