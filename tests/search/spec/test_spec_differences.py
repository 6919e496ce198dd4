"""Specs as JSON data, and what differs between two of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.search.spec.spec_text import MINIMAL, ROOT, read
from tunefront.search.spec.differences import MAY_CHANGE
from tunefront.search.spec.file import read_spec
from tunefront.search.spec.study_spec import StudySpec, differences, limit_changes


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/*.toml")), ids=lambda path: path.name)
def test_from_json_gives_the_spec_that_as_json_made(path: Path) -> None:
    spec = read_spec(path)
    stored = json.loads(json.dumps(spec.as_json()))
    again = StudySpec.from_json(stored)
    assert again.as_json() == stored == spec.as_json()
    assert again.parsed_objectives() == spec.parsed_objectives()
    assert again.parsed_space() == spec.parsed_space()


def test_as_json_has_limits_as_numbers_of_their_unit(tmp_path: Path) -> None:
    text = MINIMAL + '[objectives]\nmemory = { measure = "model_bytes", at_most = "2 MB" }\n'
    assert read(text, tmp_path).as_json()["objectives"] == {
        "accuracy": {"measure": "accuracy", "at_least": None, "at_most": None, "tolerance": None},
        "memory": {"measure": "model_bytes", "at_least": None, "at_most": 2e6, "tolerance": None},
        "time": {"measure": "train_seconds", "at_least": None, "at_most": None, "tolerance": None},
    }


def test_differences_are_none_when_only_the_writing_differs(tmp_path: Path) -> None:
    one = MINIMAL + '[objectives]\nmemory = { measure = "model_bytes", at_most = "2 MB" }\n[training]\nepochs = 12\n'
    other = '# the same\nname="digits"\ndata={source="digits"}\n[objectives.memory]\nmeasure="model_bytes"\nat_most=2e6'
    assert differences(read(one, tmp_path).as_json(), read(other, tmp_path).as_json()) == []


def test_differences_leave_out_what_may_change(tmp_path: Path) -> None:
    changed = "".join(f"{key} = {'{ patience = 77 }' if key == 'stop' else 77}\n" for key in MAY_CHANGE)
    assert differences(read(MINIMAL, tmp_path).as_json(), read(changed + MINIMAL, tmp_path).as_json()) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seed = 3\n" + MINIMAL, ["seed: the study has 0, the spec 3"]),
        (MINIMAL + "[training]\nepochs = 9\n", ["training.epochs: the study has 12, the spec 9"]),
        (MINIMAL + "[space]\nbatch_size = 8\n", ["space.batch_size: the study has [32, 64, 128], the spec 8"]),
        (
            MINIMAL + '[objectives]\naccuracy = { measure = "auc", at_least = 0.5 }\ntime = false\n',
            [
                'objectives.accuracy: the study has "accuracy", the spec "auc": write accuracy = "accuracy"',
                'objectives.time: the study has "train_seconds", the spec none: write time = "train_seconds"',
            ],
        ),
    ],
)
def test_differences_name_the_key_and_both_values(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert differences(read(MINIMAL, tmp_path).as_json(), read(text, tmp_path).as_json()) == expected


def test_limits_are_no_differences_but_changes(tmp_path: Path) -> None:
    old = read(MINIMAL + '[objectives]\ntime = { measure = "train_seconds", at_most = "5 s" }\n', tmp_path).as_json()
    new = read(MINIMAL + '[objectives]\naccuracy = { measure = "accuracy", at_least = "60 %" }\n', tmp_path).as_json()
    assert differences(old, new) == []
    assert limit_changes(old, old) == []
    assert limit_changes(old, new) == [
        "objectives.accuracy.at_least: the study has nothing, the spec 0.6",
        "objectives.time.at_most: the study has 5.0, the spec nothing",
    ]


def test_differences_take_what_an_older_tunefront_did_not_know_as_its_default(tmp_path: Path) -> None:
    given = read(MINIMAL + '[pruner]\nname = "none"\n', tmp_path).as_json()
    stored = {key: value for key, value in given.items() if key not in ("start", "stop", "confirms")}
    stored |= {
        "sampler": {"name": "tpe", "repeats": False},
        "pruner": {"name": "none", "front_loss": 0.05, "min_epochs": 1},
    }
    assert differences(stored, given) == []
    changed = differences({**stored, "pruner": {"name": "pareto"}}, given)
    assert changed[0] == 'pruner.name: the study has "pareto", the spec "none"'
