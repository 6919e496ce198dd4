"""The views of a worker that runs trials of several studies: redrawn in a terminal, lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from tunefront.commands.screen.reminder import Reminder
from tunefront.printable import on_one_line

if TYPE_CHECKING:
    from tunefront.search.fleet.work import FleetView
    from tunefront.search.supervisor.view import Snapshot, View

_NO_STUDY = "no study is open: waiting for one that 'tunefront submit' puts into the storage"


class StudyViews:
    """The views of all studies that a worker serves, on one screen."""

    def __init__(self, screen: PlainScreen | LiveScreen) -> None:
        self._screen = screen
        self._snapshots: dict[str, Snapshot] = {}
        screen.draw(self._snapshots)

    def of(self, study: str) -> View:
        """Return the view of one study."""
        return _StudyView(self, study)

    def show(self, snapshot: Snapshot) -> None:
        """Draw a study's new snapshot, and the last ones of all others."""
        self._snapshots[snapshot.study] = snapshot
        self._screen.draw(self._snapshots)

    def say(self, study: str, line: str) -> None:
        """Print a line on a study, or with an empty name on the worker."""
        self._screen.say(f"{study}: {line}" if study else line)

    def progress(self, what: str, done: int, total: int) -> None:
        """Show how far some preparation has come; an empty text takes it off the screen."""
        self._screen.progress(what, done, total)

    def forget(self, study: str) -> None:
        """Take a study off the screen."""
        self._snapshots.pop(study, None)
        self._screen.draw(self._snapshots)

    def close(self) -> None:
        """Close the view; nothing more will be shown."""
        self._screen.close()


class _StudyView:
    """The view of one study among others: its lines begin with its name."""

    def __init__(self, views: StudyViews, study: str) -> None:
        self._views = views
        self._study = study

    def show(self, snapshot: Snapshot) -> None:
        self._views.show(snapshot)

    def say(self, line: str) -> None:
        self._views.say(self._study, line)

    def warn(self, text: str) -> None:
        self._views.say(self._study, text)

    def progress(self, what: str, done: int, total: int) -> None:
        self._views.progress(what, done, total)

    def close(self) -> None:
        self._views.forget(self._study)


class PlainScreen:
    """A line for each event, for logs and pipes; where nothing happens for long, it says how each study stands.

    Args:
        clock: A clock in seconds.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._reminder = Reminder(self._print, clock)
        self._tenths: dict[str, int] = {}  # name of a long task -> the tenth that was printed last

    def draw(self, snapshots: Mapping[str, Snapshot]) -> None:
        """Print how the studies stand, if nothing was printed for a while."""
        shown = dict(snapshots)
        self._reminder.expect(lambda: "\n".join(_lines(shown)))
        self._reminder.look()

    def progress(self, what: str, done: int, total: int) -> None:
        """Print how far something has come, at each tenth of it."""
        if not what:
            self._reminder.expect(lambda: "starting ...")
            return
        line, tenth = f"{what}: {done} of {total}" if total > 1 else f"{what} ...", 10 * done // max(total, 1)
        self._reminder.expect(lambda: line)
        if self._tenths.get(what) != tenth:
            self._tenths[what] = tenth
            self.say(line)

    def say(self, line: str) -> None:
        """Print a line."""
        self._print(on_one_line(line))
        self._reminder.note_line()

    def close(self) -> None:
        """End the reminders."""
        self._reminder.close()

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class LiveScreen:
    """A screen redrawn in place: one study as `tunefront run` shows it, several in a line each; events scroll above."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._snapshots: Mapping[str, Snapshot] = {}
        self._progress = ""

    def draw(self, snapshots: Mapping[str, Snapshot]) -> None:
        """Draw the studies."""
        self._snapshots = snapshots
        self._redraw()

    def progress(self, what: str, done: int, total: int) -> None:
        """Draw how far something has come, below the studies; nothing if the text is empty."""
        self._progress = "" if not what else f"{what}: {done} of {total}" if total > 1 else f"{what} ..."
        self._redraw()

    def say(self, line: str) -> None:
        """Print a line above the studies."""
        self._live.console.print(Text(on_one_line(line)))

    def close(self) -> None:
        """Give the screen back."""
        self._live.stop()

    def _redraw(self) -> None:
        from tunefront.commands.screen.snapshot_text import render  # late: it imports Optuna

        shown = list(self._snapshots.values())
        height = self._live.console.height
        parts: list[RenderableType] = []
        if len(shown) == 1:
            parts.append(render(shown[0], height))
        elif shown or not self._progress:
            parts += [Text(line) for line in _lines(self._snapshots)]
        if self._progress:
            parts.append(Text(self._progress, style="dim"))
        self._live.start()  # does nothing once it is started
        self._live.update(Group(*parts))


def _lines(snapshots: Mapping[str, Snapshot]) -> list[str]:
    """Return a line on each study."""
    from tunefront.commands.screen.snapshot_text import describe_progress

    if not snapshots:
        return [_NO_STUDY]
    return [on_one_line(f"{name}: {describe_progress(snapshot)}") for name, snapshot in snapshots.items()]


def make_fleet_view(console: Console) -> FleetView:
    """Return a view that is redrawn if the console is a terminal, else one that prints lines."""
    return StudyViews(LiveScreen(console) if console.is_terminal else PlainScreen(console))
