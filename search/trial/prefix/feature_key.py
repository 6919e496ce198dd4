"""Whether a trial trains from features, and the keys of the features that it trains from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import keras
import numpy as np

from tunefront.search.spec.samplers import PbtTable
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.trial.messages import TrialTask
from tunefront.search.trial.prefix.cut import Cut
from tunefront.search.trial.prefix.views import n_viewed, n_views, view_seed, views_in
from tunefront.search.trial.trainable import Phase
from tunefront.spaces.augmentation.levels import changes_images
from tunefront.spaces.augmentation.mixing import mixes_images
from tunefront.spaces.freeze_choices import FREEZE_FRACTION
from tunefront.spaces.own import OwnSpace

_FORMAT = 1  # of the features and of what is noted with them


def may_use_features(task: TrialTask, spec: StudySpec) -> bool:
    """Return whether spec, candidate and backend let a trial train from features; its network may still have no cut.

    Random weights are each trial's own. What a network weighs while it trains is measured on all of it, if it counts.
    Images that are changed at random have stored views or train plainly; mixed ones depend on the others of their
    batch. Equality was shown on the CPU, by TensorFlow, and in types that NumPy has. Settings that change during a
    training would change what is frozen.
    """
    candidate = task.candidate
    settings = candidate.architecture_settings
    compared = [*spec.parsed_objectives().values(), *spec.extra_limits()]
    return (
        spec.training.feature_cache > 0
        and (n_views(candidate, spec) > 0 or not changes_images(candidate.augmentation_settings))
        and not mixes_images(candidate.augmentation_settings)
        and keras.backend.backend() == "tensorflow"
        and task.slot.gpu_uuid is None
        and spec.training.precision != "mixed_bfloat16"
        and not isinstance(spec.sampler, PbtTable)
        and not isinstance(spec.parsed_space(), OwnSpace)
        and not candidate.later
        and settings.get("weights", "none") != "none"
        and bool(settings.get(FREEZE_FRACTION) or settings.get("head_epochs"))
        and all(objective.measure.name != "peak_bytes" for objective in compared)
    )


def keys_of(cut: Cut, task: TrialTask, spec: StudySpec, versions: Mapping[str, str], phase: Phase) -> dict[int, str]:
    """Return 0 -> the key of a trial's features, and each view that the phase sees -> the key of its features."""
    plain = key_of(cut, task, spec, versions)
    keys = {0: plain}
    for view in sorted(views_in(phase, n_views(task.candidate, spec))):
        parts = [plain, view_seed(spec, view), task.candidate.augmentation_settings, n_viewed(task.dataset)]
        keys[view] = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
    return keys


def key_of(cut: Cut, task: TrialTask, spec: StudySpec, versions: Mapping[str, str]) -> str:
    """Return the digest of all that features depend on, and the seconds that are noted with them.

    Args:
        versions: The versions of what computes them, by name.
    """
    candidate = task.candidate
    parts = {
        "format": _FORMAT,
        "data": task.dataset.fingerprint,
        "architecture": candidate.architecture,
        "image size": candidate.image_size,
        "precision": spec.training.precision,
        "place": cut.place,
        "shape": cut.tensor.shape[1:],
        "type": cut.tensor.dtype,
        "device": task.device,
        "versions": {**versions, "numpy": np.__version__},
    }
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    for weight in cut.prefix().weights:
        digest.update(f"{weight.shape}{weight.dtype}".encode())
        digest.update(np.ascontiguousarray(weight.numpy()).tobytes())
    return digest.hexdigest()[:32]
