"""The documents name what exists, and what exists is in the documents."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from tunefront.objectives.measures import MEASURES
from tunefront.search.data.sources import DataTable
from tunefront.search.spec.deploy import DeployTable, DeviceTable
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.spec.tables import (
    EarlyStoppingTable,
    OptunaPrunerTable,
    ParetoTable,
    PretrainTable,
    SamplerTable,
    StopTable,
    TrainingTable,
)
from tunefront.spaces.architectures import BACKBONE_NAMES, BASELINE_NAMES
from tunefront.spaces.augmentation.levels import LEVELS
from tunefront.spaces.optimizers import OPTIMIZERS
from tunefront.spaces.schedules import SCHEDULES
from tunefront.spaces.space import GENERAL, Space

ROOT = Path(__file__).parents[1]
REFERENCE = (ROOT / "docs/spec.md").read_text()
NAMED = set(re.findall(r"[a-z0-9_]+", REFERENCE, re.IGNORECASE))

SOURCES = DataTable.__origin__.__args__  # type: ignore[attr-defined]
SAMPLERS = get_args(get_args(SamplerTable)[0])
PRUNERS = get_args(OptunaPrunerTable)
TABLES: tuple[type[BaseModel], ...] = (
    StudySpec, DeployTable, DeviceTable,
    TrainingTable, EarlyStoppingTable, ParetoTable, PretrainTable, StopTable, *SOURCES, *SAMPLERS, *PRUNERS,
)  # fmt: skip


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_key_is_in_the_reference(table: type[BaseModel]) -> None:
    assert set(table.model_fields) - NAMED == set()


def test_every_name_is_in_the_reference() -> None:
    names = {*GENERAL, *BACKBONE_NAMES, *BASELINE_NAMES, *LEVELS, *LEVELS["custom"], *OPTIMIZERS, *SCHEDULES}
    names |= {setting for settings in SCHEDULES.values() for setting in settings}
    assert names - NAMED == set()


def test_every_measure_is_defined() -> None:
    text = (ROOT / "docs/measures.md").read_text()
    for name in MEASURES:
        assert f"`{name}`" in text, name
        assert f"`{name}`" in REFERENCE, name


def test_links_lead_somewhere() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_tests_that_are_named_exist() -> None:
    """docs/reliability.md says which test shows each promise, by its name or by its file's."""
    paths = [*(ROOT / "tests").rglob("test_*.py")]
    known = {name for path in paths for name in re.findall(r"(?m)^def (test_\w+)", path.read_text())}
    files = {path.relative_to(ROOT).as_posix() for path in paths}
    text = (ROOT / "docs/reliability.md").read_text()
    assert set(re.findall(r"`(test_\w+)`", text)) - known == set()
    named = set(re.findall(r"`((?:\w+/)*test_\w+\.py)`", text))
    assert {name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)} == set()


def test_the_readme_names_every_example() -> None:
    text = (ROOT / "README.md").read_text()
    for path in (ROOT / "examples").rglob("*.toml"):
        assert f"({path.relative_to(ROOT)})" in text, path.name


@pytest.mark.parametrize("document", ["README.md", "docs/spec.md"])
def test_spec_blocks_can_be_read(document: str) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        table = tomllib.loads(re.sub(r"^batch_size = \[.*\n", "", block, flags=re.MULTILINE))
        if "name" in table:
            StudySpec.model_validate(table)
        elif "batch_size" in table:
            shared = {"batch_size": table["batch_size"], "optimizer": "adam"}
            own = {key: table[key] for key in ("n_blocks", "dropout")}
            Space.from_table({**shared, "plain_cnn": own, "adam": {"learning_rate": table["learning_rate"]}})
