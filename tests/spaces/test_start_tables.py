"""What a trial chose, written as a table, is accepted by [[start]] and means the same candidate."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import optuna
import pytest

from tunefront.search.spec.file import read_spec
from tunefront.spaces.start_candidates import start_table

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").rglob("*.toml"))
_KINDS = """
name = "kinds"
data = { source = "digits" }
training = { epochs = [2, 4] }
[space]
architecture = ["plain_cnn", "residual_cnn", "MobileNetV2"]
image_size = [32, 48]
augmentation = ["none", "light", "custom"]
optimizer = ["sgd", "adam", "lion"]
schedule = ["constant", "cosine", "reduce_on_plateau"]
output = ["softmax", "sigmoid"]
"""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_candidates_of_every_example_are_accepted_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    check(path.read_text(), n_trials=12)


def check(text: str, n_trials: int) -> set[str]:
    """Draw candidates, and check that each one's table gives its own parameters; return all their names."""
    tables = tomllib.loads(text)
    spec = read_spec(tables)
    space = spec.parsed_space()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=3))
    names = set()
    for _ in range(n_trials):
        trial = study.ask()
        space.suggest(trial)
        table = start_table(space, trial.params)
        again = read_spec({**tables, "trials": tables.get("trials", 1), "start": [json.loads(json.dumps(table))]})
        (given,) = again.start_parameters()
        assert given == trial.params
        names |= given.keys()
    return names


def test_candidates_of_schedules_augmentation_and_epochs_are_accepted_again() -> None:
    names = check(_KINDS, n_trials=60)
    assert {"optimizer.name", "schedule.name", "augmentation.level", "training.epochs"} <= names
