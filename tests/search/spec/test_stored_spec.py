"""Studies of the first specs go on as they were meant."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.search.spec.spec_text import TODAY
from tests.search.supervisor_fixture import SupervisorFixture
from tunefront.search.spec.file import read_spec
from tunefront.search.spec.stored_spec import stored_spec_in
from tunefront.search.spec.study_spec import StudySpec, differences
from tunefront.spaces.architectures import BACKBONE_NAMES
from tunefront.storage import studies, trials
from tunefront.storage.database.connection import open_store

ASSETS = Path(__file__).with_name("assets")
FIRST = ("all_defaults", "backbone", "accuracy_alone")
DEFAULTS: dict[str, Any] = json.loads((ASSETS / "first_defaults.json").read_text())
THEN = [0.0, 0.8, 0.9, 1.0]


@pytest.fixture
def first_url(tmp_path: Path) -> str:
    """A store of studies whose specs lack what their files left out, with three complete trials each."""
    path = tmp_path / "first.sqlite"
    path.write_bytes(gzip.decompress((ASSETS / "first_specs.sqlite.gz").read_bytes()))
    return f"sqlite:///{path}"


@pytest.mark.parametrize("name", FIRST)
def test_a_first_study_goes_on_from_its_unchanged_file(first_url: str, tmp_path: Path, name: str) -> None:
    spec = read_spec(ASSETS / f"{name}.toml", stored_spec_in(first_url), trials=5)
    opened = open_store(first_url)
    study = studies.find(opened, name)
    assert study is not None
    assert differences(study.record.spec, spec.as_json()) == []
    before = trials.load(study)
    fixture = SupervisorFixture(tmp_path, spec, {}, url=first_url)
    fixture.run()
    assert fixture.states() == ["complete"] * 5
    assert fixture.trials()[:3] == before


def test_a_first_study_keeps_the_freeze_fractions_of_then(first_url: str) -> None:
    lines: list[str] = []
    spec = read_spec(ASSETS / "backbone.toml", stored_spec_in(first_url), lines.append)
    space = spec.as_json()["space"]
    assert space["VGG16"]["freeze_fraction"] == space["MobileNetV2"]["freeze_fraction"] == THEN
    assert spec.start_parameters() == [{"architecture.name": "VGG16", "VGG16.freeze_fraction": 0.9}]
    assert [line for line in lines if "freeze_fraction" in line] == [
        f"space.{name}.freeze_fraction: the study began with {THEN} and goes on with it; the spec leaves it out, "
        f"which in a new study means {TODAY}"
        for name in ("MobileNetV2", "VGG16")
    ]


def test_a_first_study_keeps_its_objectives(first_url: str) -> None:
    axes = {"all_defaults": ["accuracy", "memory", "time"], "backbone": ["accuracy", "memory"]}
    for name, expected in {**axes, "accuracy_alone": ["accuracy"]}.items():
        spec = read_spec(ASSETS / f"{name}.toml", stored_spec_in(first_url))
        assert list(spec.parsed_objectives()) == expected


# Settings that came later, with what was fixed before them.
LATER: dict[str, dict[str, Any]] = {
    "reduce_on_plateau": {"monitor": "val_loss"},
    **{name: {"norm_momentum": 0.0} for name in BACKBONE_NAMES},
}


def test_first_specs_mean_every_default_of_then() -> None:
    # The old value of a changed default must be added to search/spec/stored_spec.py: studies that left it out mean it.
    for family in ("architecture", "optimizer", "augmentation", "schedule"):
        for name, settings in DEFAULTS[family].items():
            data = {"name": "first", "data": {"source": "digits"}, "space": {family: name}}
            space = StudySpec.from_json(data).as_json()["space"]
            assert space.get(name, {}) == {**settings, **LATER.get(name, {})}, name
            assert {key: space[key] for key in DEFAULTS["general"]} == {**DEFAULTS["general"], family: name}
