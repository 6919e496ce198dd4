"""The script that draws figures in a page: plotly.js's `basic` bundle, a quarter of the size of the whole.

It has lines, points and bars, and no other kinds of traces. It is `plotly-basic.min.js` of the npm package
`plotly.js-basic-dist-min`, as it is, in the version that plotly.py brings; its license lies beside it. A test compares
the two. After a new version of plotly.py: `npm pack plotly.js-basic-dist-min@VERSION`.
"""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path


@dataclass(frozen=True)
class PlotlyScript:
    """The script as `plotly.html.j2` puts it into a page.

    Attributes:
        code: JavaScript that begins with a comment: name, version, copyright and license.
    """

    code: str

    @property
    def notice(self) -> str:
        """The lines of the comment, in one."""
        comment = self.code.partition("*/")[0].removeprefix("/**")
        return ". ".join(line.strip("* .") for line in comment.strip().splitlines())

    @cached_property
    def packed(self) -> str:
        """The code, compressed by gzip, as text. Equal code gives equal text."""
        return base64.b64encode(gzip.compress(self.code.encode(), mtime=0)).decode()


@cache
def plotly_script() -> PlotlyScript:
    """Return the bundle."""
    return PlotlyScript((Path(__file__).parent / "plotly-basic.min.js").read_text(encoding="utf-8"))
