"""The rules of layering hold, and a file that breaks one is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.layering import FLOORS, PACKAGES, ROOT, violations


def test_imports_of_the_house_go_downwards() -> None:
    assert violations(ROOT) == []


def test_every_package_is_there_to_be_checked() -> None:
    for package in PACKAGES:
        assert list((ROOT / package).glob("*.py")), package
    assert {path.parent.name for path in (ROOT / "search").glob("*/__init__.py")} == FLOORS.keys()


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
        (
            "search/trial/process.py",
            "import keras",
            "search/trial/process.py:1: search must not import keras at module level",
        ),
        ("search/a.py", "def f():\n    import rich.table", "search/a.py:2: search must not import rich.table"),
        ("search/a.py", "from typer import Option", "search/a.py:1: search must not import typer"),
        (
            "search/spec/a.py",
            "def f():\n    from tunefront.search.trial.goal import Goal",
            "search/spec/a.py:2: search must not import tunefront.search.trial.goal of a higher floor",
        ),
        (
            "search/trial/a.py",
            "from tunefront.search import pruning",
            "search/trial/a.py:1: search must not import tunefront.search.pruning of the same floor",
        ),
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
        ("search/models/a.py", "import keras"),
        ("search/trial/a.py", "from tunefront.search.data import cache\nfrom tunefront.search.trial import goal"),
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
