"""Seeds that one process trains one after another: equal to trainings of their own, to the last digit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import weakref
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.candidates import candidate
from tests.search.trial.digits_training import train
from tests.search.trial.resumption.test_resumed_trainings import epochs_of, measured, messages_of
from tests.search.trial.seeds.trainings import CASES, SEEDS, tasks_of
from tunefront.search.data.dataset import Dataset
from tunefront.search.launching.slots import Slot
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.spec.training import TrainingTable
from tunefront.search.trial.messages import TrialTask
from tunefront.spaces.space import Space

pytestmark = [pytest.mark.keras, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Case and way -> seed -> what the training told."""
    folder = tmp_path_factory.mktemp("trainings")
    environment = {
        **os.environ,
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TUNEFRONT_CACHE": str(folder / "cache"),
    }
    command = [sys.executable, "-m", "tests.search.trial.seeds.trainings", str(folder)]
    done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: Mapping[str, Any] = json.loads((folder / "trained.json").read_text())
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_seed_that_follows_is_the_training_that_it_is_alone(told: Mapping[str, Any], name: str) -> None:
    first, second = (told[f"{name}, in turn"][str(seed)] for seed in SEEDS)
    alone = told[f"{name}, alone"][str(SEEDS[1])]
    assert epochs_of(second) == epochs_of(alone)
    assert measured(second) == measured(alone)
    assert second["model"] == alone["model"] != {}
    assert second["structure"] == alone["structure"]
    (new,), (old,) = (messages_of(one, "kept") for one in (second, alone))
    assert new["answers"] == old["answers"]
    assert first["model"] != second["model"]
    assert epochs_of(first) != epochs_of(second)


def test_memory_is_measured_of_the_first_seed_alone(told: Mapping[str, Any]) -> None:
    for name in CASES:
        first, second = (
            messages_of(told[f"{name}, in turn"][str(seed)], "trained")[0]["measurements"] for seed in SEEDS
        )
        assert first["peak_bytes"] > 0
        assert "peak_bytes" not in second
        assert second.keys() == first.keys() - {"peak_bytes"}


def test_plateau_and_early_stopping_had_something_to_do(told: Mapping[str, Any]) -> None:
    for seed in SEEDS:
        metrics = [
            metrics for *_, metrics in epochs_of(told["plateau, early stopping, augmentation, in turn"][str(seed)])
        ]
        assert metrics[0]["learning_rate"] == pytest.approx(0.1)
        assert metrics[-1]["learning_rate"] < 0.06
        assert len(metrics) < 30


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> TrialTask:
    folder = tmp_path_factory.mktemp("tasks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEFRONT_CACHE", str(folder / "cache"))
        return tasks_of(CASES["momentum, 16 bits"], folder / "models")[0]


def may_follow(task: TrialTask, **changes: Any) -> bool:
    """Return whether a seed may follow; `changes` are keys of the spec's tables."""
    from tunefront.search.trial.seeds.seeds import may_be_followed

    spec = {"name": "followed", "data": {"source": "digits"}, "training": {"epochs": 3}, **changes}
    return may_be_followed(task, StudySpec.model_validate(spec))


def with_architecture(task: TrialTask, **settings: Any) -> TrialTask:
    chosen = task.candidate
    changed = replace(chosen, architecture_settings={**chosen.architecture_settings, **settings})
    return replace(task, candidate=changed)


def test_no_seed_follows_where_more_than_one_network_is_built_or_equality_was_not_shown(
    task: TrialTask, keras: Any, tmp_path: Path
) -> None:
    assert may_follow(task)
    assert may_follow(task, training={"epochs": 3, "precision": "mixed_float16"})
    assert not may_follow(task, training={"epochs": 3, "precision": "mixed_bfloat16"})
    assert not may_follow(task, training={"epochs": 1})  # whose training contains the compiling
    assert not may_follow(task, limits={"litert_bytes": 1e6})
    (tmp_path / "own.py").write_text("class Own: ...\n")
    assert not may_follow(task, space=f"{tmp_path / 'own.py'}:Own")
    chosen = task.candidate
    for change in (
        {"may_be_followed": False},
        {"slot": Slot("gpu0", 1, "GPU-1")},
        {"resume_from": 1},
        {"turns": (1,)},
        {"log_folder": str(tmp_path)},
        {"dataset": replace(task.dataset, folds=3)},
        {"candidate": replace(chosen, later=((2, chosen),))},
        {"candidate": replace(chosen, steps_per_epoch=2)},
    ):
        assert not may_follow(replace(task, **change)), change
    assert not may_follow(with_architecture(task, weights="imagenet"))
    assert not may_follow(with_architecture(task, weights="none", head_epochs=1))
    assert may_follow(with_architecture(task, weights="none", head_epochs=0))


def test_the_first_network_takes_over_the_variables_of_another_seed_and_of_no_other_network(
    keras: Any, digits: Dataset
) -> None:
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.seeds.seeds import Seeds

    def build(seed: int, **settings: Any) -> Any:
        keras.utils.set_random_seed(seed)
        chosen = candidate(architecture_settings=settings)
        built = training.build(Space.from_table({}), chosen, digits, TrainingTable(epochs=2), seed)
        left.append(weakref.ref(built.model))
        return built

    left: list[Any] = []
    expected = build(3).model.get_weights()
    seeds = Seeds()
    first = seeds.begin(lambda: build(1))
    assert not seeds.is_first
    with pytest.raises(ValueError, match="another network"):
        seeds.begin(lambda: build(2, batch_norm=True))
    assert seeds.begin(lambda: build(3)) is first
    assert left[-1]() is None  # what was built has left no memory behind
    assert all((mine == new).all() for mine, new in zip(first.model.get_weights(), expected, strict=True))


def test_a_training_stays_compiled_when_its_model_is_saved(keras: Any, digits: Dataset, tmp_path: Path) -> None:
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.seeds.seeds import stay_compiled

    trained, *_ = train(keras, digits, candidate(steps_per_epoch=3), 2, precision="mixed_float16")
    step, optimizer = trained.trained.train_function, trained.optimizer
    with stay_compiled(trained):
        training.save(trained, str(tmp_path / "model.keras"))
        assert trained.trained.train_function is None
    assert trained.trained.train_function is step is not None
    assert trained.optimizer is optimizer
