"""The making of features, in a process of its own, whose memory is not the trial's."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tunefront.search.data.dataset import Dataset, opened
from tunefront.search.data.feature_cache import FeatureCache, Features, Write
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.trial.messages import TrialTask
from tunefront.search.trial.prefix.cut import Cut, find_cut
from tunefront.search.trial.prefix.feature_key import key_of
from tunefront.search.trial.trainable import Trainable, build, compile_for, phases, targets_of

_BATCH_SIZE = 256  # examples that the prefix gets at once; their number changes no value
_N_TIMED_STEPS = 3


def make_features(
    task: TrialTask, spec: StudySpec, versions: Mapping[str, str], wanted: Sequence[tuple[int, str]]
) -> list[Features]:
    """Make the features of some phases of a trial, unless they are there; they are in use until they are closed.

    Args:
        wanted: Number of each phase, and the key of its features.

    Raises:
        FeatureCacheError: If they cannot be kept.
        ValueError: If the network is another one here.
    """
    cache = cache_of(task.dataset, spec)
    trainable = build(spec.parsed_space(), task.candidate, task.dataset, spec.training, task.seed)
    parts = phases(trainable, spec.training.epochs_of(task.candidate))
    found = []
    for number, key in wanted:
        compile_for(trainable, parts[number], task.dataset.n_train)  # its steps are timed too
        cut = cut_of(trainable, task.dataset, spec)
        if cut is None or key_of(cut, task, spec, versions) != key:
            raise ValueError("the frozen layers are not those of the trial: has the file of weights changed?")
        shape = (len(opened(task.dataset.folder, "images")), *cut.tensor.shape[1:])
        cache.make(key, shape, cut.tensor.dtype, partial(_compute, cut, trainable, task.dataset))
        features = cache.take(key)
        found += [features] if features is not None else []
    return found


def cache_of(dataset: Dataset, spec: StudySpec) -> FeatureCache:
    """Return the features on this machine, beside the prepared data.

    Raises:
        FeatureCacheError: If they cannot be kept there.
    """
    return FeatureCache(Path(dataset.folder).parent, spec.training.feature_cache)


def cut_of(trainable: Trainable, dataset: Dataset, spec: StudySpec) -> Cut | None:
    """Return where the network is cut as it is frozen now: the last place whose features the cache may hold."""
    n = len(opened(dataset.folder, "images"))
    return find_cut(trainable.model, trainable.backbone, spec.training.feature_cache / n)


def _compute(cut: Cut, trainable: Trainable, dataset: Dataset, write: Write) -> dict[str, Any]:
    images, prefix = opened(dataset.folder, "images"), cut.prefix()
    size = min(_BATCH_SIZE, len(images))
    prefix.predict_on_batch(images[:size])  # traces; a pass of a trial does not count that
    began = time.perf_counter()
    for start in range(0, len(images), size):
        rows = images[min(start, len(images) - size) : start + size]  # of one size, which is traced once
        write(prefix.predict_on_batch(rows)[start - min(start, len(images) - size) :])
    seconds = time.perf_counter() - began
    candidate = trainable.candidate
    return {
        "origin": f"{dataset.source}, {cut.place} operations of {candidate.architecture}",
        "seconds_an_example": seconds / len(images),
        "plain_seconds_an_example": _step_seconds(trainable, dataset) / candidate.batch_size,
    }


def _step_seconds(trainable: Trainable, dataset: Dataset) -> float:
    """Return the seconds of a step of the whole network, without the first one, which traces."""
    train, size = dataset.split("train"), trainable.candidate.batch_size
    rows = [row % len(train.labels) for row in range(size)]
    values, targets = train.images[rows], targets_of(trainable.candidate, dataset, train.labels[rows])
    seconds = []
    for _ in range(1 + _N_TIMED_STEPS):
        began = time.perf_counter()
        trainable.whole.train_on_batch(values, targets)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[1:])
