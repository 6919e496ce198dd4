"""Light commands stay light: tests of what they load, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.layering import FRAMEWORKS, ROOT
from tunefront.commands.app import COMMANDS

pytestmark = pytest.mark.processes

_REPORT_LOADED = """
import sys
try:
    {code}
except SystemExit as ending:
    assert not ending.code, ending.code
loaded = {{name.split(".")[0] for name in sys.modules}} & {frameworks}
print("LOADED", *sorted(loaded), file=sys.stderr)
"""


def _frameworks_loaded_by(code: str, folder: Path) -> tuple[list[str], str]:
    """Return the frameworks that a fresh interpreter has loaded after `code`, and its output."""
    done = subprocess.run(
        [sys.executable, "-c", _REPORT_LOADED.format(code=code, frameworks=FRAMEWORKS)],
        capture_output=True,
        text=True,
        cwd=folder,
        # A set PYTHONSAFEPATH would keep `python -c` from finding a stand-in in the current folder.
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "PYTHONSAFEPATH": ""},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()[-1].removeprefix("LOADED").split(), done.stdout


def _command(*arguments: str) -> str:
    return f"sys.argv = {['tunefront', *arguments]!r}; from tunefront.commands import app; app.main()"


@pytest.fixture(scope="module")
def store_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tunefront.db of one finished trial."""
    from tests.storage.study_fixture import DATASET, DIRECTIONS, MEASUREMENTS, METRICS, SPEC
    from tunefront.storage import queue, studies
    from tunefront.storage.database.connection import open_store
    from tunefront.storage.outcomes import Outcome

    folder = tmp_path_factory.mktemp("light")
    store = open_store(f"sqlite:///{folder / 'tunefront.db'}", is_writer=True)
    study = studies.create(store, "digits", SPEC, DATASET, DIRECTIONS, METRICS)
    with store.exclusively():
        leased = queue.lease_next(study, 1, "worker", "cpu0")
    assert leased is not None
    values = [MEASUREMENTS[name] for name in METRICS]
    queue.finish(study, leased[0], Outcome.COMPLETE, values=values, measurements=MEASUREMENTS)
    return folder


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("--help", "Usage"),
        ("status", "digits"),
        ("status digits", "digits"),
        ("report digits", "wrote"),
    ],
)
def test_frameworks_stay_unloaded_when_a_light_command_runs(store_folder: Path, command: str, printed: str) -> None:
    loaded, output = _frameworks_loaded_by(_command(*command.split()), store_folder)
    assert loaded == []
    assert printed in output


def test_frameworks_stay_unloaded_when_a_supervisor_is_imported(tmp_path: Path) -> None:
    names = ("supervisor.supervisor", "fleet.run", "fleet.work", "preparation.prepare", "trial.process")
    modules = ", ".join(f"tunefront.search.{name}" for name in names)
    assert _frameworks_loaded_by(f"import {modules}, tunefront.spaces", tmp_path)[0] == []


def test_a_loaded_framework_is_noticed_when_there_is_one(tmp_path: Path) -> None:
    # This shows that the tests above can fail. Keras is a stand-in, because the real one takes many seconds.
    (tmp_path / "keras.py").touch()
    assert _frameworks_loaded_by("import keras", tmp_path)[0] == ["keras"]


def _modules_loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\nbefore = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_imports_nothing_else() -> None:
    assert _modules_loaded_by("import tunefront") == {"tunefront"}


def test_a_command_line_imports_the_module_of_its_own_command_alone() -> None:
    code = (
        "from tunefront.commands import app\n"
        "sys.argv = ['tunefront', 'report', '--help']\n"
        "try:\n    app.main()\nexcept SystemExit as ending:\n    assert not ending.code"
    )
    ours = {name.removeprefix("tunefront.") for name in _modules_loaded_by(code) if name.startswith("tunefront.")}
    names = ("app", "options", "reports", "screen", "screen.reminder", "screen.spinner", "session", "terminal")
    needed = {f"commands.{name}" for name in names}
    assert ours == {"commands", "mistakes", "printable", "program_end", "study", *needed}


def test_the_table_of_commands_names_functions_that_are_there() -> None:
    for name, module in COMMANDS.items():
        assert callable(getattr(import_module(f"tunefront.commands.{module}"), name)), name


def test_a_trial_process_has_loaded_neither_the_database_nor_what_keras_only_draws_with(tmp_path: Path) -> None:
    code = """
import gc, sys
from importlib import import_module
from tunefront.search.launching.fork_server import KERAS_MODULES
for name in KERAS_MODULES:
    import_module(name)
print(*sorted({"alembic", "keras", "matplotlib", "optuna", "sklearn", "sqlalchemy"} & sys.modules.keys()))
before = set(sys.modules)
from tunefront.search.data.sources.digits import DigitsSource
print(len(DigitsSource(source="digits").find()), "sklearn" in sys.modules)
import keras, sklearn.metrics, matplotlib.pyplot  # whoever needs them still gets them
import tunefront.search.trial.process as process
print(gc.isenabled(), *(name for name in set(sys.modules) - before if name.startswith("tunefront")))
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=True)
    assert done.stdout.splitlines() == ["keras optuna", "1797 False", "True"]
