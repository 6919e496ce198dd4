"""The training of a retraining, in a child with Keras: build, train, score on what was not trained on, save."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunefront.search.checkpoints.trial_folder import newest_whole
from tunefront.search.data.cache import prepare
from tunefront.search.data.examples import DataError
from tunefront.search.launching.asker import CheckError, Progress
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.trial.messages import first_line
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.own import OwnSpace

if TYPE_CHECKING:
    from tunefront.search.data.dataset import Dataset
    from tunefront.search.trial.goal import Goal
    from tunefront.search.trial.resumption.trial_checkpoints import TrialCheckpoints
    from tunefront.search.trial.trainable import Trainable


@dataclass(frozen=True)
class RetrainingTask:
    """The task of the child.

    Attributes:
        spec: The study's spec as JSON data.
        candidate: The candidate; its epochs are the length of its schedule.
        trains_validation: Whether the validation images are trained on too.
        fingerprint: The digest of the data that the study was made with.
        model_path: The path for the model.
        checkpoint_folder: The folder for checkpoints; empty writes none.
    """

    spec: Mapping[str, Any]
    number: int
    candidate: Candidate
    trains_validation: bool
    epochs: int
    rates: tuple[float, ...]
    seed: int
    fingerprint: str
    model_path: str
    checkpoint_folder: str = ""


def train_again(task: RetrainingTask, progress: Progress) -> dict[str, Any]:
    """Train and save a model.

    Returns:
        ``measurements``: scores of the splits that were not trained on, among others; ``n_steps`` of an epoch,
        ``n_before``: those of the search; ``folder``, ``n_trained`` and ``versions``.

    Raises:
        CheckError: If the candidate cannot be trained.
        DataError: If the data is not what the study was made with.
    """
    import keras

    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.batches import n_steps
    from tunefront.search.trial.fit import fit_epochs
    from tunefront.search.trial.goal import Goal

    spec = StudySpec.from_json(task.spec)
    space = spec.parsed_space()
    if isinstance(space, OwnSpace):
        space.load()
    searched = prepare(spec.data, spec.seed, progress, are_images=spec.takes_images)
    if searched.fingerprint != task.fingerprint:
        raise DataError("data: the images, labels or splits are not those of the study: put the data back")
    dataset = searched.with_validation_trained() if task.trains_validation else searched

    def tell(epoch: int, loss: float) -> None:
        progress(f"training trial {task.number}, loss {loss:.4f}", epoch, task.epochs)

    try:
        keras.utils.set_random_seed(task.seed)
        trainable = training.build(space, task.candidate, dataset, spec.training, task.seed)
        checkpoints = _checkpoints(task, spec, trainable, progress)
        timer = fit_epochs(
            trainable, dataset, task.epochs, tell, seed=task.seed, rates=task.rates, checkpoints=checkpoints
        )
        goal = Goal(spec.accuracy_measure, dataset.positive_class, dataset.n_classes)
        measurements = {
            "train_seconds": timer.train_seconds,
            "compile_seconds": timer.compile_seconds,
            **_sizes(trainable),
            **_scores(trainable, dataset, goal),
        }
        training.save(trainable, task.model_path)
    except (MemoryError, Exception) as error:
        raise CheckError(f"trial {task.number} could not be trained again: {first_line(error)}") from error
    counts = [len(one.split("train").labels) for one in (dataset, searched)]
    candidate = task.candidate
    steps = [n_steps(count, candidate.batch_size, candidate.steps_per_epoch) for count in counts]
    return {
        "measurements": measurements,
        "folder": searched.folder,
        "n_trained": counts[0],
        "n_steps": steps[0],
        "n_before": steps[1],
        "versions": _versions(keras),
    }


def _checkpoints(
    task: RetrainingTask, spec: StudySpec, trainable: Trainable, progress: Progress
) -> TrialCheckpoints | None:
    """Return the checkpoints of this training, and say whether it goes on from one."""
    from tunefront.search.trial.resumption.identity import identity_of_training
    from tunefront.search.trial.resumption.task_checkpoints import versions_of_training
    from tunefront.search.trial.resumption.trial_checkpoints import TrialCheckpoints

    if not task.checkpoint_folder:
        return None
    folder = Path(task.checkpoint_folder)
    identity = {
        "data": task.fingerprint,
        "images": "train+validation" if task.trains_validation else "train",
        "rates": str(list(task.rates)),
        **identity_of_training(spec, task.candidate, task.seed, versions_of_training()),
    }
    has_any = newest_whole(folder) is not None
    found = TrialCheckpoints(folder, identity)
    found.resume(task.epochs, trainable)
    if found.resumed is not None:
        text = f"trial {task.number} goes on after epoch {found.resumed.epoch} of {task.epochs}"
        progress(text, found.resumed.epoch, task.epochs)
    elif has_any:
        progress(f"trial {task.number} begins anew: {found.reason}", 0, task.epochs)
    return found


def _sizes(trainable: Trainable) -> dict[str, float]:
    from tunefront.search.trial import memory

    return {
        "model_bytes": memory.model_bytes(trainable.kept, trainable.optimizer),
        "weight_bytes": memory.weight_bytes(trainable.kept),
        "n_parameters": memory.n_parameters(trainable.model.weights),
    }


def _scores(trainable: Trainable, dataset: Dataset, goal: Goal) -> dict[str, float]:
    """Return the scores of the splits that were not trained on, those of the test images as ``test_...``."""
    from tunefront.search.trial.evaluation import answers_to, scores_of

    found: dict[str, float] = {}
    for name, prefix in (("validation", ""), ("test", "test_")):
        split = dataset.split(name)
        if len(split.labels):
            answers = answers_to(trainable.model, split.images, goal)
            scores = scores_of(split.labels, answers, goal, trainable.loss)
            found |= {
                f"{prefix or ('validation_' if key == 'loss' else '')}{key}": float(value)
                for key, value in scores.items()
            }
    return found


def _versions(keras: Any) -> dict[str, str]:
    import importlib

    backend = keras.backend.backend()
    version = str(importlib.import_module(backend).__version__)
    return {"keras": str(keras.__version__), "backend": backend, "backend_version": version}
