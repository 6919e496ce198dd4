"""The pretraining of a backbone on one dataset, whose weights are kept for transfer to another."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna

from tunefront.search.data.cache import prepare
from tunefront.search.launching.asker import Asker, CheckError, Progress
from tunefront.search.preparation.checks import check_monitor
from tunefront.search.sampling.seeds import trial_seed
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.spec.training import PretrainTable
from tunefront.search.system.optuna_log import quiet_optuna
from tunefront.search.system.regular_files import named
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.freeze_choices import FREEZE_FRACTION
from tunefront.spaces.settings import under_own_names
from tunefront.spaces.space import Space, settings_of


@dataclass(frozen=True)
class Pretrained:
    """The result of a pretraining.

    Attributes:
        weights: The file of the backbone's weights, as specs name it.
        accuracy: Validation accuracy of the whole model on the pretraining's classes.
    """

    weights: str
    architecture: str
    accuracy: float
    best_epoch: int
    n_train: int
    n_classes: int


def pretrain(asker: Asker, spec: StudySpec) -> Pretrained:
    """Train the backbone of the spec's ``[pretrain]``, and write its weights into the file named there.

    Raises:
        CheckError: If the spec has no such table, or the table leaves a choice open.
        AnswerError: If it cannot be trained.
    """
    if spec.pretrain is None:
        raise CheckError("pretrain: this table is missing. Say what to train, and where its weights go: [pretrain]")
    pretraining_candidate(spec.pretrain)
    return Pretrained(**asker.ask(_pretrain, spec.as_json()))


def pretraining_candidate(table: PretrainTable) -> Candidate:
    """Return the one candidate of a pretraining.

    Raises:
        CheckError: If something varies, or there is no backbone.
    """
    space = Space.from_table(_with_defaults(table.space))
    with quiet_optuna():  # Optuna would announce the temporary study
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    trial = study.ask()
    candidate = space.suggest(trial)
    if trial.params:
        raise CheckError(
            f"pretrain.space: a pretraining has one candidate, and here {', '.join(trial.params)} can vary: "
            "give each one value"
        )
    if FREEZE_FRACTION not in candidate.architecture_settings:
        raise CheckError(
            f"pretrain.space.architecture: {candidate.architecture} has no backbone whose weights could be "
            "transferred: name a pretrained architecture, such as MobileNetV2"
        )
    return candidate


def _with_defaults(table: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a table with plain defaults: Adam, no augmentation, nothing frozen, weights from scratch."""
    filled = {"optimizer": "adam", "augmentation": "none", "batch_size": 32, **table}
    if filled["optimizer"] == "adam":
        filled["adam"] = {"learning_rate": 0.001, **table.get("adam", {})}
    architecture = str(table.get("architecture", ""))
    own = {FREEZE_FRACTION: 0.0, "weights": "none", "dropout": 0.0}
    if architecture:
        written = table.get(architecture, {})
        filled[architecture] = {**own, **under_own_names(written, settings_of(architecture), f"space.{architecture}")}
    return filled


def _pretrain(data: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    import keras

    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import TrainingFailedError, fit
    from tunefront.search.trial.goal import EpochResult, Goal
    from tunefront.spaces.freezing import find_backbone

    spec = StudySpec.from_json(data)
    table = spec.pretrain
    assert table is not None  # `pretrain` has checked it
    candidate = pretraining_candidate(table)
    dataset = prepare(table.data, spec.seed, progress, are_images=True)
    check_monitor("pretrain.training", table.training, Goal().measure, dataset)
    seed = trial_seed(spec.seed, 0)
    keras.utils.set_random_seed(seed)
    space = Space.from_table(_with_defaults(table.space))
    epochs = table.training.most_epochs

    def tell(result: EpochResult) -> bool:
        progress(f"pretraining {candidate.architecture}, accuracy {result.accuracy:.3f}", result.epoch, epochs)
        return True

    progress(f"pretraining {candidate.architecture}", 0, epochs)
    try:
        trainable = training.build(space, candidate, dataset, table.training, seed)
        goal = Goal(positive_class=dataset.positive_class, n_classes=dataset.n_classes)
        _, counted = fit(trainable, dataset, table.training, goal, tell, seed=seed)
    except (ValueError, TrainingFailedError) as error:
        raise CheckError(f"pretrain: {error}") from error
    facts = {
        "weights": table.weights,
        "architecture": candidate.architecture,
        "accuracy": counted.accuracy,
        "best_epoch": counted.epoch,
        "n_train": dataset.n_train,
        "n_classes": dataset.n_classes,
    }
    _write(
        find_backbone(trainable.model), Path(os.path.expanduser(table.weights)), {**facts, "dataset": dataset.facts()}
    )
    return facts


def _write(backbone: Any, path: Path, facts: Mapping[str, Any]) -> None:
    """Write the weights and, beside them, their origin; the file gets its name only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        with named(path):
            backbone.save_weights(partial)
            path.with_name(path.name.removesuffix(".weights.h5") + ".json").write_text(json.dumps(facts, indent=2))
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
