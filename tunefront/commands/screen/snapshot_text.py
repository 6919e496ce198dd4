"""A snapshot of a running study as text: counts and times, what each slot trains, and the front so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tunefront.objectives.measures import axis_name
from tunefront.objectives.quantities import format_quantity
from tunefront.printable import on_one_line
from tunefront.reports.parameters import chips_of
from tunefront.reports.sentences.notes import MARK
from tunefront.reports.tables.fitting_table import FittingTable, TableColumn

if TYPE_CHECKING:
    from tunefront.search.supervisor.view import SlotState, Snapshot

_N_FIXED_LINES = 8  # of counts, titles and heads
_LINES_A_SLOT = 3  # a row, and its candidate in two lines, on a narrow terminal


def render(snapshot: Snapshot, height: int) -> Group:
    """Return what the live view shows, in about `height` lines: a bar, counts, slots, and the front as far as it fits.

    A terminal that is too narrow shows candidates below their slots, if it is high enough for that.
    """
    n_slots = len(snapshot.slots)
    wraps = n_slots * _LINES_A_SLOT <= height // 2
    n_lines = n_slots * (_LINES_A_SLOT if wraps else 1)
    parts: list[RenderableType] = [_bar(snapshot), Text(_counts(snapshot)), _slots(snapshot, wraps=wraps)]
    if snapshot.notice:
        parts.insert(2, Text(on_one_line(snapshot.notice), style="yellow"))
    if snapshot.front is not None:
        parts.append(_front(snapshot, snapshot.front, max_front=max(3, height - n_lines - _N_FIXED_LINES)))
    return Group(*parts)


def describe_progress(snapshot: Snapshot) -> str:
    """Return in a line how far a study is: trials, epochs saved, time spent and left, and what runs now."""
    running = [f"trial {slot.number} {slot.epoch}/{slot.epochs}" for slot in snapshot.slots if slot.number is not None]
    return (
        f"{snapshot.counts.finished} of {snapshot.n_trials} trials after {show_clock(snapshot.seconds)}, "
        f"{describe_time_left(snapshot.seconds_left)}; {_counts(snapshot)}"
        + (f"; now {', '.join(running)}" if running else "")
        + (f"; {snapshot.notice}" if snapshot.notice else "")
    )


def _bar(snapshot: Snapshot) -> Table:
    row = Table.grid(padding=(0, 1), expand=True)
    row.add_column(no_wrap=True)
    row.add_column(ratio=1)
    row.add_column(no_wrap=True)
    finished = min(snapshot.counts.finished, snapshot.n_trials)
    said = Text(f"{snapshot.counts.finished} of {snapshot.n_trials} trials", style="bold green")
    said.append(f"  {show_clock(snapshot.seconds)}", style="default")
    said.append(f"  {describe_time_left(snapshot.seconds_left)}", style="cyan")
    row.add_row(
        Text(snapshot.study, style="bold"), ProgressBar(total=max(snapshot.n_trials, 1), completed=finished), said
    )
    return row


def _counts(snapshot: Snapshot) -> str:
    counts = snapshot.counts
    saved = f" ({snapshot.epochs_saved} epochs saved)" if snapshot.epochs_saved else ""
    parts = [f"{counts.complete} complete", f"{counts.pruned} pruned{saved}", f"{counts.failed} failed"]
    rare = {"refused": counts.refused, "cancelled": counts.cancelled}
    return ", ".join([*parts, *(f"{n} {state}" for state, n in rare.items() if n)])


def _slots(snapshot: Snapshot, *, wraps: bool) -> RenderableType:
    if not snapshot.slots:  # of a study that others work on, none of whom has begun
        return Text("no trial runs now", style="dim")
    heads = ("slot", "trial", "epoch", axis_name("accuracy", snapshot.measure))
    rows = [_slot_cells(slot, snapshot) for slot in snapshot.slots]
    candidates = [_candidate(slot) for slot in snapshot.slots]
    if wraps:
        columns = [
            TableColumn(head, [Text(cell) for cell in cells], is_text=head == "slot")
            for head, cells in zip(heads, zip(*rows, strict=True), strict=True)
        ]
        return FittingTable("", columns, candidates, "candidate", is_compact=True)
    table = Table(box=None, padding=(0, 1), expand=True)
    for head in heads:
        table.add_column(head, justify="left" if head == "slot" else "right", no_wrap=True)
    table.add_column("candidate", overflow="ellipsis", no_wrap=True, ratio=1)
    for row, candidate in zip(rows, candidates, strict=True):
        table.add_row(*row, Text(", ".join(candidate)))
    return table


def _candidate(slot: SlotState) -> list[str]:
    return ["waiting"] if slot.number is None else [on_one_line(each) for each in chips_of(slot.parameters)]


def _slot_cells(slot: SlotState, snapshot: Snapshot) -> tuple[str, str, str, str]:
    if slot.number is None:
        return slot.name, "-", "", ""
    accuracy = "" if slot.accuracy is None else format_quantity(slot.accuracy, snapshot.measure.unit)
    return slot.name, str(slot.number), f"{slot.epoch}/{slot.epochs}", accuracy


def _front(snapshot: Snapshot, front: Sequence[tuple[int, tuple[float, ...]]], max_front: int) -> FittingTable:
    """Return the front so far, the best of each objective in bold, with a mark at trials that only guess."""
    n_front, shown = len(front), front[:max_front]
    counted = f"{n_front} trial" if n_front == 1 else f"{n_front} trials"
    title = f"front so far: {counted}" + (f", the first {max_front} shown" if n_front > max_front else "")
    best = _best(snapshot, front)
    columns = [TableColumn("trial", [Text(str(number)) for number, _ in shown])]
    for place, (axis, objective) in enumerate(snapshot.objectives.items()):
        cells = []
        for number, values in shown:
            mark = f" {MARK}" if axis == "accuracy" and number in snapshot.guessing else ""
            text = format_quantity(values[place], objective.measure.unit) + mark
            cells.append(Text(text, style="bold green" if best[place] == number else ""))
        columns.append(TableColumn(axis_name(axis, objective.measure), cells))
    caption = f"{MARK} no better than guessing" if snapshot.guessing & {number for number, _ in shown} else ""
    return FittingTable(title, columns, caption=caption, is_compact=True)


def _best(snapshot: Snapshot, front: Sequence[tuple[int, tuple[float, ...]]]) -> list[int | None]:
    """Return for each objective the trial that is best in it, the first of equals; those that only guess are not."""
    found: list[int | None] = []
    for place, objective in enumerate(snapshot.objectives.values()):
        losses = {
            number: objective.measure.loss(values[place]) for number, values in front if number not in snapshot.guessing
        }
        found.append(min(losses, key=losses.__getitem__, default=None))
    return found


def show_clock(seconds: float) -> str:
    """Return a time as a clock shows it: ``"1:05"``, ``"2:03:07"``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def describe_time_left(seconds: float | None) -> str:
    """Return the time left as text, such as ``about 3 min left``, or say that it is not known yet."""
    if seconds is None:
        return "time left: not known yet"
    if seconds < 90:
        return f"about {max(round(seconds, -1), 10):.0f} s left"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds / 3600:.1f} h left"
