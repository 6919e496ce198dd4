"""The making of features, in a process of its own, whose memory is not the trial's."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.dataset import Dataset, opened
from tunefront.search.data.feature_cache import FeatureCache, Features, Write
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.trial.messages import TrialTask
from tunefront.search.trial.prefix.cut import Cut, find_cut
from tunefront.search.trial.prefix.feature_key import keys_of, n_views, view_seed
from tunefront.search.trial.trainable import Trainable, build, compile_for, phases, targets_of
from tunefront.spaces.augmentation.levels import build_augmentation

_BATCH_SIZE = 256  # examples that the prefix gets at once; their number changes no value
_N_TIMED_STEPS = 3


@dataclass(frozen=True)
class Wanted:
    """Features that a trial misses.

    Attributes:
        view: The number of the random changes of the images, from 1; 0 for images as they are.
        phase: The number of the phase that trains on them.
    """

    view: int
    phase: int
    key: str


def make_features(
    task: TrialTask, spec: StudySpec, versions: Mapping[str, str], wanted: Sequence[Wanted]
) -> list[Features]:
    """Make features of a trial, unless they are there; they are in use until they are closed.

    Raises:
        FeatureCacheError: If they cannot be kept.
        ValueError: If the network is another one here.
    """
    cache = cache_of(task.dataset, spec)
    found = []
    for is_view, several in groupby(sorted(wanted, key=lambda one: one.view), lambda one: one.view > 0):
        # Without views a step is timed as it is without augmentation: these features serve such candidates too.
        candidate = task.candidate if is_view else replace(task.candidate, augmentation_settings={})
        trainable = build(spec.parsed_space(), candidate, task.dataset, spec.training, task.seed)
        parts = phases(trainable, spec.training.epochs_of(candidate))
        for one in several:
            compile_for(trainable, parts[one.phase], task.dataset.n_train)  # its steps are timed too
            cut = cut_of(trainable, task, spec)
            if cut is None or keys_of(cut, task, spec, versions)[one.view] != one.key:
                raise ValueError("the frozen layers are not those of the trial: has the file of weights changed?")
            changes = build_augmentation(candidate.augmentation_settings, view_seed(spec, one.view)) if is_view else []
            shape = (len(opened(task.dataset.folder, "images")), *cut.tensor.shape[1:])
            cache.make(one.key, shape, cut.tensor.dtype, partial(_compute, cut, trainable, task.dataset, changes))
            features = cache.take(one.key)
            found += [features] if features is not None else []
    return found


def cache_of(dataset: Dataset, spec: StudySpec) -> FeatureCache:
    """Return the features on this machine, beside the prepared data.

    Raises:
        FeatureCacheError: If they cannot be kept there.
    """
    return FeatureCache(Path(dataset.folder).parent, spec.training.feature_cache)


def cut_of(trainable: Trainable, task: TrialTask, spec: StudySpec) -> Cut | None:
    """Return where the network is cut as it is frozen now: the last place at which the cache may hold all views too."""
    n = len(opened(task.dataset.folder, "images")) * (1 + n_views(task.candidate, spec))
    return find_cut(trainable.model, trainable.backbone, spec.training.feature_cache / n)


def _compute(cut: Cut, trainable: Trainable, dataset: Dataset, changes: Sequence[Any], write: Write) -> dict[str, Any]:
    images, prefix = opened(dataset.folder, "images"), cut.prefix()
    size = min(_BATCH_SIZE, len(images))
    prefix.predict_on_batch(images[:size])  # traces; a pass of a trial does not count that
    began = time.perf_counter()
    for start in range(0, len(images), size):
        rows = images[min(start, len(images) - size) : start + size]  # of one size, which is traced once
        write(prefix.predict_on_batch(changed(rows, changes))[start - min(start, len(images) - size) :])
    seconds = time.perf_counter() - began
    candidate = trainable.candidate
    return {
        "origin": f"{dataset.source}, {cut.place} operations of {candidate.architecture}",
        "seconds_an_example": seconds / len(images),
        "plain_seconds_an_example": _step_seconds(trainable, dataset) / candidate.batch_size,
    }


def changed(images: NDArray[Any], changes: Sequence[Any]) -> NDArray[Any]:
    """Return images as random layers change them, in the order of the layers; without any, the images themselves."""
    if not changes:
        return images
    values = keras.ops.cast(images, "float32")
    for layer in changes:
        values = layer(values, training=True)
    return np.asarray(keras.ops.convert_to_numpy(values))


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
