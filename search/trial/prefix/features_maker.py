"""The making of features, in a process of its own, whose memory is not the trial's."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
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
from tunefront.search.trial.prefix.feature_key import keys_of
from tunefront.search.trial.prefix.views import n_viewed, n_views, view_seed
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
    for (is_view, phase), group in groupby(sorted(wanted, key=_group), _group):
        several = list(group)
        # Without views a step is timed as it is without augmentation: these features serve such candidates too.
        candidate = task.candidate if is_view else replace(task.candidate, augmentation_settings={})
        trainable = build(spec.parsed_space(), candidate, task.dataset, spec.training, task.seed)
        parts = phases(trainable, spec.training.epochs_of(candidate))
        compile_for(trainable, parts[phase], task.dataset.n_train)  # its steps are timed too
        cut = cut_of(trainable, task, spec)
        keys = keys_of(cut, task, spec, versions, parts[phase]) if cut is not None else {}
        if cut is None or any(keys.get(one.view) != one.key for one in several):
            raise ValueError("the frozen layers are not those of the trial: has the file of weights changed?")
        passes = _Passes(cut, trainable, task.dataset, spec)
        for one in several:
            shape = (len(passes.images_of(one.view)), *cut.tensor.shape[1:])
            cache.make(one.key, shape, cut.tensor.dtype, partial(passes.run, one.view))
            features = cache.take(one.key)
            found += [features] if features is not None else []
    return found


def _group(wanted: Wanted) -> tuple[bool, int]:
    return wanted.view > 0, wanted.phase


def cache_of(dataset: Dataset, spec: StudySpec) -> FeatureCache:
    """Return the features on this machine, beside the prepared data.

    Raises:
        FeatureCacheError: If they cannot be kept there.
    """
    return FeatureCache(Path(dataset.folder).parent, spec.training.feature_cache)


def cut_of(trainable: Trainable, task: TrialTask, spec: StudySpec) -> Cut | None:
    """Return where the network is cut as it is frozen now: the last place at which the cache may hold all views too."""
    n = len(opened(task.dataset.folder, "images")) + n_views(task.candidate, spec) * n_viewed(task.dataset)
    return find_cut(trainable.model, trainable.backbone, spec.training.feature_cache / n)


class _Passes:
    """The passes of the frozen layers of one phase over a dataset."""

    def __init__(self, cut: Cut, trainable: Trainable, dataset: Dataset, spec: StudySpec) -> None:
        self._place = cut.place
        self._prefix = cut.prefix()
        self._trainable = trainable
        self._dataset = dataset
        self._spec = spec

    def images_of(self, view: int) -> NDArray[Any]:
        """Return the examples that are passed: all of them, or for a view those that train."""
        images = opened(self._dataset.folder, "images")
        return images[: n_viewed(self._dataset)] if view else images

    def run(self, view: int, write: Write) -> dict[str, Any]:
        """Write what the layers make of these examples, changed if it is a view; return what is noted with it."""
        candidate, images = self._trainable.candidate, self.images_of(view)
        seed = view_seed(self._spec, view)
        changes, unused = (build_augmentation(candidate.augmentation_settings, seed) for _ in range(2))
        n, size = len(images), min(_BATCH_SIZE, len(images))
        self._prefix.predict_on_batch(changed(images[:size], unused))  # traces, which a pass does not count
        began = time.perf_counter()
        for start in range(0, n, size):
            rows = images[min(start, n - size) : start + size]  # of one size, which is traced once
            write(self._prefix.predict_on_batch(changed(rows, changes))[start - min(start, n - size) :])
        seconds = time.perf_counter() - began
        what = f"{self._place} operations of {candidate.architecture}" + (f" on view {view}" if view else "")
        return {
            "origin": f"{self._dataset.source}, {what}",
            "seconds_an_example": seconds / n,
            "plain_seconds_an_example": self._step_seconds / candidate.batch_size,
        }

    @cached_property
    def _step_seconds(self) -> float:
        """The seconds of a step of the whole network, without the first one, which traces."""
        trainable, dataset = self._trainable, self._dataset
        train, size = dataset.split("train"), trainable.candidate.batch_size
        rows = [row % len(train.labels) for row in range(size)]
        values, targets = train.images[rows], targets_of(trainable.candidate, dataset, train.labels[rows])
        seconds = []
        for _ in range(1 + _N_TIMED_STEPS):
            began = time.perf_counter()
            trainable.whole.train_on_batch(values, targets)
            seconds.append(time.perf_counter() - began)
        return statistics.median(seconds[1:])


def changed(images: NDArray[Any], changes: Sequence[Any]) -> NDArray[Any]:
    """Return images as random layers change them, in the order of the layers; without any, the images themselves."""
    if not changes:
        return images
    values = keras.ops.cast(images, "float32")
    for layer in changes:
        values = layer(values, training=True)
    return np.asarray(keras.ops.convert_to_numpy(values))
