"""The child process that trains one candidate and reports to its supervisor. It never touches the store.

Keras is imported inside the functions, because the supervisor, which imports this module, must stay light.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunefront.search.launching.fork_server import next_task
from tunefront.search.system.links import refuse_link
from tunefront.search.trial.messages import Message, TrialTask, first_line, receive_verdict, send

if TYPE_CHECKING:
    from tunefront.search.data.dataset import Dataset
    from tunefront.search.spec.study_spec import StudySpec
    from tunefront.search.trial.goal import Goal
    from tunefront.search.trial.prefix.feature_source import FeatureSource
    from tunefront.search.trial.resumption.trial_checkpoints import TrialCheckpoints
    from tunefront.search.trial.seeds.seeds import Seeds
    from tunefront.search.trial.timer import PartTimer
    from tunefront.search.trial.trainable import Trainable


def run_trial(connection: Connection, task: TrialTask) -> None:
    """Train one candidate, and then the others of its seeds that the supervisor sends here."""
    began = time.monotonic()
    task.slot.claim()

    from tunefront.search.trial.seeds.seeds import Seeds

    seeds = Seeds()
    while _train_or_tell(connection, task, seeds, began):
        try:
            task = next_task(connection)
        except (EOFError, ConnectionResetError):
            return
        began = time.monotonic()


def _train_or_tell(connection: Connection, task: TrialTask, seeds: Seeds, began: float) -> bool:
    """Train one seed, and return whether another one may follow; any error becomes a ``failed`` message."""
    try:
        return _train(connection, task, seeds, began)
    except MemoryError as error:
        send(connection, Message("failed", {}, reason=f"out of memory: {first_line(error)}"))
    except (BrokenPipeError, EOFError, ConnectionResetError):
        os._exit(1)  # the supervisor is gone, so nobody needs the result
    except Exception as error:  # noqa: BLE001 - any error of a framework or a user's model costs this trial alone
        import traceback

        what = "out of memory" if _is_out_of_memory(error) else type(error).__name__
        # The message is sent before the error is logged, because on a full disk writing the log fails too.
        send(connection, Message("failed", {}, reason=f"{what}: {first_line(error)}"))
        with contextlib.suppress(OSError):
            traceback.print_exc()  # into the trial's log
            sys.stderr.flush()
    return False


def _train(connection: Connection, task: TrialTask, seeds: Seeds, began: float) -> bool:
    import keras

    from tunefront.search.data.cache import ensure
    from tunefront.search.spec.study_spec import StudySpec
    from tunefront.search.trial import memory
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.deployed import deployed_untrained
    from tunefront.search.trial.fit import TrainingPausedError
    from tunefront.search.trial.prefix.feature_source import feature_source
    from tunefront.search.trial.resumption.task_checkpoints import task_checkpoints
    from tunefront.search.trial.seeds.seeds import may_be_followed
    from tunefront.search.trial.timer import PartTimer

    parts = PartTimer()
    spec = StudySpec.from_json(task.spec)
    task = replace(task, dataset=ensure(task.dataset, spec.data, spec.seed))
    task.dataset.hold()
    source = feature_source(connection, task, spec)  # it forks, which a framework's runtime would not survive
    parts.add("loading", time.monotonic() - began)
    with parts.timed("measuring"):
        before = deployed_untrained(spec, task.candidate, task.dataset, task.structures)
    with parts.timed("building"):
        keras.utils.set_random_seed(task.seed)
        peak = memory.PeakMemory(is_known=seeds.is_first)
        space, goal = spec.parsed_space(), _goal(spec, task.dataset)
        build = partial(training.build, space, task.candidate, task.dataset, spec.training, task.seed)
        trainable = seeds.begin(build)
        checkpoints = task_checkpoints(connection, task, spec, trainable, peak, began)
    with parts.timed("measuring"):
        measurements: dict[str, float] = {
            **before,
            "model_bytes": memory.model_bytes(trainable.kept, trainable.optimizer),
            "weight_bytes": memory.weight_bytes(trainable.kept),
            "n_parameters": memory.n_parameters(trainable.model.weights),
            "n_trainable_parameters": memory.n_parameters(trainable.model.trainable_weights),
        }
    send(connection, Message("built", measurements | parts.measurements))
    if not receive_verdict(connection):
        return False
    with parts.timed("loading"):
        source.attach(trainable)
    try:
        measured, scores, was_stopped = _train_first(connection, task, spec, goal, trainable, checkpoints, source)
    except TrainingPausedError:
        return False  # the supervisor, which has said so, expects nothing more
    measurements |= measured
    if task.dataset.folds and not was_stopped:
        with parts.timed("other folds"):
            scores = _cross_validate(task, spec, goal, scores, checkpoints, source)
    measurements |= scores
    answers: Mapping[str, Any] = {}
    given: Mapping[str, Any] = {}
    if not was_stopped:
        with parts.timed("measuring"):
            late, answers, given = _measure_trained(task, spec, goal, trainable)
        measurements |= late
    takes_next = may_be_followed(task, spec) and not was_stopped
    send(connection, Message("trained", measurements | parts.measurements, answers=answers, takes_next=takes_next))
    if receive_verdict(connection):
        send(connection, _keep(task, spec, goal, trainable, given, parts))
    return takes_next


def _measure_trained(
    task: TrialTask, spec: StudySpec, goal: Goal, trainable: Trainable
) -> tuple[dict[str, float], Mapping[str, Any], Mapping[str, Any]]:
    """Return what is measured of a model that was trained to the end; in a confirmation also its answers.

    Returns:
        Measurements; split -> the answers to it that are stored; split -> the answers themselves.
    """
    from tunefront.search.trial.deployed import deployed_trained
    from tunefront.search.trial.final_scores import final_scores
    from tunefront.search.trial.timer import latency_seconds

    measurements: dict[str, float] = {}
    answers: Mapping[str, Any] = {}
    given: Mapping[str, Any] = {}
    if spec.confirms:
        measurements, answers, given = final_scores(trainable.predictor, task.dataset, goal, trainable.loss, trainable)
    measurements |= deployed_trained(spec, trainable.model, task.dataset)
    if task.measures_latency:
        image = task.dataset.split("validation").images[0]
        measurements["latency_seconds"] = latency_seconds(trainable.model, image)
    return measurements, answers, given


def _train_first(
    connection: Connection,
    task: TrialTask,
    spec: StudySpec,
    goal: Goal,
    trainable: Trainable,
    checkpoints: TrialCheckpoints,
    source: FeatureSource,
) -> tuple[dict[str, float], dict[str, float], bool]:
    """Train the candidate, with folds on the first one, or go on with what its checkpoint says if that had ended.

    Returns:
        Costs and epoch of the training, its scores, and whether the supervisor stopped it.
    """
    from tunefront.search.trial.evaluation import as_measurements
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import EpochResult

    if ended := checkpoints.restore_first(trainable):
        return {**ended["measured"]}, {**ended["scores"]}, False
    was_stopped = False

    def goes_on(result: EpochResult) -> bool:
        nonlocal was_stopped
        send(connection, Message("epoch", source.passes, epoch=asdict(result)))
        was_stopped = result.epoch in task.rungs and not receive_verdict(connection)
        return not was_stopped

    timer, counted = fit(
        trainable,
        task.dataset,
        spec.training,
        goal,
        goes_on,
        seed=task.seed,
        log_folder=task.log_folder,
        curve=task.curve,
        checkpoints=checkpoints,
    )
    measured = {
        "best_epoch": float(counted.epoch),
        "train_seconds": timer.train_seconds,
        "validation_seconds": timer.validation_seconds,
        "compile_seconds": timer.compile_seconds,
        **source.costs(trainable, timer),
    }
    if checkpoints.peak_bytes is not None:
        measured["peak_bytes"] = checkpoints.peak_bytes
    scores = as_measurements(counted.metrics)
    checkpoints.finish(trainable, {"measured": measured, "scores": scores})
    return measured, scores, was_stopped


def _keep(
    task: TrialTask,
    spec: StudySpec,
    goal: Goal,
    trainable: Trainable,
    given: Mapping[str, Any],
    parts: PartTimer,
) -> Message:
    """Save the model, and beside it what tells its errors; return the message that says so.

    Args:
        given: Split -> the answers of a confirmed model to it; the others are asked now.
    """
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.errors.predictions import write_errors
    from tunefront.search.trial.evaluation import kept_answers
    from tunefront.search.trial.seeds.seeds import may_be_followed, stay_compiled
    from tunefront.search.trial.timer import latency_seconds

    refuse_link(Path(task.model_path))  # Keras would write to the link's target
    is_followed = may_be_followed(task, spec)
    with parts.timed("saving"), stay_compiled(trainable) if is_followed else contextlib.nullcontext():
        training.save(trainable, task.model_path)
    late = {}
    if not task.measures_latency:
        with parts.timed("measuring"):
            late["latency_seconds"] = latency_seconds(trainable.model, task.dataset.split("validation").images[0])
    # No measure is timed any more, so that none contains what follows.
    answers: Mapping[str, Any] = {}
    with parts.timed("saving"):
        if not spec.confirms:
            answers, given = kept_answers(trainable.predictor, trainable.split(task.dataset, "validation"), goal)
        for split in [split for split in ("test", "validation") if split in given][:1]:
            write_errors(Path(task.model_path), task.dataset, split, given[split])
    return Message("kept", late | parts.measurements, answers=answers)


def _goal(spec: StudySpec, dataset: Dataset) -> Goal:
    from tunefront.search.trial.goal import Goal

    return Goal(spec.accuracy_measure, dataset.positive_class, dataset.n_classes)


def _cross_validate(
    task: TrialTask,
    spec: StudySpec,
    goal: Goal,
    first: dict[str, float],
    checkpoints: TrialCheckpoints,
    source: FeatureSource,
) -> dict[str, float]:
    """Train on the other folds too; return each score's mean over all folds, and the spread of the goal's score.

    A score that is undefined in some fold is left out, because a mean of fewer folds would look like one of all.

    Costs stay those of the first fold, because they are the costs of one training.
    """
    import numpy as np

    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.evaluation import as_measurements
    from tunefront.search.trial.fit import fit

    folds = [first]
    folds += [ended["scores"] for ended in checkpoints.finished[1:]]
    for fold in range(len(folds), task.dataset.folds):
        seed = task.seed + fold
        trainable = training.build(spec.parsed_space(), task.candidate, task.dataset, spec.training, seed, fold)
        source.attach(trainable)
        _, counted = fit(
            trainable,
            task.dataset,
            spec.training,
            goal,
            lambda result: True,
            seed=seed,
            fold=fold,
            checkpoints=checkpoints,
        )
        folds.append(as_measurements(counted.metrics))
        checkpoints.finish(trainable, {"scores": folds[-1]})
    everywhere = [name for name in folds[0] if all(name in scores for scores in folds)]
    means = {name: float(np.mean([scores[name] for scores in folds])) for name in everywhere}
    deviation = float(np.std([scores[goal.measure] for scores in folds], ddof=1))
    return {**means, "fold_deviation": deviation}


def _is_out_of_memory(error: Exception) -> bool:
    return type(error).__name__ == "ResourceExhaustedError" or "RESOURCE_EXHAUSTED" in str(error)
