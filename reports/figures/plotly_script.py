"""The script that draws figures in a page: plotly.js's `basic` bundle, a quarter of the size of the whole.

It has lines, points and bars, and no other kinds of traces. It is `plotly-basic.min.js` of the npm package
`plotly.js-basic-dist-min`, as it is, in the version that plotly.py brings; its license lies beside it. A test compares
the two. After a new version of plotly.py: `npm pack plotly.js-basic-dist-min@VERSION`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def plotly_script() -> str:
    """Return the bundle's code."""
    return (Path(__file__).parent / "plotly-basic.min.js").read_text(encoding="utf-8")
