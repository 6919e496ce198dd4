"""Commands in a real terminal of 60 columns, and what they print where there is none."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.layering import ROOT
from tests.reports.report_fixture import ReportFixture
from tests.tunefront.commands.conftest import Run
from tunefront.commands.screen.spinner import at_work
from tunefront.storage.outcomes import Outcome

WIDTH = 60


def in_terminal(folder: Path, code: str) -> list[str]:
    """Run Python code in a terminal, and return what it shows as lines, colours and all."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, WIDTH, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    environment |= {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux says so when the last writer has gone
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait() == 0, shown.decode()
    return shown.decode().replace("\r\n", "\n").split("\n")


def _command(*arguments: str) -> str:
    return f"import sys; sys.argv = {['tunefront', *arguments]!r}; from tunefront.commands import app; app.main()"


def test_lines_break_between_words_and_never_inside_a_path(study: ReportFixture, tmp_path: Path) -> None:
    lines = in_terminal(tmp_path, _command("report", "digits"))
    start = next(number for number, line in enumerate(lines) if line.startswith("wrote "))
    written = lines[start : next(number for number, line in enumerate(lines) if line.startswith("next: "))]
    assert len(written) > 1
    assert all(len(line) <= WIDTH for line in written)
    words = "results/digits/report.html and beside it front.md, front.csv, trials.csv, importance.csv, epochs.csv,"
    assert " ".join(written).startswith(f"wrote {words}")
    assert "next: open results/digits/report.html" in lines


def test_what_is_to_be_copied_is_not_broken(tmp_path: Path) -> None:
    command = "tunefront run " + " ".join(["--storage"] * 12)
    row = f"| a |  {'b' * 70} | c |"
    code = f"from tunefront.commands.terminal import say, suggest\nsuggest({command!r}, {command!r})\n"
    lines = in_terminal(tmp_path, code + f"say('Go on with:\\n  {command}')\nsay({row!r}, is_prose=False)")
    assert lines[:5] == [f"next: {command}", f"      {command}", "Go on with:", f"  {command}", row]


def test_a_command_in_a_sentence_is_not_broken(tmp_path: Path) -> None:
    text = "The best of many trials is a little lucky: so write 'tunefront confirm digits', and it trains them again."
    lines = in_terminal(tmp_path, f"from tunefront.commands.terminal import say\nsay({text!r})")
    assert lines[:2] == [
        "The best of many trials is a little lucky: so write",
        "'tunefront confirm digits', and it trains them again.",
    ]


def test_what_takes_long_spins_in_a_terminal(tmp_path: Path) -> None:
    code = (
        "import time; from tunefront.commands.screen.spinner import at_work\nwith at_work('counting'): time.sleep(0.3)"
    )
    assert "counting ..." in "".join(in_terminal(tmp_path, code))


def test_what_takes_long_is_a_line_elsewhere_and_what_does_not_is_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = "tunefront.commands.screen.spinner._PATIENCE_SECONDS"
    monkeypatch.setattr(patience, 3600.0)
    with at_work("counting"):
        pass
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(patience, 0.0)
    with at_work("counting"):
        shown = ""
        while not shown.endswith("\n"):
            shown += capsys.readouterr().err
    assert shown == "counting ...\n"


def test_a_watched_study_is_shown_until_it_is_over(study: ReportFixture, tmp_path: Path) -> None:
    """A study of four trials; the last two end between two looks."""
    code = """
from tests.reports.report_fixture import ReportFixture
from tunefront.commands.screen.watch import watch_status
from tunefront.reports.status import study_status
from tunefront.storage.database.connection import open_store
from tunefront.storage import studies

fixture = ReportFixture(studies.find(open_store("sqlite:///tunefront.db", is_writer=True), "digits"))

def read():
    fixture.complete(0.5, 9.0, 9.0)
    return study_status(studies.find(fixture.store, "digits"))

last = watch_status(study_status(fixture.study), read, pause_seconds=0.01)
print("LAST", last.results.n_finished)
"""
    shown = "".join(in_terminal(tmp_path, code))
    for number in (2, 3):
        assert f"digits: {number} of 4 trials" in shown
    assert "Ctrl-C ends" in shown
    assert "LAST 4" in shown


def test_a_watched_study_that_is_higher_than_the_screen_says_how_many_lines_are_left_out(tmp_path: Path) -> None:
    """A front of 40 models on a screen of 30 lines."""
    code = """
from pathlib import Path
from tests.reports.report_fixture import ReportFixture
from tunefront.commands.screen.watch import watch_status
from tunefront.reports.status import study_status
from tunefront.storage.outcomes import Outcome

fixture = ReportFixture.make(Path("."), n_trials=40)
for number in range(40):
    fixture.complete(0.5 + number / 100, 100.0 + number, 1.0)
running, looks = fixture.lease(), []

def read():
    if looks:
        fixture.end(running, Outcome.FAILED)
    looks.append("one")
    return study_status(fixture.study)

watch_status(study_status(fixture.study), read, pause_seconds=0.01)
"""
    shown = "".join(in_terminal(tmp_path, code))
    assert "89.00 %" in shown  # the first model of the front
    assert "50.00 %" not in shown  # the last one
    assert " more lines: the same command without --watch shows" in shown


def test_watch_of_a_study_that_is_over_prints_its_status_once(run: Run, study: ReportFixture) -> None:
    for _ in range(2):
        study.end(study.lease(), Outcome.PRUNED, curve=(0.1,), reason="epoch 1: hopeless")
    code, output, _ = run("status", "digits", "--watch")
    assert (code, output.count("digits: 4 of 4 trials")) == (0, 1)
    code, _, errors = run("status", "digits", "--watch", "--json")
    assert (code, errors.count("leave one of them out")) == (2, 1)
