"""The folder of prepared data as a table for a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from tunefront.printable import on_one_line
from tunefront.search.data.cache_entries import CacheEntry

_KINDS = {"records": "a compressed record file", "digests": "digests of image files, to read none of them again"}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def cache_table(cache: Path, entries: Sequence[CacheEntry]) -> Table:
    """Return a table of the folder's entries, in the order given."""
    n_bytes = sum(entry.n_bytes for entry in entries)
    table = Table(
        title=f"{cache}: {len(entries)} {'entry' if len(entries) == 1 else 'entries'}, {describe_bytes(n_bytes)}",
        title_justify="left",
        title_style="bold",
        box=None,
        padding=(0, 2, 0, 0),
    )
    table.add_column("name", overflow="fold")
    table.add_column("made of", overflow="fold")
    for name in ("images", "size"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("user", no_wrap=True)
    table.add_column("last used", no_wrap=True)
    now = time.time()
    for entry in entries:
        table.add_row(
            Text(on_one_line(entry.path.name)),
            Text(on_one_line(entry.origin or _KINDS.get(entry.what, entry.what))),
            f"{entry.n_examples:,}" if entry.n_examples else "",
            describe_bytes(entry.n_bytes),
            Text(on_one_line(entry.user)),
            _describe_age(now - entry.used),
        )
    return table


def entry_as_json(entry: CacheEntry) -> dict[str, Any]:
    """Return an entry as plain data for programs; ``used`` is in seconds since 1970."""
    return {**asdict(entry), "path": str(entry.path)}


def describe_bytes(n_bytes: int) -> str:
    """Return a size in the largest unit of which it has at least one."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            return f"{n_bytes / size:.3g} {unit}"
    return f"{n_bytes} B"


def _describe_age(seconds: float) -> str:
    for unit, size in (("day", _DAY), ("hour", _HOUR), ("minute", _MINUTE)):
        if seconds >= size:
            n_units = int(seconds // size)
            return f"{n_units} {unit}{'' if n_units == 1 else 's'} ago"
    return "just now"
