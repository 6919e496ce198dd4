"""The import directions of the house, and that light commands stay light."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GROUND = {"mistakes", "printable"}  # modules of `tunefront` that every package may import
PACKAGES = ("objectives", "storage", "spaces", "search", "reports", "tunefront")  # folders of the one import package
FRAMEWORKS = {"keras", "tensorflow", "jax", "jaxlib", "torch"}

# package -> what it may import of ours, itself and the ground left out
MAY_IMPORT: dict[str, set[str]] = {
    "mistakes": set(),
    "printable": set(),
    "objectives": set(),
    "storage": {"objectives"},
    "spaces": set(),
    "search": {"spaces", "storage", "objectives"},
    "reports": {"storage", "objectives"},
    "tunefront": {"search", "storage", "objectives", "reports", "spaces"},
}
# package -> third-party packages it needs; packages that are not named here may import any
THIRD_PARTY: dict[str, set[str]] = {
    "mistakes": set(),
    "printable": set(),
    "objectives": {"moocore", "numpy"},
    "storage": {"optuna", "sqlalchemy"},
    "spaces": {"optuna", "keras", "numpy"},
}
NO_FRAMEWORK = {*GROUND, "objectives", "storage", "reports", "tunefront"}  # not even inside a function
LOADED_LATE = {
    f"tunefront/commands/{name}.py" for name in ("cache_table", "data_table", "live_view", "profile_table")
}  # of the front door, not by --help
IN_TRIAL_PROCESS = {
    f"search/trial/{name}.py"
    for name in ("trainable", "fit", "memory", "timer", "augmented_model", "batches", "loss", "epoch_watcher")
}  # frameworks at module level


@dataclass(frozen=True)
class Import:
    module: str
    line: int
    is_inside_function: bool
    is_for_types: bool  # under `if TYPE_CHECKING`

    @property
    def top(self) -> str:
        """A package of ours, a module of the ground, or a top-level name of others."""
        return _top_of(self.module.split("."))


def _top_of(parts: Sequence[str]) -> str:
    return parts[1] if parts[0] == "tunefront" and len(parts) > 1 and parts[1] in {*PACKAGES, *GROUND} else parts[0]


def imports_of(source: str, package: str) -> Iterator[Import]:
    """Every import of a file, also inside functions and by `import_module("literal")`."""
    yield from _imports_in(ast.parse(source), package, inside=False, for_types=False)


def _imports_in(node: ast.AST, package: str, *, inside: bool, for_types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        is_for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, inside, for_types)
        elif isinstance(child, ast.ImportFrom):
            module = f"tunefront.{package}" if child.level else str(child.module)
            names = [f"{module}.{alias.name}" for alias in child.names] if module == "tunefront" else [module]
            for name in names:
                yield Import(name, child.lineno, inside, for_types)
        elif isinstance(child, ast.Call) and ast.unparse(child.func).endswith(("import_module", "__import__")):
            if child.args and isinstance(child.args[0], ast.Constant):
                yield Import(str(child.args[0].value), child.lineno, inside, for_types)
        yield from _imports_in(child, package, inside=inside or is_function, for_types=for_types or is_for_types)


def violations(root: Path) -> list[str]:
    """What breaks the rules above in the tree at `root`, as ``file:line: why``."""
    found = []
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            importer = _top_of(name.removesuffix(".py").split("/"))
            for imported in imports_of(path.read_text(), package):
                why = _violation(importer, name, imported)
                if why:
                    found.append(f"{name}:{imported.line}: {importer} must not import {imported.module}{why}")
    return found


def _violation(package: str, file: str, imported: Import) -> str:
    if imported.top in {*PACKAGES, *GROUND}:
        may_import = MAY_IMPORT[package] if package in GROUND else MAY_IMPORT[package] | GROUND
        if imported.top != package and imported.top not in may_import:
            return " "
        is_late = imported.is_inside_function or imported.is_for_types
        if package == "tunefront" and file not in LOADED_LATE and imported.top != package and not is_late:
            return "" if imported.top in GROUND else " at module level"
        return ""
    if imported.top in FRAMEWORKS:
        if package in NO_FRAMEWORK:
            return " "
        is_early = not imported.is_inside_function and not imported.is_for_types
        return " at module level" if is_early and file not in IN_TRIAL_PROCESS else ""
    is_third_party = imported.top not in sys.stdlib_module_names
    if is_third_party and package in THIRD_PARTY and imported.top not in THIRD_PARTY[package]:
        return " "
    return ""


def test_imports_of_the_house_go_downwards() -> None:
    assert violations(ROOT) == []


def test_every_package_is_there_to_be_checked() -> None:
    for package in PACKAGES:
        assert list((ROOT / package).glob("*.py")), package


@pytest.mark.parametrize(
    ("file", "source", "expected"),
    [
        (
            "tunefront/mistakes.py",
            "import tunefront.objectives",
            "tunefront/mistakes.py:1: mistakes must not import tunefront.objectives",
        ),
        (
            "tunefront/printable.py",
            "from tunefront import mistakes",
            "tunefront/printable.py:1: printable must not import tunefront.mistakes",
        ),
        (
            "objectives/a.py",
            "import tunefront.storage",
            "objectives/a.py:1: objectives must not import tunefront.storage",
        ),
        ("objectives/a.py", "import pandas", "objectives/a.py:1: objectives must not import pandas"),
        (
            "storage/a.py",
            "from tunefront.search.spec import x",
            "storage/a.py:1: storage must not import tunefront.search.spec",
        ),
        (
            "storage/a.py",
            "def f():\n    from tunefront import spaces",
            "storage/a.py:2: storage must not import tunefront.spaces",
        ),
        ("storage/a.py", "import psutil", "storage/a.py:1: storage must not import psutil"),
        ("spaces/a.py", "import tunefront.objectives", "spaces/a.py:1: spaces must not import tunefront.objectives"),
        ("spaces/a.py", "import keras", "spaces/a.py:1: spaces must not import keras at module level"),
        ("spaces/b/a.py", "from keras import layers", "spaces/b/a.py:1: spaces must not import keras at module level"),
        ("spaces/a.py", "class A:\n    import keras", "spaces/a.py:2: spaces must not import keras at module level"),
        (
            "search/a.py",
            "import tunefront.reports.page",
            "search/a.py:1: search must not import tunefront.reports.page",
        ),
        ("search/a.py", "import tensorflow as tf", "search/a.py:1: search must not import tensorflow at module level"),
        ("search/a.py", "import os, jax", "search/a.py:1: search must not import jax at module level"),
        ("reports/a.py", "import tunefront.spaces", "reports/a.py:1: reports must not import tunefront.spaces"),
        (
            "reports/a.py",
            "from tunefront.search.spec import x",
            "reports/a.py:1: reports must not import tunefront.search.spec",
        ),
        ("reports/a.py", "def f():\n    import keras", "reports/a.py:2: reports must not import keras"),
        ("reports/a.py", "import_module('keras')", "reports/a.py:1: reports must not import keras"),
        (
            "tunefront/commands/a.py",
            "import tunefront.storage",
            "tunefront/commands/a.py:1: tunefront must not import tunefront.storage at module level",
        ),
        (
            "storage/a.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import tunefront.search",
            "storage/a.py:3: storage must not import tunefront.search",
        ),
    ],
)
def test_a_violation_is_found_when_a_file_breaks_a_rule(tmp_path: Path, file: str, source: str, expected: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    assert [line.rstrip() for line in violations(tmp_path)] == [expected]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("objectives/a.py", "import math, numpy, moocore, tunefront.mistakes"),
        (
            "storage/a.py",
            "import tunefront.objectives, optuna, sqlalchemy\nfrom tunefront.storage import a\nfrom . import b",
        ),
        ("spaces/a.py", "def f():\n    import keras\n    from keras import layers"),
        ("search/trial/trainable.py", "import keras"),
        (
            "search/a.py",
            "from tunefront import spaces, storage, objectives\nimport psutil\ndef f():\n    import keras, tensorflow",
        ),
        ("reports/a.py", "import tunefront.storage, tunefront.objectives, pandas"),
        ("tunefront/commands/a.py", "import typer, tunefront.mistakes\ndef f():\n    import tunefront.storage"),
    ],
)
def test_no_violation_is_found_when_a_file_keeps_the_rules(tmp_path: Path, file: str, source: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    assert violations(tmp_path) == []


# Light commands, in processes of their own

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
    """Which frameworks a fresh interpreter has loaded after `code`, and what that printed."""
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
    from tests.storage.bench import DATASET, DIRECTIONS, MEASUREMENTS, METRICS, SPEC
    from tunefront.storage import Outcome, open_store, queue, studies

    folder = tmp_path_factory.mktemp("light")
    store = open_store(f"sqlite:///{folder / 'tunefront.db'}", is_writer=True)
    record = studies.create(store, "digits", SPEC, DATASET, DIRECTIONS, METRICS)
    study = record.optuna_study(store)
    with store.exclusively():
        leased = queue.lease_next(store, study, record.study_id, 1, "worker", "cpu0")
    assert leased is not None
    values = [MEASUREMENTS[name] for name in METRICS]
    queue.finish(store, study, leased[0], Outcome.COMPLETE, values=values, measurements=MEASUREMENTS)
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
    names = ("supervisor.supervisor", "supervisor.run", "spec.study_spec", "preparation.prepare", "trial.process")
    modules = ", ".join(f"tunefront.search.{name}" for name in names)
    assert _frameworks_loaded_by(f"import {modules}, tunefront.spaces", tmp_path)[0] == []


def test_a_loaded_framework_is_noticed_when_there_is_one(tmp_path: Path) -> None:
    # Otherwise the tests above could never fail. A stand-in, because the real ones take many seconds.
    (tmp_path / "keras.py").touch()
    assert _frameworks_loaded_by("import keras", tmp_path)[0] == ["keras"]
