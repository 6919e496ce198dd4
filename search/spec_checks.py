"""What of a spec must fit together: sampler and pruner with the objectives and the space."""

from __future__ import annotations

from collections.abc import Sequence

from objectives import Axis
from search.grid import check_countable
from search.spec_tables import CmaEsTable, GridTable, NoPrunerTable, ParetoTable, PrunerTable, SamplerTable
from spaces import OwnSpace, Space, SpaceError


def check_pruner(table: PrunerTable, axes: Sequence[Axis]) -> None:
    """Refuse one of Optuna's pruners where there is not one learning curve to look at.

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
    if isinstance(table, GridTable):
        check_countable(space)
