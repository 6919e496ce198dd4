"""Make a stored trial's candidate again: read its study's spec, and check that its space still gives the same."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import optuna
from pydantic import ValidationError

from tunefront.mistakes import TunefrontError
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.system.optuna_log import quiet_optuna
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space
from tunefront.spaces.stages.staged_candidate import staged_candidate
from tunefront.storage.open_study import StudyRecord
from tunefront.storage.population import stages
from tunefront.storage.population.stages import Stage


class RemakingError(TunefrontError):
    """A candidate cannot be made again: why, and what to do."""


def read_stored_spec(study: StudyRecord) -> StudySpec:
    """Return the study's spec without running anybody's code.

    Raises:
        RemakingError: If this tunefront cannot read it.
    """
    try:
        return StudySpec.from_json(study.spec)
    except SpaceError as error:
        raise RemakingError(
            f"the spec of study {study.name!r} cannot be read by this tunefront ({error}): "
            "use the version that the study ran with"
        ) from None
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise RemakingError(
            f"the spec of study {study.name!r} cannot be read by this tunefront ({key}: {problem['msg']}): "
            "use the version that the study ran with"
        ) from None


def remake_candidates(
    study: StudyRecord,
    space: Space | OwnSpace,
    parameters_by_number: Mapping[int, Mapping[str, Any]],
    stages_by_number: Mapping[int, Sequence[Stage]] = MappingProxyType({}),
) -> dict[int, Candidate]:
    """Make the candidates of these trials again, by their numbers, and check that they have the same parameters.

    If a space no longer allows a queued value, Optuna samples another one without an error. This runs the code of a
    user's own space.

    Raises:
        RemakingError: If a candidate has other parameters or cannot be made, because the space has changed since, or if
            the space's code is not here.
    """
    if isinstance(space, OwnSpace):
        try:
            space.load()
        except SpaceError as error:
            raise RemakingError(
                f"the space of study {study.name!r} is code of its own that cannot be used here ({error}). "
                "Run this in the folder that the study ran in"
            ) from None
    with quiet_optuna():  # Optuna would announce the temporary study
        scratch = optuna.create_study()
    candidates = {}
    for number, parameters in parameters_by_number.items():
        scratch.enqueue_trial(dict(parameters))
        trial = scratch.ask()
        what = f"trial {number} of study {study.name!r} cannot be made again"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Optuna warns of a value out of range, which is found below
                candidates[number] = space.suggest(trial)
        except SpaceError as error:
            raise RemakingError(f"{what}: {error}") from None
        except ValueError:  # the parameter now has another kind of range under the same name
            raise RemakingError(f"{what}: its space has changed since. Put it back as it was") from None
        if trial.params != dict(parameters):
            names = sorted({name for name, _ in set(trial.params.items()) ^ set(parameters.items())})
            raise RemakingError(f"{what}: its space has changed since, in {', '.join(names)}. Put it back as it was")
        found = stages.changes(stages_by_number.get(number, ()))
        if found:
            candidates[number] = staged_candidate(space, parameters, found)
    return candidates
