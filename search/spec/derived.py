"""Specs derived from a search's spec: those of the studies that record it and confirm it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from tunefront.mistakes import TunefrontError
from tunefront.search.spec.stored_spec import FindSpec
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.spec.training import DEFAULT_CACHE_BYTES

_SEARCH_KEYS = (
    "seed",
    "objectives",
    "deploy",
    "data",
    "space",
    "training",
)  # a recording's spec has them from its search


def recording_name(search: str) -> str:
    """Return the name of the study that records a search's space."""
    return f"{search}.recording"


def recorded_search(find_stored: FindSpec) -> FindSpec:
    """Return a function that looks up, by a search's name, the part of its spec that the recording study has stored."""

    def find(search: str) -> Mapping[str, Any] | None:
        recording = find_stored(recording_name(search))
        kept = {key: recording[key] for key in _SEARCH_KEYS if key in recording} if recording is not None else None
        if kept is None:
            return None
        # That a recording takes no stored features is its own setting, and not the search's.
        return {**kept, "training": {**kept["training"], "feature_cache": DEFAULT_CACHE_BYTES}, "name": search}

    return find


def recording_spec(spec: StudySpec, n_candidates: int, n_repeated: int, n_seeds: int, epochs: int | None) -> StudySpec:
    """Return the spec of the study that records `spec`: random candidates, no stopping, no limits.

    All trainings have one length, because a replay compares them epoch by epoch. None is from stored features, since
    their pass is in no epoch.

    Args:
        epochs: The epochs of each training; None takes those of the spec, the most if they vary.
    """
    n_trainings = n_candidates + n_repeated * (n_seeds - 1)
    data = spec.as_json() | {"name": recording_name(spec.name), **_trained_to_the_end(spec, n_trainings)}
    data["training"] = {**data["training"], "early_stopping": None, "epochs": epochs or spec.training.most_epochs}
    data["training"]["feature_cache"] = 0.0
    return StudySpec.from_json(data)


def _trained_to_the_end(spec: StudySpec, n_trainings: int) -> dict[str, Any]:
    """Return the keys of a study whose trainings are given: none is stopped, refused or replaced."""
    return {
        "trials": n_trainings,
        "max_failures": n_trainings,
        "objectives": {axis: {"measure": table.measure} for axis, table in spec.objectives.present().items()},
        "limits": {},
        "deploy": {"precision": spec.deploy.precision},
        "sampler": {"name": "random"},
        "pruner": {"name": "none"},
        "pretrain": None,
    }


SUFFIX = ".confirmation"


class ConfirmationError(TunefrontError):
    """A search cannot be confirmed: why, and what to do."""


def confirmation_spec(spec: StudySpec, n_trainings: int) -> StudySpec:
    """Return the spec of the study that confirms `spec`: nothing is sampled, stopped or refused.

    Seed and data stay, because the seed splits the data too. A training that fails counts, and is not
    replaced: other seeds until one succeeds would hide that a candidate fails.

    Raises:
        ConfirmationError: If its name is too long for a study.
    """
    changes = {"name": f"{spec.name}{SUFFIX}", "confirms": spec.name, **_trained_to_the_end(spec, n_trainings)}
    try:
        return StudySpec.from_json(spec.as_json() | changes)
    except ValidationError:
        raise ConfirmationError(
            f"the name {spec.name!r} is too long to have {SUFFIX!r} added: run the search under a shorter one"
        ) from None
