"""Epochs that vary: what [training] may say, and what a candidate, a grid, a start and derived specs have of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest

from tunefront.search.confirmation.candidates_again import RemakingError, remake_candidates
from tunefront.search.spec.derived import confirmation_spec, recording_spec
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.file import check_own_space, read_spec
from tunefront.search.spec.study_spec import StudySpec, differences
from tunefront.spaces.grid import Grid
from tunefront.spaces.parameters import parameters_of
from tunefront.spaces.space import Space
from tunefront.storage.open_study import StudyRecord

TABLE = {"name": "digits", "data": {"source": "digits"}}
FILE = 'name = "digits"\ndata = { source = "digits" }\n'
OWN = """
class Mine:
    def suggest(self, trial):
        return {"units": trial.suggest_int("net.units", 4, 8), "epochs": 99}

    def build(self, settings, input_shape, n_classes):
        raise NotImplementedError
"""


def spec_of(epochs: Any, **changes: Any) -> StudySpec:
    return StudySpec.model_validate({**TABLE, "training": {"epochs": epochs}, **changes})


def read(text: str, folder: Path, stored: Any = None) -> StudySpec:
    path = folder / "study.toml"
    path.write_text(text)
    spec = read_spec(path, lambda name: stored)
    check_own_space(path, spec)
    return spec


@pytest.mark.parametrize(
    ("epochs", "values", "most"),
    [
        (7, [], 7),
        ([7], [], 7),
        ({"low": 7, "high": 7}, [], 7),
        ([50, 10], [10, 50], 50),
        ({"low": 5, "high": 8}, [5, 6, 7, 8], 8),
        ({"low": 10, "high": 50, "step": 15}, [10, 25, 40], 40),
        ({"low": 2, "high": 5, "log": True}, [2, 3, 4, 5], 5),
    ],
)
def test_a_candidate_has_its_own_number_of_epochs(epochs: Any, values: list[int], most: int) -> None:
    spec = StudySpec.from_json(spec_of(epochs).as_json())
    assert spec.training.most_epochs == most
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    trials = [study.ask() for _ in range(60)]
    candidates = [spec.parsed_space().suggest(trial) for trial in trials]
    if values:
        assert sorted({candidate.epochs for candidate in candidates}) == values
        assert [trial.params["training.epochs"] for trial in trials] == [one.epochs for one in candidates]
    else:
        assert {candidate.epochs for candidate in candidates} == {most}
        assert not any("training.epochs" in trial.params for trial in trials)


def test_other_parameters_are_drawn_as_with_a_fixed_number() -> None:
    drawn: list[dict[str, Any]] = []
    for space in (Space.from_table({}), spec_of(12).parsed_space(), spec_of([10, 50]).parsed_space()):
        trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=3)).ask()
        space.suggest(trial)
        drawn.append(trial.params)
    assert drawn[0] == drawn[1] == {name: drawn[2][name] for name in drawn[0]}
    assert set(drawn[2]) - set(drawn[0]) == {"training.epochs"}


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        ("0", "0 is not possible: it must be a whole number from 1 to 1000000, a list of such numbers, or"),
        ('"ten"', "'ten' is not possible: it must be a whole number"),
        ("[]", "[] is not possible: the list is empty: give at least one value"),
        ("[10, 0]", "[10, 0] is not possible: it must be a whole number"),
        ("[10, 10]", "names a value twice"),
        ("[10.5, 20]", "it must be a whole number"),
        ("true", "True is not possible: it must be a whole number"),
        ("{ low = 1, high = 2.5 }", "it must be a whole number"),
        ("{ low = 9, high = 2 }", "low = 9 is above high = 2"),
        ("{ low = 9 }", "is not a range"),
    ],
)
def test_what_is_no_number_of_epochs_is_refused(tmp_path: Path, epochs: str, expected: str) -> None:
    with pytest.raises(SpecError) as caught:
        read(f"{FILE}[training]\nepochs = {epochs}\n", tmp_path)
    assert f"{tmp_path / 'study.toml'}: training.epochs: " in str(caught.value)
    assert expected in str(caught.value)


def test_a_pretraining_has_one_number(tmp_path: Path) -> None:
    text = (
        f'{FILE}[pretrain]\nweights = "a.weights.h5"\ndata = {{ source = "digits" }}\nspace = {{}}\n'
        "training = { epochs = [10, 20] }\n"
    )
    with pytest.raises(SpecError, match=r"pretrain\.training\.epochs: a pretraining has one candidate: write 20"):
        read(text, tmp_path)


def test_a_pruner_must_judge_the_longest_trainings_alone(tmp_path: Path) -> None:
    read(f"{FILE}[training]\nepochs = [2, 50]\n[pruner]\nmin_epochs = 10\n", tmp_path)
    with pytest.raises(SpecError, match=r"with 10 of training\.epochs = 8 no trial would be judged"):
        read(f"{FILE}[training]\nepochs = [2, 8]\n[pruner]\nmin_epochs = 10\n", tmp_path)


def test_a_grid_has_every_number() -> None:
    space = {
        "optimizer": "adam",
        "adam": {"learning_rate": [0.01, 0.001]},
        "augmentation": "none",
        "batch_size": 32,
        "plain_cnn": {"n_blocks": 1, "filters": 4, "kernel_size": 3, "dropout": 0.0, "batch_norm": False},
    }
    space["plain_cnn"] |= {"dense_units": 0}  # type: ignore[operator]
    spec = spec_of({"low": 10, "high": 30, "step": 10}, space=space, sampler={"name": "grid"})
    assert len(Grid(spec.parsed_space(), 0)) == 6


def test_a_start_may_name_its_number(tmp_path: Path) -> None:
    text = f"{FILE}[training]\nepochs = [10, 50]\n[[start]]\nepochs = 50\n"
    assert read(text, tmp_path).start_parameters() == [{"training.epochs": 50}]
    with pytest.raises(SpecError, match=r"start\[1\]\.epochs: 20 is not in the space: it must be one of 10, 50"):
        read(text.replace("epochs = 50\n", "epochs = 20\n"), tmp_path)
    with pytest.raises(SpecError, match=r"start\[1\]\.epochs: 20 is not in the space, which has 12 alone"):
        read(f"{FILE}[[start]]\nepochs = 20\n", tmp_path)


def test_a_space_of_ones_own_has_the_epochs_of_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_epochs.py").write_text(OWN)
    text = f'{FILE}space = "own_epochs.py:Mine"\n[training]\nepochs = [2, 5]\n'
    spec = read(text + '[[start]]\n"training.epochs" = 5\n', tmp_path)
    assert spec.start_parameters() == [{"training.epochs": 5}]
    assert set(parameters_of(spec.parsed_space()).distributions) == {"net.units", "training.epochs"}
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    assert {spec.parsed_space().suggest(study.ask()).epochs for _ in range(20)} == {2, 5}  # not the 99 of `suggest`


def test_a_study_goes_on_with_its_epochs(tmp_path: Path) -> None:
    stored = read(f"{FILE}[training]\nepochs = {{ low = 4, high = 9, log = true }}\n", tmp_path).as_json()
    assert differences(stored, read(FILE, tmp_path, stored).as_json()) == []  # left out
    same = read(f"{FILE}[training]\nepochs = {{ high = 9, log = true, low = 4 }}\n", tmp_path, stored)
    assert differences(stored, same.as_json()) == []
    other = read(f"{FILE}[training]\nepochs = {{ low = 4, high = 9 }}\n", tmp_path, stored)
    assert differences(stored, other.as_json()) == [
        'training.epochs: the study has {"low": 4, "high": 9, "log": true}, the spec {"low": 4, "high": 9}'
    ]
    fixed = read(FILE, tmp_path).as_json()
    listed = read(f"{FILE}[training]\nepochs = [12]\n", tmp_path, fixed)
    assert differences(fixed, listed.as_json()) == []  # a list of one is that one


def test_a_recording_has_one_number_and_a_confirmation_each_finalists_own() -> None:
    spec = spec_of([10, 50])
    assert recording_spec(spec, 5, 0, 1, None).training.epochs == 50
    assert recording_spec(spec, 5, 0, 1, 7).training.epochs == 7
    confirming = confirmation_spec(spec, 4)
    assert confirming.training.epochs == [10, 50]
    study = StudyRecord(1, "digits", spec.as_json(), {}, 0.0)
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1)).ask()
    spec.parsed_space().suggest(trial)
    remake_candidates(study, confirming.parsed_space(), {0: trial.params})
    with pytest.raises(RemakingError, match=r"its space has changed since, in training\.epochs"):
        remake_candidates(study, spec_of(10).parsed_space(), {0: trial.params})
