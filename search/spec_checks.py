"""What of a spec must fit together: sampler and pruner with the objectives and the space."""

from __future__ import annotations

from collections.abc import Sequence

from optuna.distributions import FloatDistribution, IntDistribution

from objectives import Axis
from search.grid import check_countable
from search.spec_tables import (
    CmaEsTable,
    GridTable,
    NoPrunerTable,
    ParetoTable,
    PatientTable,
    PrunerTable,
    SamplerTable,
)
from search.steering import parameters_of
from spaces import OwnSpace, Space, SpaceError


def check_pruner(table: PrunerTable, axes: Sequence[Axis], epochs: int) -> None:
    """Refuse one of Optuna's pruners where there is not one learning curve to look at, or it is too short.

    Args:
        epochs: Of a whole training.

    Raises:
        SpaceError: Names the key and the remedy.
    """
    if isinstance(table, ParetoTable | NoPrunerTable):
        return
    remedy = 'Write name = "pareto", which stops what would not come on the front'
    if len(axes) > 1:
        raise SpaceError(
            "pruner.name",
            f"{table.name!r} looks at one objective, and this study has {len(axes)}: {', '.join(axes)}. "
            f"{remedy}, or leave one in [objectives]",
        )
    if axes[0] != "accuracy":
        raise SpaceError(
            "pruner.name",
            f"{table.name!r} compares learning curves, and {axes[0]} has none: its objective is accuracy. {remedy}",
        )
    inner, path = (table.wrapped, "pruner.wrapped") if isinstance(table, PatientTable) else (table, "pruner")
    for key, n_before in (("min_resource", 0), ("n_warmup_steps", 1)):
        value = getattr(inner, key, 0)
        if value > 1 and value + n_before >= epochs:
            raise SpaceError(
                f"{path}.{key}",
                f"with {value} of training.epochs = {epochs} no trial would be judged before its last epoch: "
                f"a step is an epoch. Write at most {max(epochs - 1 - n_before, 1)}",
            )


def check_sampler(table: SamplerTable, axes: Sequence[Axis], space: Space | OwnSpace) -> None:
    """Refuse a sampler that cannot do with these objectives or this space.

    Raises:
        SpaceError: Names the key and the remedy.
    """
    if isinstance(table, CmaEsTable) and len(axes) > 1:
        raise SpaceError(
            "sampler.name",
            f"'cmaes' is for one objective, and this study has {len(axes)}: {', '.join(axes)}. "
            'Write name = "tpe", "nsga2" or "gp", or leave one in [objectives]',
        )
    if isinstance(table, CmaEsTable) and not _has_numbers(space):
        raise SpaceError(
            "sampler.name",
            "'cmaes' learns numbers that every candidate has, and this space has none: lists are choices without an "
            "order, and settings count only where they are chosen. Write ranges, or name one architecture or "
            'optimizer; or write name = "tpe"',
        )
    if isinstance(table, GridTable):
        check_countable(space)


def _has_numbers(space: Space | OwnSpace) -> bool:
    parameters = parameters_of(space)
    found = (parameters.distributions[name] for name in parameters.always)
    return any(isinstance(one, IntDistribution | FloatDistribution) and not one.single() for one in found)
