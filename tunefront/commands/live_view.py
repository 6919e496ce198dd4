"""The views of a running study: a live view in a terminal, plain lines elsewhere."""

from __future__ import annotations

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tunefront.objectives.measures import axis_name
from tunefront.objectives.quantities import format_quantity
from tunefront.printable import on_one_line
from tunefront.search.supervisor.view import Snapshot, View


class PlainView:
    """A view of one line for each event, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tenths: dict[str, int] = {}  # name of a long task -> the tenth that was printed last

    def show(self, snapshot: Snapshot) -> None:
        """Do nothing: a log has no place to redraw."""

    def progress(self, what: str, done: int, total: int) -> None:
        tenth = 10 * done // max(total, 1)
        if self._tenths.get(what) != tenth:
            self._tenths[what] = tenth
            self.say(f"{what}: {done} of {total}" if total > 1 else f"{what} ...")

    def say(self, line: str) -> None:
        self._console.print(on_one_line(line), markup=False, highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        self.say(text)

    def close(self) -> None:
        """Do nothing: there is no screen to restore."""


class LiveView:
    """A view of slots, counts, the front so far and the time left, redrawn in place; events scroll above it."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._is_started = False

    def _start(self) -> None:
        if not self._is_started:
            self._live.start()
            self._is_started = True

    def progress(self, what: str, done: int, total: int) -> None:
        self._start()
        bar = ProgressBar(total=max(total, 1), completed=done, width=40)
        row = Table.grid(padding=(0, 1))
        row.add_row(*((what, bar, f"{done} of {total}") if total > 1 else (f"{what} ...",)))
        self._live.update(row)

    def show(self, snapshot: Snapshot) -> None:
        self._start()
        self._live.update(render(snapshot, max_front=max(3, self._live.console.height - len(snapshot.slots) - 9)))

    def say(self, line: str) -> None:
        self._live.console.print(Text(on_one_line(line)))

    def warn(self, text: str) -> None:
        self._live.console.print(Text(text, style="yellow"))

    def close(self) -> None:
        if self._is_started:
            self._live.stop()


def make_view(console: Console) -> View:
    """Return a live view if the console is a terminal, else a plain one."""
    return LiveView(console) if console.is_terminal else PlainView(console)


def render(snapshot: Snapshot, max_front: int) -> Group:
    """Return what the live view shows: counts, slots, and at most `max_front` trials of the front."""
    return Group(_render_counts(snapshot), _render_slots(snapshot), _render_front(snapshot, max_front))


def _render_counts(snapshot: Snapshot) -> Text:
    counts = snapshot.counts
    text = Text(f"{snapshot.study}  ", style="bold")
    text.append(f"{counts.finished} of {snapshot.n_trials} trials", style="bold green")
    parts = f"  {counts.complete} complete, {counts.pruned} pruned, {counts.failed} failed"
    if counts.refused:
        parts += f", {counts.refused} refused"
    text.append(parts, style="default")
    text.append(f"  {describe_time_left(snapshot.seconds_left)}", style="cyan")
    return text


def _render_slots(snapshot: Snapshot) -> Table:
    table = Table(box=None, padding=(0, 1), expand=True)
    table.add_column("slot", style="dim", no_wrap=True)
    table.add_column("trial", justify="right", no_wrap=True)
    table.add_column("epoch", justify="right", no_wrap=True)
    table.add_column(axis_name("accuracy", snapshot.measure), justify="right", no_wrap=True)
    table.add_column("candidate", overflow="ellipsis", no_wrap=True, ratio=1)
    for slot in snapshot.slots:
        if slot.number is None:
            table.add_row(slot.name, "-", "", "", Text("waiting", style="dim"))
            continue
        accuracy = "" if slot.accuracy is None else format_quantity(slot.accuracy, snapshot.measure.unit)
        table.add_row(
            slot.name, str(slot.number), f"{slot.epoch}/{slot.epochs}", accuracy, Text(on_one_line(slot.candidate))
        )
    return table


def _render_front(snapshot: Snapshot, max_front: int) -> Table:
    n_front = len(snapshot.front)
    counted = f"{n_front} trial" if n_front == 1 else f"{n_front} trials"
    title = f"front so far: {counted}" + (f", the first {max_front} shown" if n_front > max_front else "")
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 1))
    table.add_column("trial", justify="right")
    for objective in snapshot.objectives.values():
        table.add_column(objective.measure.name, justify="right")
    for number, values in snapshot.front[:max_front]:
        shown = [
            format_quantity(value, objective.measure.unit)
            for value, objective in zip(values, snapshot.objectives.values(), strict=True)
        ]
        table.add_row(str(number), *shown)
    return table


def describe_time_left(seconds: float | None) -> str:
    """Return the time left as text, such as ``about 3 min left``, or say that it is not known yet."""
    if seconds is None:
        return "time left: not known yet"
    if seconds < 90:
        return f"about {max(round(seconds, -1), 10):.0f} s left"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds / 3600:.1f} h left"
