"""Specs that predict numbers: the axis is called quality, and what is about classes is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunefront.search.spec.derived import confirmation_spec, recording_spec
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.file import read_spec
from tunefront.search.spec.study_spec import StudySpec, differences, limit_changes
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.ranges import Choice, Fixed
from tunefront.spaces.space import Space

REGRESSION = 'name = "prices"\n[data]\nsource = "npz"\npath = "prices.npz"\ntask = "regression"\n'
CLASSES = 'name = "digits"\n[data]\nsource = "digits"\n'


def read(folder: Path, text: str, stored: dict[str, Any] | None = None) -> tuple[StudySpec, list[str]]:
    path = folder / "study.toml"
    lines: list[str] = []
    path.write_text(text)
    return read_spec(path, lambda name: stored, lines.append), lines


def test_what_is_left_out_suits_numbers(tmp_path: Path) -> None:
    spec, _ = read(tmp_path, REGRESSION)
    assert spec.accuracy_measure == "rmse"
    assert {axis: one.measure.name for axis, one in spec.parsed_objectives().items()} == {
        "accuracy": "rmse",
        "memory": "model_bytes",
        "time": "train_seconds",
    }
    space = spec.parsed_space()
    assert isinstance(space, Space)
    assert (space.general["output"], space.general["loss"]) == (Fixed("linear"), Fixed("mse"))
    assert StudySpec.from_json(json.loads(json.dumps(spec.as_json()))) == StudySpec.from_json(spec.as_json())
    assert StudySpec.from_json(spec.as_json()).as_json() == spec.as_json()


def test_a_study_of_classes_has_the_loss_of_classes(tmp_path: Path) -> None:
    space = read(tmp_path, CLASSES)[0].parsed_space()
    assert isinstance(space, Space)
    assert (space.general["output"], space.general["loss"]) == (Fixed("softmax"), Fixed("cross_entropy"))


def test_quality_names_a_measure_with_its_limit(tmp_path: Path) -> None:
    spec, _ = read(tmp_path, REGRESSION + '[objectives]\nquality = { measure = "mae", at_most = 0.5 }\ntime = false\n')
    found = spec.parsed_objectives()
    assert list(found) == ["accuracy", "memory"]
    assert (found["accuracy"].measure.name, found["accuracy"].at_most) == ("mae", 0.5)
    assert found["accuracy"].violation(0.75) == 0.25
    spec, _ = read(tmp_path, REGRESSION + '[objectives]\nquality = { measure = "r2", at_least = -0.5 }\n')
    assert spec.parsed_objectives()["accuracy"].violation(-0.75) == 0.25
    assert "accuracy" not in read(tmp_path, REGRESSION + "[objectives]\nquality = false\n")[0].parsed_objectives()


def test_losses_are_searched_and_given_to_candidates(tmp_path: Path) -> None:
    import optuna

    spec, _ = read(tmp_path, REGRESSION + '[space]\nloss = ["mse", "huber"]\n')
    space = spec.parsed_space()
    assert isinstance(space, Space)
    assert space.general["loss"] == Choice(("mse", "huber"))
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    drawn = [(trial, space.suggest(trial)) for trial in (study.ask() for _ in range(12))]
    assert {candidate.loss for _, candidate in drawn} == {"mse", "huber"}
    assert all(trial.params["training.loss"] == candidate.loss for trial, candidate in drawn)
    assert {candidate.output for _, candidate in drawn} == {"linear"}


@pytest.mark.parametrize(
    ("text", "key", "fragments"),
    [
        (
            REGRESSION + '[objectives]\naccuracy = "rmse"\n',
            "objectives.accuracy",
            ["called quality", 'quality = "rmse"'],
        ),
        (
            CLASSES + '[objectives]\nquality = "rmse"\n',
            "objectives.quality",
            ["called accuracy", 'task = "regression"'],
        ),
        (
            REGRESSION + '[objectives]\nquality = "f1_macro"\n',
            "objectives.quality",
            ["measure of classes", "rmse, mae, r2"],
        ),
        (CLASSES + '[objectives]\naccuracy = "rmse"\n', "objectives.accuracy", ["numbers to predict", "f1_macro"]),
        (REGRESSION + '[objectives]\nquality = "rmsd"\n', "objectives.quality", ["Did you mean 'rmse'"]),
        (REGRESSION + "[objectives]\nquality = 5\n", "objectives.quality", ['quality = "rmse"']),
        (
            REGRESSION + '[objectives]\nquality = { measure = "rmse", at_least = 0.5 }\n',
            "objectives.quality.at_least",
            ["less rmse is better", "at_most"],
        ),
        (
            REGRESSION + '[objectives]\nquality = { measure = "r2", at_most = 0.5 }\n',
            "objectives.quality.at_most",
            ["more r2 is better", "at_least"],
        ),
        (
            REGRESSION + '[objectives]\nquality = { measure = "r2", at_least = 1.5 }\n',
            "objectives.quality.at_least",
            ["excludes everything", "r2 is at most 1"],
        ),
        (
            REGRESSION + '[objectives]\nquality = { measure = "rmse", at_most = "5 %" }\n',
            "objectives.quality.at_most",
            ["not a number"],
        ),
        (REGRESSION + '[space]\noutput = "softmax"\n', "space.output", ["'softmax'", "linear", "no classes"]),
        (CLASSES + '[space]\noutput = "linear"\n', "space.output", ["'linear'"]),
        (REGRESSION + '[space]\nloss = "cross_entropy"\n', "space.loss", ["mse, mae, huber"]),
        (CLASSES + '[space]\nloss = "mse"\n', "space.loss", ["cross_entropy", 'task = "regression" in [data]']),
        (REGRESSION + "[space]\nlabel_smoothing = 0.1\n", "space.label_smoothing", ["0.1", "no classes"]),
        (REGRESSION + '[space]\nclass_weights = "balanced"\n', "space.class_weights", ["no classes"]),
        (
            REGRESSION
            + '[space]\nschedule = "reduce_on_plateau"\n[space.reduce_on_plateau]\nmonitor = "val_accuracy"\n',
            "space.reduce_on_plateau.monitor",
            ["val_accuracy", "val_rmse"],
        ),
        (
            CLASSES + '[space]\nschedule = "reduce_on_plateau"\n[space.reduce_on_plateau]\nmonitor = "val_r2"\n',
            "space.reduce_on_plateau.monitor",
            ["val_r2", "val_accuracy"],
        ),
        (
            REGRESSION + '[training]\nearly_stopping = { monitor = "accuracy" }\n',
            "training.early_stopping.monitor",
            ["'accuracy' is a measure of classes", "rmse, mae, r2"],
        ),
        (
            CLASSES + '[training]\nearly_stopping = { monitor = "mae" }\n',
            "training.early_stopping.monitor",
            ["'mae' is a measure of numbers"],
        ),
        (
            REGRESSION + '[sampler]\nname = "bohb"\n',
            "sampler.name",
            ["for quality alone", "quality, memory, time", "memory = false and time = false"],
        ),
        (
            REGRESSION + '[pruner]\nname = "median"\n',
            "pruner.name",
            ["quality, memory, time", "memory = false and time = false"],
        ),
        (
            CLASSES + '[data.nothing]\ntask = "regression"\n',
            "data.nothing",
            ["no such key"],
        ),
        (
            CLASSES + '[pretrain]\nweights = "a.weights.h5"\nspace = {}\n[pretrain.data]\nsource = "npz"\npath = "p"\n'
            'task = "regression"\n',
            "pretrain.data.task",
            ["pretrained on classes"],
        ),
    ],
)
def test_what_does_not_fit_the_task_is_named_with_the_remedy(
    tmp_path: Path, text: str, key: str, fragments: list[str]
) -> None:
    with pytest.raises(SpecError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'study.toml'}: {key}: ")
    assert "\n" not in message
    for fragment in fragments:
        assert fragment in message


def test_a_file_that_leaves_quality_out_goes_on_with_its_study_s(tmp_path: Path) -> None:
    stored = read(tmp_path, REGRESSION + '[objectives]\nquality = "r2"\n')[0].as_json()
    again, lines = read(tmp_path, REGRESSION, stored)
    assert again.as_json() == stored
    assert lines == [
        'objectives.quality: the study began with "r2" and goes on with it; the spec leaves it out, which in a new '
        'study means "rmse". Write quality = "r2"'
    ]
    other = read(tmp_path, REGRESSION + '[objectives]\nquality = "mae"\n', stored)[0]
    assert differences(stored, other.as_json()) == [
        'objectives.quality: the study has "r2", the spec "mae": write quality = "r2"'
    ]
    limited = read(tmp_path, REGRESSION + '[objectives]\nquality = { measure = "r2", at_least = 0.5 }\n', stored)[0]
    assert limit_changes(stored, limited.as_json()) == [
        "objectives.quality.at_least: the study has nothing, the spec 0.5"
    ]


def test_a_dropped_quality_is_told_by_its_name(tmp_path: Path) -> None:
    stored = read(tmp_path, REGRESSION + "[objectives]\nquality = false\n")[0].as_json()
    assert read(tmp_path, REGRESSION, stored)[1] == [
        "objectives.quality: the study began with none and goes on with it; the spec leaves it out, which in a new "
        'study means "rmse". Write quality = false'
    ]


def test_a_study_of_another_task_is_refused(tmp_path: Path) -> None:
    stored = read(tmp_path, REGRESSION)[0].as_json()
    without = REGRESSION.replace('task = "regression"\n', 'task = "classification"\n')
    with pytest.raises(SpecError):  # the stored space has outputs that classes do not have
        read(tmp_path, without, stored)


def test_a_spec_of_before_the_task_has_classes_and_no_order(tmp_path: Path) -> None:
    spec, _ = read(tmp_path, CLASSES)
    older = spec.as_json()
    older["data"] = {key: older["data"][key] for key in older["data"] if key not in ("task", "split", "gap")}
    older["space"] = {key: older["space"][key] for key in older["space"] if key != "loss"}
    assert differences(older, spec.as_json()) == []
    assert StudySpec.from_json(older).as_json() == spec.as_json()


def test_derived_studies_predict_numbers_too(tmp_path: Path) -> None:
    spec, _ = read(tmp_path, REGRESSION + '[objectives]\nquality = "mae"\ntime = false\n')
    for derived in (confirmation_spec(spec, 5), recording_spec(spec, 4, 0, 1, None)):
        assert {axis: one.measure.name for axis, one in derived.parsed_objectives().items()} == {
            "accuracy": "mae",
            "memory": "model_bytes",
        }
        assert derived.data.task == "regression"


def test_one_s_own_space_knows_the_task(tmp_path: Path) -> None:
    spec, _ = read(tmp_path, REGRESSION.replace("[data]", 'space = "mine.py:Mine"\n[data]'))
    assert spec.parsed_space() == OwnSpace("mine.py:Mine", "regression", Fixed(12))
