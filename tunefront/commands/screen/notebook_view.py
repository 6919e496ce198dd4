"""The view of a running study in a notebook: one output of a cell, which is redrawn in its place."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunefront.search.supervisor.view import Snapshot

_MAX_LINES = 8  # lines on what happened, the latest
_HEIGHT = 30  # lines of the study itself
_WIDTH = 110  # characters, about as many as a cell's output shows
_SECONDS = 1.0  # between two drawings: each one is a message to the browser


class NotebookView:
    """A view that draws itself into one output of a cell, again and again, so that the cell stays short.

    At the end it leaves the warnings and the latest lines, which a saved notebook keeps.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        from IPython.display import display

        self._clock = clock
        self._warnings: list[str] = []
        self._lines: list[str] = []
        self._progress = ""
        self._snapshot: Snapshot | None = None
        self._drawn_at = -_SECONDS
        self._handle: Any = display(self._bundle(), raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def show(self, snapshot: Snapshot) -> None:
        self._snapshot, self._progress = snapshot, ""
        self._draw()

    def progress(self, what: str, done: int, total: int) -> None:
        self._progress = f"{what}: {done} of {total}" if total > 1 else f"{what} ..."
        self._draw()

    def say(self, line: str) -> None:
        self._lines.append(line)
        self._draw()

    def warn(self, text: str) -> None:
        self._warnings.append(text)
        self._draw()

    def close(self) -> None:
        self._snapshot, self._progress = None, ""
        self._handle.update(self._bundle(), raw=True)

    def _draw(self) -> None:
        if self._clock() - self._drawn_at >= _SECONDS:
            self._drawn_at = self._clock()
            self._handle.update(self._bundle(), raw=True)

    def _bundle(self) -> dict[str, str]:
        lines = [*self._lines[-_MAX_LINES:], *([self._progress] if self._progress else [])]
        return {"text/plain": drawing(self._warnings, self._snapshot, lines)}


def drawing(warnings: Sequence[str], snapshot: Snapshot | None, lines: Sequence[str]) -> str:
    """Return what a notebook shows of a running study: warnings, counts, slots and the front so far, and lines."""
    import io

    from rich.console import Console

    from tunefront.commands.screen.snapshot_text import render
    from tunefront.printable import on_one_line, printable

    file = io.StringIO()
    console = Console(file=file, width=_WIDTH, color_system=None, force_jupyter=False)
    for text in warnings:
        console.print(printable(text), markup=False, highlight=False)
    if snapshot is not None:
        console.print(render(snapshot, _HEIGHT))
    for line in lines:
        console.print(on_one_line(line), markup=False, highlight=False, soft_wrap=True)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())
