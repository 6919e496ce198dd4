"""What a training must be to go on from a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.trial.messages import TrialTask
from tunefront.spaces.candidate import Candidate

_FORMAT = 1  # of a checkpoint's content; another one is not read
_NOT_OF_THE_TRAINING = {"time_limit", "tensorboard", "feature_cache"}


def identity_of(task: TrialTask, spec: StudySpec, versions: Mapping[str, str]) -> dict[str, str]:
    """Return name -> value of everything that decides what a trial's training does, but for the machine that runs it.

    Args:
        versions: The versions of what trains, by name.
    """
    return {
        "data": task.dataset.fingerprint,
        "folds": str(task.dataset.folds),
        **identity_of_training(spec, task.candidate, task.seed, versions),
    }


def identity_of_training(
    spec: StudySpec, candidate: Candidate, seed: int, versions: Mapping[str, str]
) -> dict[str, str]:
    """Return the part of an identity that any training of a study has."""
    training = spec.training.model_dump(mode="json", exclude=_NOT_OF_THE_TRAINING)
    if not training["feature_views"]:
        del training["feature_views"]  # as in checkpoints from before there was this key
    return {
        "format": str(_FORMAT),
        "measure": spec.accuracy_measure,
        **identity_of_candidate(candidate, seed),
        **_texts("training", training),
        **versions,
    }


def identity_of_candidate(candidate: Candidate, seed: int) -> dict[str, str]:
    """Return the part of an identity that a trial has of its own."""
    return {"seed": str(seed), **_texts("candidate", asdict(candidate))}


def _texts(prefix: str, values: Mapping[str, Any]) -> dict[str, str]:
    return {f"{prefix}.{name}": json.dumps(value, sort_keys=True, default=str) for name, value in values.items()}
