"""Studies of today go on as they were meant when defaults change later."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import tunefront.spaces.space
from tests.search.spec.spec_text import TODAY
from tunefront.search.spec.differences import list_limit_changes
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.file import read_spec
from tunefront.search.spec.study_spec import StudySpec, differences
from tunefront.spaces.architectures import ARCHITECTURES
from tunefront.spaces.ranges import Choice, Fixed

SMALL = """
name = "small"
data = { source = "digits" }

[space]
architecture = ["VGG16", "plain_cnn"]
optimizer = "adam"
"""


def read(text: str, folder: Path, stored: dict[str, Any] | None = None) -> tuple[StudySpec, list[str]]:
    """Return the spec of a file that continues a stored study, if there is one, and the lines that were told."""
    lines: list[str] = []
    path = folder / "study.toml"
    path.write_text(text)
    return read_spec(path, lambda name: stored, lines.append), lines


def store(text: str, folder: Path) -> dict[str, Any]:
    """Return the stored spec of a new study of that file."""
    data: dict[str, Any] = json.loads(json.dumps(read(text, folder)[0].as_json()))
    return data


def refused(text: str, folder: Path, stored: dict[str, Any]) -> list[str]:
    return differences(stored, read(text, folder, stored)[0].as_json())


def test_a_study_holds_every_range_of_its_space(tmp_path: Path) -> None:
    spec, lines = read(SMALL, tmp_path)
    space = spec.as_json()["space"]
    assert lines == []
    assert space["VGG16"]["freeze_fraction"] == TODAY
    assert space["batch_size"] == [32, 64, 128]
    assert space["adam"]["learning_rate"] == {"low": 1e-4, "high": 1e-2, "log": True}
    assert set(space) == {*tunefront.spaces.space.GENERAL, "VGG16", "plain_cnn", "adam", "light", "constant"}
    assert StudySpec.from_json(spec.as_json()).parsed_space() == spec.parsed_space()


def test_a_later_default_neither_changes_nor_refuses_a_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = store(SMALL, tmp_path)
    vgg = ARCHITECTURES["VGG16"].settings
    later = {**vgg, "freeze_fraction": replace(vgg["freeze_fraction"], default=Fixed(0.5))}
    monkeypatch.setitem(tunefront.spaces.space.FAMILIES["architecture"], "VGG16", later)  # type: ignore[index]
    for key, default in (
        ("batch_size", Choice((8, 16))),
        ("augmentation", Fixed("strong")),
        ("schedule", Fixed("cosine")),
    ):
        monkeypatch.setitem(
            tunefront.spaces.space.GENERAL, key, replace(tunefront.spaces.space.GENERAL[key], default=default)
        )  # type: ignore[index]
    again, lines = read(SMALL, tmp_path, stored)
    assert differences(stored, again.as_json()) == []
    assert again.as_json() == stored
    assert [line.split(":")[0] for line in lines] == [
        "space.augmentation",
        "space.schedule",
        "space.batch_size",
        "space.VGG16.freeze_fraction",
    ]
    assert store(SMALL, tmp_path)["space"] != stored["space"]  # a new study has the new ones


def test_what_a_file_no_longer_writes_stays_as_the_study_has_it(tmp_path: Path) -> None:
    more = 'batch_size = 64\n[space.VGG16]\ntrainable = "80 %"\n[training]\nepochs = 7\n[sampler]\nname = "random"\n'
    stored = store(SMALL + more, tmp_path)
    again, lines = read(SMALL, tmp_path, stored)
    assert again.as_json() == stored
    assert [line.split(",")[0].split(":")[0] for line in lines[:3]] == [
        "space.batch_size",
        "space.VGG16.freeze_fraction",
        "training.epochs",
    ]
    assert (
        "the study began with 7 and goes on with it; the spec leaves it out, which in a new study means 12" in lines[2]
    )


def test_a_table_of_another_kind_that_is_left_out_is_told_in_one_line(tmp_path: Path) -> None:
    stored = store(SMALL + '[sampler]\nname = "random"\n[pruner]\nname = "none"\n', tmp_path)
    again, lines = read(SMALL, tmp_path, stored)
    assert again.as_json() == stored
    assert [line.split(",")[0].split(":")[0] for line in lines] == ["sampler.name", "pruner.name"]


@pytest.mark.parametrize(
    ("more", "changed", "expected"),
    [
        ("", "batch_size = 64\n", ["space.batch_size: the study has [32, 64, 128], the spec 64"]),
        ("batch_size = 64\n", "batch_size = 32\n", ["space.batch_size: the study has 64, the spec 32"]),
        (
            "",
            "[space.adam]\nlearning_rate = 0.001\n",
            ['space.adam.learning_rate: the study has {"low": 0.0001, "high": 0.01, "log": true}, the spec 0.001'],
        ),
        (
            "[space.VGG16]\nfreeze_fraction = [0.0, 0.9]\n",
            '[space.VGG16]\ntrainable = ["All", "90 %"]\n',
            ["space.VGG16.freeze_fraction: the study has [0.0, 0.9], the spec [0.0, 0.1]"],
        ),
        # what has no default was written once
        (
            "[training]\nearly_stopping = { patience = 3 }\n",
            "",
            [
                'training.early_stopping: the study has {"monitor": "loss", "min_delta": 0.0, "patience": 3, '
                '"baseline": null}, the spec nothing'
            ],
        ),
        ("[[start]]\nbatch_size = 64\n", "", ['start: the study has [{"batch_size": 64}], the spec []']),
        # another kind of table brings its own defaults
        (
            '[sampler]\nname = "random"\n',
            '[sampler]\nname = "qmc"\n',
            [
                'sampler.name: the study has "random", the spec "qmc"',
                'sampler.sequence: the study has nothing, the spec "sobol"',
                "sampler.scramble: the study has nothing, the spec true",
            ],
        ),
    ],
)
def test_what_a_file_writes_otherwise_is_refused(tmp_path: Path, more: str, changed: str, expected: list[str]) -> None:
    stored = store(SMALL + more, tmp_path)
    assert refused(SMALL + changed, tmp_path, stored) == expected


def test_a_study_that_began_without_stored_features_goes_on_without(tmp_path: Path) -> None:
    stored = store(SMALL, tmp_path)
    assert stored["training"].pop("feature_cache") == 4e9
    again, lines = read(SMALL, tmp_path, stored)
    assert again.training.feature_cache == 0
    assert differences(stored, again.as_json()) == []
    assert lines == [
        "training.feature_cache: the study began with 0.0 and goes on with it; the spec leaves it out, which in a new "
        "study means 4000000000.0"
    ]
    assert refused(SMALL + "[training]\nfeature_cache = true\n", tmp_path, stored) == [
        "training.feature_cache: the study has 0.0, the spec 4000000000.0"
    ]


def test_a_study_that_began_before_there_were_views_has_none(tmp_path: Path) -> None:
    stored = store(SMALL, tmp_path)
    assert stored["training"].pop("feature_views") == 0
    again, lines = read(SMALL, tmp_path, stored)
    assert differences(stored, again.as_json()) == []
    assert lines == []
    assert refused(SMALL + "[training]\nfeature_views = 2\n", tmp_path, stored) == [
        "training.feature_views: the study has 0, the spec 2"
    ]


def test_a_study_that_began_with_repeated_candidates_goes_on_with_them(tmp_path: Path) -> None:
    stored = store(SMALL, tmp_path)
    assert stored["sampler"].pop("repeats") is False
    again, lines = read(SMALL, tmp_path, stored)
    assert again.as_json()["sampler"]["repeats"] is True
    assert differences(stored, again.as_json()) == []
    assert lines == [
        "sampler.repeats: the study began with true and goes on with it; the spec leaves it out, which in a new "
        "study means false"
    ]


@pytest.mark.parametrize(("written", "expected"), [("false", 0), ("true", 4e9), ('"20 GB"', 2e10), ('"0 B"', 0)])
def test_room_for_features_is_a_size(tmp_path: Path, written: str, expected: float) -> None:
    found = read(f"{SMALL}[training]\nfeature_cache = {written}\n", tmp_path)[0]
    assert found.training.feature_cache == expected
    assert StudySpec.from_json(found.as_json()).training == found.training


@pytest.mark.parametrize("written", ["4_000_000_000", '"much"', '"-1 GB"', '"4"'])
def test_room_for_features_without_a_unit_is_refused(tmp_path: Path, written: str) -> None:
    with pytest.raises(SpecError, match=r"study\.toml: training\.feature_cache: "):
        read(f"{SMALL}[training]\nfeature_cache = {written}\n", tmp_path)


def test_another_choice_of_names_is_one_difference(tmp_path: Path) -> None:
    stored = store(SMALL, tmp_path)
    assert refused(SMALL.replace('"adam"', '["sgd", "lion"]'), tmp_path, stored) == [
        'space.optimizer: the study has "adam", the spec ["sgd", "lion"]'
    ]


def test_a_table_of_what_the_study_does_not_choose_is_refused_as_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = store('name = "small"\ndata = { source = "digits" }\nspace = { optimizer = "adam" }\n', tmp_path)
    text = 'name = "small"\ndata = { source = "digits" }\n[space.sgd]\nmomentum = 0.5\n'
    with pytest.raises(SpecError, match=r"study\.toml: space\.sgd: 'sgd' is not among the optimizers of this space"):
        read(text, tmp_path, stored)


def test_a_limit_that_the_file_no_longer_has_is_a_change_of_limits(tmp_path: Path) -> None:
    stored = store(SMALL + '[objectives]\naccuracy = { measure = "accuracy", at_least = 0.5 }\n', tmp_path)
    for text in (SMALL, SMALL + '[objectives]\naccuracy = "accuracy"\n'):
        again = read(text, tmp_path, stored)[0].as_json()
        assert differences(stored, again) == []
        assert list_limit_changes(stored, again) == [
            "objectives.accuracy.at_least: the study has 0.5, the spec nothing"
        ]


def test_an_axis_that_the_file_leaves_out_is_as_the_study_has_it(tmp_path: Path) -> None:
    stored = store(SMALL + '[objectives]\ntime = false\nmemory = "weight_bytes"\n', tmp_path)
    again, lines = read(SMALL, tmp_path, stored)
    assert again.as_json() == stored
    assert lines == [
        'objectives.memory: the study began with "weight_bytes" and goes on with it; the spec leaves it out, which in '
        'a new study means "model_bytes". Write memory = "weight_bytes"',
        "objectives.time: the study began with none and goes on with it; the spec leaves it out, which in a new study "
        'means "train_seconds". Write time = false',
    ]
    once = SMALL + '[objectives]\ntime = false\nmemory = "weight_bytes"\n'
    assert read(once, tmp_path, stored)[1] == []
    written = read(SMALL + '[objectives]\ntime = "train_seconds"\nmemory = false\n', tmp_path, stored)[0]
    assert [line.split(":")[0] for line in differences(stored, written.as_json())] == [
        "objectives.memory",
        "objectives.time",
    ]


def test_what_may_change_is_what_the_file_says(tmp_path: Path) -> None:
    stored = store("trials = 50\n" + SMALL + "[stop]\npatience = 9\n", tmp_path)
    again = read(SMALL, tmp_path, stored)[0]
    assert (again.trials, again.stop.patience) == (30, None)


# Freeze fractions that are one candidate


def test_a_new_study_has_one_of_two_fractions_that_train_the_same_layers(tmp_path: Path) -> None:
    text = SMALL + "[space.VGG16]\nfreeze_fraction = [0.0, 0.9, 1.0]\n"
    start = '[[start]]\narchitecture = "VGG16"\n[start.VGG16]\ntrainable = "10 %"\n'
    spec, lines = read(text + start, tmp_path)
    assert spec.as_json()["space"]["VGG16"]["freeze_fraction"] == [0.0, 1.0]
    assert lines == [
        "VGG16: freeze_fraction 0.9 and 1 leave the same layers trainable: one candidate, freeze_fraction = 1"
    ]
    assert spec.start_parameters() == [{"architecture.name": "VGG16", "VGG16.freeze_fraction": 1.0}]
    again, lines = read(text + start, tmp_path, spec.as_json())
    assert differences(spec.as_json(), again.as_json()) == lines == []


def test_a_study_that_has_both_goes_on_with_both(tmp_path: Path) -> None:
    text = SMALL + "[space.VGG16]\nfreeze_fraction = "
    both = {"name": "small", "data": {"source": "digits"}, "space": {"architecture": ["VGG16", "plain_cnn"]}}
    both["space"] |= {"optimizer": "adam", "VGG16": {"freeze_fraction": [0.0, 0.9, 1.0]}}  # type: ignore[operator]
    stored = StudySpec.from_json(both).as_json()
    for written in ("[0.0, 0.9, 1.0]", "[0.0, 1.0]"):
        again = read(text + written, tmp_path, stored)[0]
        assert again.as_json()["space"]["VGG16"]["freeze_fraction"] == [0.0, 0.9, 1.0]
    assert refused(text + "[0.0, 0.8, 1.0]", tmp_path, stored) != []
