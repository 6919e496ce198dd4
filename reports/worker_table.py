"""The workers of a store for a person and for programs: who they are, and what they train now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from tunefront.printable import on_one_line
from tunefront.storage.control.work import ProcessWork

_MAX_NUMBERS = 6  # trial numbers listed for one worker and study


def workers_as_json(workers: Sequence[ProcessWork]) -> list[dict[str, Any]]:
    """Return objects with name, host, devices, when each was last seen, and its trials."""
    return [
        {
            "worker": each.process.name,
            "host": each.process.host_name,
            "pid": each.process.pid,
            "devices": list(each.process.devices),
            "seconds_unseen": round(each.seconds_unseen, 1),
            "state": _state(each),
            "epochs_an_hour": None if each.epochs_an_hour is None else round(each.epochs_an_hour, 1),
            "trials": [{"study": work.study, "trial": work.number, "slot": work.slot} for work in each.work],
        }
        for each in workers
    ]


def worker_table(workers: Sequence[ProcessWork]) -> Table:
    """Return a table with a row for each worker."""
    table = Table(title="workers", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("worker", "host", "device", "last seen", "trains"):
        table.add_column(name)
    table.add_column("epochs/h", justify="right")
    for each in workers:
        speed = "-" if each.epochs_an_hour is None else f"{each.epochs_an_hour:,.0f}"
        table.add_row(
            on_one_line(each.process.name),
            on_one_line(each.process.host_name),
            on_one_line(_devices(each.process.devices)),
            _ago(each.seconds_unseen),
            on_one_line(_trains(each)),
            speed,
        )
    return table


def _state(worker: ProcessWork) -> str:
    if worker.is_lost:
        return "lost"
    if worker.process.is_draining:
        return "ending"
    return "working" if worker.work else "idle"


def _devices(devices: Sequence[str]) -> str:
    counted = Counter(devices)
    return ", ".join(f"{n} x {device}" if n > 1 else device for device, n in counted.items()) or "-"


def _trains(worker: ProcessWork) -> str:
    numbers: dict[str, list[int]] = {}
    for work in worker.work:
        numbers.setdefault(work.study, []).append(work.number)
    parts = []
    for study, found in numbers.items():
        more = f" and {len(found) - _MAX_NUMBERS} more" if len(found) > _MAX_NUMBERS else ""
        parts.append(f"{study}: {', '.join(map(str, found[:_MAX_NUMBERS]))}{more}")
    trains = "; ".join(parts)
    if worker.is_lost:
        return f"{trains + '; ' if trains else ''}lost"
    if worker.process.is_draining:
        return f"{trains + '; ' if trains else ''}told to end by {worker.process.wished_by}"
    return trains or "nothing now"


def _ago(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 7200 else f"{seconds / 3600:.0f} h ago"
