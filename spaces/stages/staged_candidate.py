"""A candidate whose settings change during its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tunefront.spaces.candidate import Candidate
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.parameters import SteeredTrial
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space
from tunefront.spaces.stages.changeable import is_changeable

Change = tuple[int, Mapping[str, Any]]  # the first epoch that it counts for, from 1, and parameters that change


def staged_candidate(
    space: Space | OwnSpace, parameters: Mapping[str, Any], changes: Sequence[Change] = ()
) -> Candidate:
    """Make the candidate of these parameters, with those that follow it during its training.

    Args:
        changes: In the order of their epochs, the first from epoch 1 on; what one does not name stays as it was.

    Raises:
        SpaceError: If a change would make another network or optimizer, or a user's own code raises.
    """
    found: list[tuple[int, Candidate]] = []
    so_far = dict(parameters)
    for first_epoch, changed in changes:
        for name in changed:
            if name not in parameters or not is_changeable(name):
                raise SpaceError("stages", f"{name} cannot change during a training")
        so_far |= changed
        found.append((first_epoch, _candidate(space, so_far)))
    if not found:
        return _candidate(space, parameters)
    (_, first), *later = found
    return replace(first, later=tuple(later))


def _candidate(space: Space | OwnSpace, parameters: Mapping[str, Any]) -> Candidate:
    return space.suggest(SteeredTrial(parameters))  # type: ignore[arg-type]
