"""What people read of a study: tables, figures, the report page, and the dashboard. Never imports Keras."""

from tunefront.reports.confirmation.confirmation import Confirmation
from tunefront.reports.confirmation.results import load_confirmation
from tunefront.reports.confirmation.tables import confirmation_table, confirmed_frame
from tunefront.reports.dashboard.dashboard import publish_front, serve
from tunefront.reports.dashboard.server import DashboardError
from tunefront.reports.figures.fronts import front_figure, pair_figure, pair_figures
from tunefront.reports.figures.learning_curves import learning_curves
from tunefront.reports.page.page import render_page
from tunefront.reports.publish import Published, publish
from tunefront.reports.report_files import ReportFiles, write_report
from tunefront.reports.study_results import ReasonGroup, StudyResults, load_results
from tunefront.reports.tables.frames import front_frame, trials_frame
from tunefront.reports.tables.markdown import front_markdown
from tunefront.reports.tables.terminal import front_table

__all__ = [
    "Confirmation",
    "DashboardError",
    "Published",
    "ReasonGroup",
    "ReportFiles",
    "StudyResults",
    "confirmation_table",
    "confirmed_frame",
    "front_figure",
    "front_frame",
    "front_markdown",
    "front_table",
    "learning_curves",
    "load_confirmation",
    "load_results",
    "pair_figure",
    "pair_figures",
    "publish",
    "publish_front",
    "render_page",
    "serve",
    "trials_frame",
    "write_report",
]
