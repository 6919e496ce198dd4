"""From the store to a person: tables, figures, the report page, and the dashboard. Never imports Keras."""

from reports.confirmation import Confirmation
from reports.confirmation_reading import load_confirmation
from reports.confirmation_tables import confirmation_table, confirmed_frame
from reports.dashboard import publish_front, serve
from reports.dashboard_server import DashboardError
from reports.figures import front_figure, pair_figure, pair_figures
from reports.front import ReasonGroup, StudyResults, load_results
from reports.learning_curves import learning_curves
from reports.markdown import front_markdown
from reports.page import render_page
from reports.publishing import Published, publish
from reports.tables import front_frame, trials_frame
from reports.terminal import front_table
from reports.writing import ReportFiles, write_report

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
