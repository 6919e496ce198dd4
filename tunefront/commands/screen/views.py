"""The views of a running study: a live view in a terminal, one output in a notebook, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from tunefront.commands.screen.notebook_view import NotebookView
from tunefront.commands.screen.reminder import Reminder
from tunefront.notebook import in_notebook
from tunefront.printable import on_one_line

if TYPE_CHECKING:
    from tunefront.search.supervisor.view import Snapshot, View


_BAR_WIDTH = 30


class PlainView:
    """A view of one line for each event, for logs and pipes; where nothing happens for long, it says what is under way.

    Args:
        clock: A clock in seconds.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._reminder = Reminder(self._print, clock)
        self._tenths: dict[str, int] = {}  # name of a long task -> the tenth that was printed last
        self._began_at: dict[str, float] = {}  # name of a long task -> its first progress, on the clock

    def show(self, snapshot: Snapshot) -> None:
        """Print how far the study is, if nothing was printed for a while."""
        from tunefront.commands.screen.snapshot_text import describe_progress  # late: it imports Optuna

        shown_at = self._clock()
        self._reminder.expect(lambda: describe_progress(_later(snapshot, self._clock() - shown_at)))
        self._reminder.look()

    def progress(self, what: str, done: int, total: int) -> None:
        began_at = self._began_at.setdefault(what, self._clock())
        line, tenth = f"{what}: {done} of {total}" if total > 1 else what, 10 * done // max(total, 1)
        self._reminder.expect(lambda: f"{line} ... {self._clock() - began_at:.0f} s")
        if self._tenths.get(what) != tenth:
            self._tenths[what] = tenth
            self.say(line if total > 1 else f"{line} ...")

    def say(self, line: str) -> None:
        self._print(line)
        self._reminder.note_line()

    def _print(self, line: str) -> None:
        self._console.print(on_one_line(line), markup=False, highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        self.say(text)

    def close(self) -> None:
        self._reminder.close()


class LiveView:
    """A view of slots, counts, the front so far and the time left, redrawn in place; events scroll above it."""

    def __init__(self, console: Console) -> None:
        # With stdout in a file and this view on stderr, what is printed to the file must not be drawn above the view.
        self._live = Live(console=console, refresh_per_second=8, transient=True, redirect_stdout=sys.stdout.isatty())
        self._is_started = False
        self._waits_for: _Waiting | None = None

    def _draw(self, content: RenderableType) -> None:
        if not self._is_started:
            self._live.start()
            self._is_started = True
        self._live.update(content)

    def progress(self, what: str, done: int, total: int) -> None:
        if self._waits_for is None or what != self._waits_for.what:  # else the same spinner goes on
            self._waits_for = _Waiting(what)
            self._draw(self._waits_for)
        self._waits_for.done, self._waits_for.total = done, total

    def show(self, snapshot: Snapshot) -> None:
        self._waits_for = None
        self._draw(_Ticking(snapshot, self._live.console))

    def say(self, line: str) -> None:
        self._live.console.print(Text(on_one_line(line)))

    def warn(self, text: str) -> None:
        self._live.console.print(Text(text, style="yellow"))

    def close(self) -> None:
        if self._is_started:
            self._live.stop()
            self._is_started = False


class _Ticking:
    """A snapshot whose clock goes on until the next one, however long that takes."""

    def __init__(self, snapshot: Snapshot, console: Console) -> None:
        self._snapshot = snapshot
        self._console = console
        self._shown_at = time.monotonic()

    def __rich__(self) -> RenderableType:
        from tunefront.commands.screen.snapshot_text import render  # late: it imports Optuna

        return render(_later(self._snapshot, time.monotonic() - self._shown_at), self._console.height)


def _later(snapshot: Snapshot, seconds: float) -> Snapshot:
    return replace(snapshot, seconds=snapshot.seconds + seconds)


class _Waiting:
    """A spinner with what is waited for, for how long already, and a bar where it has parts.

    Attributes:
        done: How many of `total` parts are done.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.done, self.total = 0, 1
        self._spinner = Spinner("dots")
        self._began_at = time.monotonic()

    def __rich__(self) -> RenderableType:
        clock = f"{time.monotonic() - self._began_at:.0f} s"
        if self.total <= 1:
            self._spinner.update(text=Text(f"{self.what} ... {clock}"))
            return Group(self._spinner)
        self._spinner.update(text="")
        row = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=self.total, completed=self.done, width=_BAR_WIDTH)
        row.add_row(self._spinner, self.what, bar, f"{self.done} of {self.total}", clock)
        return row


def make_view(console: Console) -> View:
    """Return a live view if the console is a terminal, in a notebook one of a notebook, else a plain one."""
    if in_notebook():  # first, because the streams of a notebook's kernel say that they are terminals
        return NotebookView()
    return LiveView(console) if console.is_terminal else PlainView(console)
