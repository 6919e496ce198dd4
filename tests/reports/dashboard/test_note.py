"""The note in optuna-dashboard: its table has the numbers by which its verdict was made."""

from __future__ import annotations

from pathlib import Path

from tests.reports.confirmation.confirmation_fixture import confirmation_of, search, train
from tests.reports.report_fixture import ReportFixture
from tunefront.reports.dashboard.note import with_note
from tunefront.reports.dashboard.readings import Readings
from tunefront.storage import studies


def table(fixture: ReportFixture) -> list[list[str]]:
    """Return the cells of the note's table, its heads first."""
    study = studies.find(fixture.store, fixture.record.name)
    assert study is not None
    lines = with_note(Readings(fixture.store).latest(study), "").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [cells[0], *cells[2:]]


def test_a_notes_table_has_the_confirmed_numbers_beside_those_of_the_search(tmp_path: Path) -> None:
    searched = search(tmp_path)
    heads, *rows = table(searched)
    assert heads == ["trial on the front", "accuracy", "memory", "time"]
    assert [row[0] for row in rows] == ["0", "1", "2"]
    assert rows[0][1:] == ["95.00 ± 2.6 %", "2 kB", "2 s"]  # 2 sqrt(0.95 0.05 / 288) is 0.0257
    confirmation = confirmation_of(searched)
    train(confirmation, 0, [0.84, 0.85, 0.86], 2000, 2.0, start=0)
    train(confirmation, 1, [0.88, 0.89, 0.90], 1000, 1.0, start=0)
    heads, *rows = table(searched)
    assert heads == ["trial on the front", "accuracy", "memory", "time", "accuracy in the search"]
    assert [(row[0], row[1].partition(" ±")[0], row[4]) for row in rows] == [("1", "89.00", "90.00 %")]
