"""A printed figure, and the files that it is saved as."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunefront.mistakes import nearest
from tunefront.reports.printed_figures.style import PrintedFigureError, printed_style
from tunefront.storage.files import replace_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# suffix -> the metadata that would say when a file was made; without it, equal figures are equal files
_UNDATED: Mapping[str, Mapping[str, None]] = {
    ".pdf": {"CreationDate": None},
    ".svg": {"Date": None},
    ".png": {},
}


@dataclass(frozen=True)
class PrintedFigure:
    """A figure that was drawn by matplotlib.

    Attributes:
        left_out: The trials whose numbers have no room beside their points.
    """

    figure: Figure
    left_out: Sequence[int] = ()

    def save(self, path: Path) -> None:
        """Write the figure in the format that the suffix says, in place of an existing file.

        Raises:
            PrintedFigureError: If there is no such format.
        """
        check_format(path)
        content = io.BytesIO()
        with printed_style():
            self.figure.savefig(content, format=path.suffix[1:].lower(), metadata=dict(_UNDATED[path.suffix.lower()]))
        replace_file(path, content.getvalue())

    def describe_left_out(self) -> str:
        """Say in a sentence which numbers are missing, and what to do; empty if none is."""
        if not self.left_out:
            return ""
        numbers = ", ".join(map(str, self.left_out))
        return f"no room for the numbers of {numbers}: a figure over both columns has more"


def check_format(path: Path) -> None:
    """Check that a file's suffix is that of a known format.

    Raises:
        PrintedFigureError: Names the formats.
    """
    if path.suffix.lower() not in _UNDATED:
        raise PrintedFigureError(
            f"{path}: the suffix says the format, and {path.suffix or 'none'!r} is not possible. "
            f"{nearest(path.suffix, _UNDATED)}"
        )
