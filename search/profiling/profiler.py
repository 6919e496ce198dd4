"""The profiles of the models of a spec or of a grid, without training any."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tunefront.search.data.dataset import Dataset
from tunefront.search.launching.asker import Asker, CheckError, Progress
from tunefront.search.profiling.profile import Profile, profile
from tunefront.search.profiling.profile_grid import ProfileGrid, profile_grid
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.system.optuna_log import quiet_optuna
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.models import models_of
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.space import Space

_LIMIT = 60  # the highest number of profiled models of a spec


def profile_candidates(
    space: Space | OwnSpace,
    candidates: Sequence[Candidate],
    image_shape: tuple[int, ...],
    n_outputs: int,
    dataset: Dataset | None = None,
) -> Iterator[Profile]:
    """Yield the candidates' profiles, without keeping the models; it also clears Keras's global state.

    Args:
        dataset: The data that the models are for, if it is known.
    """
    import keras

    for candidate in candidates:
        yield profile(space, candidate, image_shape, n_outputs, dataset)
        keras.utils.clear_session()
        gc.collect()


def profile_spec(
    space: Space | OwnSpace, image_shape: tuple[int, ...], n_outputs: int, limit: int, seed: int = 0
) -> tuple[Iterator[Profile], str]:
    """Return the profiles of all models of a space, or of `limit` random ones, and a note that says which."""
    with quiet_optuna():
        candidates, note = models_of(space, limit, seed)
    return profile_candidates(space, candidates, image_shape, n_outputs), note


def profile_in_child(asker: Asker, task: ProfileGrid | StudySpec) -> tuple[list[Profile], str]:
    """Profile a grid, or the models of a spec on its own data, in a child that has Keras.

    Returns:
        The profiles, and a note on which models they are, or which the grid leaves out.

    Raises:
        AnswerError: If something cannot be built.
    """
    if isinstance(task, ProfileGrid):
        answer = asker.ask(_answer_grid, asdict(task))
    else:
        answer = asker.ask(_answer_spec, task.as_json())
    return [Profile(**found) for found in answer["profiles"]], answer["note"]


def _answer_grid(data: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    grid = ProfileGrid(**data)
    n_models = sum(len(grid.fractions_of(name)) for name in grid.architectures)
    return _collect(profile_grid(grid), n_models, grid.note, progress)


def _answer_spec(data: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    from tunefront.search.data.cache import prepare

    spec = StudySpec.from_json(data)
    dataset = prepare(spec.data, spec.seed, progress, are_images=spec.takes_images)
    space = spec.parsed_space()
    with quiet_optuna():
        candidates, note = models_of(space, _LIMIT, spec.seed)
    found = profile_candidates(space, candidates, dataset.image_shape, dataset.n_outputs, dataset)
    return _collect(found, len(candidates), note, progress)


def _collect(profiles: Iterator[Profile], n_models: int, note: str, progress: Progress) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    progress("profiling models", 0, n_models)
    try:
        for one in profiles:
            found.append(one.as_json())
            progress("profiling models", len(found), n_models)
    except ValueError as error:
        raise CheckError(str(error)) from error
    return {"profiles": found, "note": note}
