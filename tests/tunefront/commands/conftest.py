"""A command line as a user types it, and small studies for it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reports.report_fixture import ReportFixture
from tests.storage.study_fixture import DIRECTIONS, METRICS, StudyFixture
from tunefront.commands import app
from tunefront.search.spec.file import read_spec
from tunefront.storage import studies
from tunefront.storage.database.connection import open_store

Run = Callable[..., tuple[int, str, str]]
SPEC = 'name = "digits"\ntrials = 4\n[data]\nsource = "digits"\n'


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A function that runs a command line in an empty folder, and returns exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    # What takes long says so on stderr, on a busy machine anything does: those lines have a test of their own.
    monkeypatch.setattr("tunefront.commands.screen.spinner._PATIENCE_SECONDS", 3600.0)

    def run_command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tunefront", *arguments])
        try:
            app.main()
            code = 0
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else 0 if ending.code is None else 1
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run_command


@pytest.fixture
def study(tmp_path: Path) -> ReportFixture:
    """A study in ./tunefront.db: trial 0 is the best and its model is kept, trial 1 is small."""
    fixture = ReportFixture.make(tmp_path)
    model = tmp_path / "trial-0.keras"
    model.write_bytes(b"a model")
    model.with_suffix(".json").write_text("{}")
    fixture.complete(0.95, 80_000, 8.0, model_path=str(model), measurements={"trial_seconds": 10.0})
    small = {"optimizer.name": "sgd", "sgd.learning_rate": 0.5}
    fixture.complete(0.80, 5_000, 0.5, parameters=small, measurements={"trial_seconds": 2.0})
    return fixture


@pytest.fixture
def store_study(tmp_path: Path) -> StudyFixture:
    """Store a study with one finished trial, from study.toml, in ./tunefront.db."""
    (tmp_path / "study.toml").write_text(SPEC)
    spec = read_spec(tmp_path / "study.toml")
    store = open_store(f"sqlite:///{tmp_path / 'tunefront.db'}", is_writer=True)
    fixture = StudyFixture(studies.create(store, spec.name, spec.as_json(), {}, DIRECTIONS, METRICS))
    fixture.finish(fixture.lease())
    return fixture
