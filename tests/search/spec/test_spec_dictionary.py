"""Specs as dictionaries: they mean what the same TOML file means, and their mistakes are told alike."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.file import read_spec

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").rglob("*.toml"))
SMALL: dict[str, Any] = {"name": "small", "data": {"source": "digits"}}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_dictionary_means_what_its_file_means(path: Path) -> None:
    assert read_spec(tomllib.loads(path.read_text())).as_json() == read_spec(path).as_json()


def test_values_of_programs_are_taken_for_what_they_look_like(tmp_path: Path) -> None:
    given = {
        "name": "own",
        "trials": np.int64(7),
        "data": {"source": "folder", "path": tmp_path / "images", "image_size": (32, 24)},
        "space": {"batch_size": np.array([16, 32]), "plain_cnn": {"dropout": np.linspace(0.0, 0.5, 3)}},
        "training": {"tensorboard": np.bool_(True)},
    }
    written = f"""
name = "own"
trials = 7
data = {{ source = "folder", path = "{tmp_path}/images", image_size = [32, 24] }}
space = {{ batch_size = [16, 32], plain_cnn = {{ dropout = [0.0, 0.25, 0.5] }} }}
training = {{ tensorboard = true }}
"""
    assert read_spec(given).as_json() == read_spec(tomllib.loads(written)).as_json()


def test_a_study_goes_on_with_the_dictionary_that_began_it_whatever_becomes_of_that() -> None:
    given: dict[str, Any] = {**SMALL, "space": {"batch_size": [16, 32]}}
    first = read_spec(given)
    given["space"]["batch_size"].append(64)
    assert first.as_json()["space"]["batch_size"] == [16, 32]
    stored = {**first.as_json(), "seed": 5}  # a default that has changed since
    assert read_spec({**SMALL, "space": {"batch_size": [16, 32]}}, lambda name: stored).seed == 5
    assert read_spec({**SMALL, "seed": 0}, lambda name: stored).seed == 0
    assert read_spec(SMALL, trials=3).trials == 3


ITSELF: dict[str, Any] = {**SMALL}
ITSELF["space"] = ITSELF


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"data": {"source": "digits"}}, "the spec: name: this key is missing. Give the study a name"),
        ({**SMALL, "trails": 5}, "the spec: trails: there is no such key. Did you mean 'trials'?"),
        ({**SMALL, "data": {"source": "digitz"}}, "the spec: data.source: there is no source 'digitz'. Did you mean"),
        ({**SMALL, "training": {"epochs": "five"}}, "the spec: training.epochs: "),
        ({**SMALL, "training": {"time_limit": 60}}, 'training.time_limit: 60 is not possible: it has no unit: '),
        ({**SMALL, "seed": None}, "the spec: seed: None is not possible: leave the key out"),
        ({**SMALL, "space": {"batch_size": {16, 32}}}, "the spec: space.batch_size: a set is not possible: write a"),
        ({**SMALL, "space": {"batch_size": [16, None]}}, "the spec: space.batch_size.1: None is not possible"),
        ({**SMALL, "space": {"plain_cnn": print}}, "space.plain_cnn: a builtin_function_or_method is not possible"),
        ({**SMALL, "data": {"source": "digits", 3: 1}}, "the spec: data: the key 3 is no text"),
        ({**SMALL, "data": np.zeros(2)}, "the spec: data: [0.0, 0.0] is not possible: write [data]"),
        (ITSELF, "the spec: space: it is nested too deep"),
        ({**SMALL, "name": "x" * 5000}, "the spec: name: 5,000 characters are too many"),
        ({**SMALL, "seed": 2**70}, "the spec: seed: this number is too large"),
        ({**SMALL, "name": "a\0b"}, "the spec: name: there is a character of code 0"),
        ({**SMALL, "confirms": "other"}, "the spec: confirms: only 'tunefront confirm STUDY' sets this key"),
    ],
)  # fmt: skip
def test_a_mistake_names_the_key_and_the_remedy(given: dict[Any, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_spec(given)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
