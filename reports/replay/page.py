"""The files of a replay: one HTML page that needs no network, and its tables."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tunefront.reports.figures.plotly_script import plotly_script
from tunefront.reports.page.templates import page_template
from tunefront.reports.replay.figures import replay_figures
from tunefront.reports.replay.tables import (
    TITLES,
    Replay,
    describe_replay,
    repeats_frame,
    replay_frame,
    replay_markdown,
    replay_rows,
)
from tunefront.reports.tables.csv_text import csv_text
from tunefront.storage.files import replace_file

_HIDDEN_FACTS = ("host_name", "process_started_at", "process_ticks")


def write_replay(replay: Replay, out_dir: Path) -> list[Path]:
    """Write the page, the tables and the plain data into `out_dir`, which is made if it is missing.

    Returns:
        The paths of ``replay.html``, ``replay.md``, ``replay.csv``, ``repeats.csv`` and ``replay.json``. Each
        file is replaced only by a whole one.
    """
    contents: Mapping[str, str] = {
        "replay.html": render_replay(replay),
        "replay.md": replay_markdown(replay),
        "replay.csv": csv_text(replay_frame(replay)),
        "repeats.csv": csv_text(repeats_frame(replay)),
        "replay.json": json.dumps(replay),
    }
    out_dir.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        replace_file(out_dir / name, content)
    return [out_dir / name for name in contents]


def render_replay(replay: Replay) -> str:
    """Return the page. Names from a recorded table are escaped, and the page runs no script but its own."""
    lead, *notes = describe_replay(replay)
    figures = {name: str(figure.to_json()).replace("<", "\\u003c") for name, figure in replay_figures(replay).items()}
    return page_template("replay/page.html.j2").render(
        study=replay["facts"]["study"],
        lead=lead,
        notes=notes,
        titles=TITLES,
        rows=replay_rows(replay),
        machines=[
            {name: fact for name, fact in machine.items() if name not in _HIDDEN_FACTS and fact != []}
            for machine in replay["facts"]["machines"]
        ],
        figures=figures,
        plotly=plotly_script(),
        nonce=secrets.token_urlsafe(16),
        written_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=version("tunefront"),
    )
