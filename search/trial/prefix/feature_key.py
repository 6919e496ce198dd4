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
from tunefront.spaces.augmentation.levels import changes_images
from tunefront.spaces.augmentation.mixing import mixes_images
from tunefront.spaces.candidate import Candidate
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


def n_views(candidate: Candidate, spec: StudySpec) -> int:
    """Return the number of views of each image that a candidate trains on; 0 if its images are not changed."""
    if not changes_images(candidate.augmentation_settings):
        return 0
    return min(spec.training.feature_views, spec.training.epochs_of(candidate))


def view_seed(spec: StudySpec, view: int) -> int:
    """Return the seed of the random changes of a view, which count from 1; all trials of a study share them."""
    return int(np.random.SeedSequence([spec.seed, view]).generate_state(1)[0] >> 1)


def keys_of(cut: Cut, task: TrialTask, spec: StudySpec, versions: Mapping[str, str]) -> list[str]:
    """Return the key of a trial's features, and those of the features of each view that it trains on."""
    plain = key_of(cut, task, spec, versions)
    keys = [plain]
    for view in range(1, n_views(task.candidate, spec) + 1):
        parts = [plain, view_seed(spec, view), task.candidate.augmentation_settings]
        keys.append(hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32])
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
