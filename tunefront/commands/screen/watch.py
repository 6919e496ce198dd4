"""The status of studies, shown anew while they run."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.live import Live
from rich.segment import Segment, Segments
from rich.text import Text

from tunefront.commands.terminal import make_console

if TYPE_CHECKING:
    from tunefront.reports.status import StudiesOverview, StudyStatus

    Status = StudiesOverview | StudyStatus

_PAUSE_SECONDS = 2.0
_BUSY_SHARE = 0.2  # of the time that reading may take, so that large studies are read less often


def watch_status(first: Status, read: Callable[[], Status], pause_seconds: float = _PAUSE_SECONDS) -> Status:
    """Show a status anew until its studies are over or a person presses Ctrl-C, and return the last one.

    A terminal's screen is redrawn, and as it was afterwards; elsewhere each status that differs is printed.
    """
    screen = _Redrawn() if sys.stdout.isatty() else _Appended()
    status, pause = first, pause_seconds
    with screen, contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is the way to end the watch of a study that goes on
        while not status.is_over:
            screen.show(status.render(is_brief=True))
            time.sleep(pause)
            began_at = time.monotonic()
            status = read()
            pause = max(pause_seconds, (time.monotonic() - began_at) / _BUSY_SHARE)
    return status


class _Redrawn:
    """A terminal's screen that is used for one status after the other."""

    def __init__(self) -> None:
        self._console = make_console()
        self._live = Live(console=self._console, screen=True, auto_refresh=False)

    def __enter__(self) -> None:
        self._live.start()

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def show(self, content: RenderableType) -> None:
        clock = Text(time.strftime("%H:%M:%S, Ctrl-C ends"), style="dim")
        self._live.update(_Cropped(Group(clock, content)), refresh=True)


class _Cropped:
    """Content of which a screen shows as many lines as it has, the last of them on how many more there are."""

    def __init__(self, content: RenderableType) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the lines that fit."""
        lines = console.render_lines(self._content, options.update(height=None), pad=False)
        n_more = len(lines) - console.height
        shown = lines[: console.height - 1] if n_more > 0 else lines
        yield Segments([segment for line in shown for segment in (*line, Segment.line())][:-1])
        if n_more > 0:
            told = f"\n{n_more + 1} more lines: the same command without --watch shows them"
            yield Text(told, style="dim", no_wrap=True, overflow="ellipsis")


class _Appended:
    """A log to which each status is added that differs from the one before."""

    def __init__(self) -> None:
        self._console = make_console(width=200)
        self._last = ""

    def __enter__(self) -> None:
        """Do nothing: a log needs no preparation."""

    def __exit__(self, *error: object) -> None:
        """Do nothing: there is no screen to restore."""

    def show(self, content: RenderableType) -> None:
        with self._console.capture() as captured:
            self._console.print(content)
        if captured.get() != self._last:
            self._last = captured.get()
            self._console.print(time.strftime("%H:%M:%S"))
            self._console.print(content)
