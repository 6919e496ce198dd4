"""Rules for files and folders: their sizes, their names and those of their classes, and which are installed."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from pathlib import Path

from tests.layering import PACKAGES, ROOT

MAX_FILES = 18  # in a folder
MAX_LINES = 300
NOUNS_IN_ING = {"freezing", "mixing", "pretraining", "recording", "retraining", "training"}  # nouns of the field
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_folder_has_too_many_files() -> None:
    n_files = Counter(name_of(path.parent) for path in FILES)
    assert {folder: n for folder, n in n_files.items() if n > MAX_FILES} == {}


def test_no_file_has_too_many_lines() -> None:
    tests = (ROOT / "tests").rglob("*.py")
    n_lines = {name_of(path): len(path.read_text().splitlines()) for path in [*FILES, *tests]}
    assert {file: n for file, n in n_lines.items() if n > MAX_LINES} == {}


def test_no_two_classes_have_one_name() -> None:
    nodes = [node for path in FILES for node in ast.walk(ast.parse(path.read_text()))]
    n_classes = Counter(node.name for node in nodes if isinstance(node, ast.ClassDef))
    assert {name: n for name, n in n_classes.items() if n > 1} == {}


def test_files_are_named_by_nouns() -> None:
    last_words = {name_of(path): path.stem.rpartition("_")[2] for path in FILES}
    assert [file for file, word in last_words.items() if word.endswith("ing") and word not in NOUNS_IN_ING] == []


def test_the_packages_that_are_listed_are_the_folders() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    names = [name_of(path.parent).replace("/", ".") for path in FILES if path.name == "__init__.py"]
    assert listed == sorted(name if name.split(".")[0] == "tunefront" else f"tunefront.{name}" for name in names)


def test_a_wheel_has_all_files_of_the_one_package_and_nothing_else(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    build = "from setuptools import build_meta; build_meta.build_wheel('.')"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path, env=environment, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()]
    names = {name_of(path) for path in files if path.suffix != ".pyc"}
    expected = {name if name.startswith("tunefront/") else f"tunefront/{name}" for name in names}
    assert {"tunefront/reports/page/page.html.j2", "tunefront/spaces/architectures/backbone_layers.txt"} <= expected
    assert "tunefront/storage/database/migrations/versions/0001_first_tables.py" in expected
    assert {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name} == expected
