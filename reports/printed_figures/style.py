"""The style of printed figures, and the one place that asks for matplotlib."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from tunefront.mistakes import TunefrontError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Width = Literal["single", "double"]

WIDTHS: dict[Width, float] = {"single": 3.5, "double": 7.16}  # inches: one column, and both, of most journals
# Of the palette by Okabe and Ito, which people of any colour vision can tell apart.
BLUE, VERMILION = "#0072B2", "#D55E00"
LINE_COLOURS = (BLUE, VERMILION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINE_STYLES = ("-", "--", "-.", ":")  # lines differ without colours too
GREY, LIGHT_GREY = "#6b6b6b", "#b8b8b8"
NUMBER_SIZE = 6.5  # points, of the numbers beside points

_SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # matplotlib brings it, so files are alike on all machines
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.0,
    "pdf.fonttype": 42,  # whole TrueType fonts, which publishers ask for
    "svg.fonttype": "path",  # outlines, because a reader's machine may lack the font
    "svg.hashsalt": "tunefront",  # else identifiers are random, and no two files are alike
    "savefig.dpi": 300,
}


class PrintedFigureError(TunefrontError):
    """A printed figure that cannot be made; the message names the remedy."""


def check_matplotlib() -> None:
    """Check that matplotlib is installed. Imports nothing.

    Raises:
        PrintedFigureError: Names the extra to install.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise PrintedFigureError("printed figures need another package: pip install 'tunefront[figures]'")


@contextlib.contextmanager
def printed_style() -> Iterator[None]:
    """Draw in the style of printed figures, whatever a user's own settings of matplotlib are."""
    import matplotlib.style

    with matplotlib.style.context(["default", _SETTINGS]):
        yield


def new_panels(n_panels: int, width: Width) -> tuple[Figure, Sequence[Axes]]:
    """Return a figure of so many panels: side by side over both columns, one above the other in a single one."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    n_rows, n_columns = (n_panels, 1) if width == "single" else (1, n_panels)
    height = 2.5 * n_rows if width == "single" else 3.0
    figure = Figure(figsize=(WIDTHS[width], height), layout="constrained")  # without pyplot, which keeps global state
    FigureCanvasAgg(figure)  # measures texts
    return figure, figure.subplots(n_rows, n_columns, squeeze=False).flatten().tolist()


def add_legend(figure: Figure, axes: Axes) -> None:
    """Write the legend of one panel, which the others share, above all of them."""
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))  # several limits are one entry
    n_columns = 2 if figure.get_figwidth() < WIDTHS["double"] else 6
    figure.legend(
        list(once.values()),
        list(once),
        loc="outside upper center",
        ncols=n_columns,
        handletextpad=0.3,
        columnspacing=1.2,
    )
