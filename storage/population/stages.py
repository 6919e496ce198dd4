"""The stages of a training whose settings change: which settings from which epoch on, and whose weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

KEY = "stages"  # user attribute of a trial in Optuna


@dataclass(frozen=True)
class Stage:
    """A part of a training with settings of its own.

    A training has none, or one from its first epoch on.

    Attributes:
        first_epoch: Its first epoch; epochs count from 1. It lasts until the next stage or the end.
        parameters: The parameters that may change during a training: ``group.name`` -> value.
        weights_of: The number of the trial with whose weights it began; None if the training went on with its own.
    """

    first_epoch: int
    parameters: Mapping[str, Any]
    weights_of: int | None = None


def read(user_attributes: Mapping[str, Any]) -> list[Stage]:
    """Return the stages in a trial's user attributes; empty if its settings stay as they are."""
    return [Stage(**fields) for fields in user_attributes.get(KEY, [])]


def as_json(stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """Return what :func:`read` reads as these stages."""
    return [asdict(stage) for stage in stages]


def changes(stages: Sequence[Stage]) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the first epoch and the parameters of each stage."""
    return [(stage.first_epoch, stage.parameters) for stage in stages]


def first_parameters(stages: Sequence[Stage]) -> Mapping[str, Any]:
    """Return the parameters with which the training began; empty if it has no stages."""
    return stages[0].parameters if stages else {}


def until(stages: Sequence[Stage], epoch: int) -> list[Stage]:
    """Return the stages of a training up to an epoch."""
    return [stage for stage in stages if stage.first_epoch <= epoch]


def begins_after(stages: Sequence[Stage], epoch: int) -> bool:
    """Return whether a stage begins right after an epoch, or later."""
    return any(stage.first_epoch > epoch for stage in stages)


def inherited_after(stages: Sequence[Stage]) -> int:
    """Return after which epoch another trial's weights came in last; 0 if none did."""
    return max((stage.first_epoch - 1 for stage in stages if stage.weights_of is not None), default=0)


def donor_of(stages: Sequence[Stage]) -> int:
    """Return whose weights came in last.

    Raises:
        StopIteration: If none did.
    """
    return next(stage.weights_of for stage in reversed(stages) if stage.weights_of is not None)


def inherits_after(stages: Sequence[Stage], epoch: int) -> bool:
    """Return whether another trial's weights came in right after an epoch."""
    return any(stage.first_epoch == epoch + 1 and stage.weights_of is not None for stage in stages)


def own_after(stages: Sequence[Stage], epoch: int) -> list[Stage]:
    """Return the stages of a training that goes on after an epoch: later ones begin with its own weights.

    A stage that begins right after it has the weights that it inherited.
    """
    return [stage if stage.first_epoch <= epoch + 1 else replace(stage, weights_of=None) for stage in stages]


def replayed(stages: Sequence[Stage]) -> list[Stage]:
    """Return the stages of a training that has their settings, and its own weights throughout."""
    return [Stage(stage.first_epoch, stage.parameters) for stage in stages]
