"""Checks of a spec whose sampler trains populations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tunefront.search.spec.tables import NoPrunerTable, PbtTable, SamplerTable
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.parameters import parameters_of
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space
from tunefront.spaces.stages.changeable import DESCRIPTION, is_changeable

if TYPE_CHECKING:
    from tunefront.search.spec.study_spec import StudySpec

PRUNER_OF: Mapping[str, str] = {"bohb": "hyperband", "pbt": "none"}  # sampler -> its pruner, where none is named


def check_pbt(spec: StudySpec) -> None:
    """Refuse what does not go with the sampler ``pbt``.

    Raises:
        SpaceError: Names the key and the remedy.
    """
    table, epochs = spec.sampler, spec.training.most_epochs
    if not isinstance(table, PbtTable):
        return
    accuracy = spec.axis_names["accuracy"]
    if "accuracy" not in spec.objectives.present():
        raise SpaceError(
            "sampler.name",
            f"'pbt' compares members by {accuracy}, which is no objective of this study: leave {accuracy} in "
            '[objectives], or write name = "tpe"',
        )
    if not isinstance(spec.pruner, NoPrunerTable):
        raise SpaceError(
            "pruner.name",
            f"the sampler 'pbt' replaces the weights of its worst members, where {spec.pruner.name!r} would stop them: "
            'leave [pruner] out, or write name = "none" there',
        )
    if spec.data.folds:
        raise SpaceError(
            "data.folds",
            "the sampler 'pbt' hands on the weights of one training, and folds are several: leave folds out, and let "
            "'tunefront confirm' repeat what was found",
        )
    if table.interval >= epochs:
        raise SpaceError(
            "sampler.interval",
            f"{table.interval} of training.epochs = {epochs} leaves no epoch after the first turn. "
            + (f"Write at most {epochs - 1}" if epochs > 1 else "Train longer"),
        )
    if table.population > spec.trials:
        raise SpaceError(
            "sampler.population",
            f"{table.population} is more than trials = {spec.trials}: each member is a trial. Write at most "
            f"{spec.trials} here, or more trials",
        )


def check_pbt_space(table: SamplerTable, space: Space | OwnSpace) -> None:
    """Refuse a space of which the sampler ``pbt`` could change nothing.

    Raises:
        SpaceError: Names the key and the remedy.
    """
    if not isinstance(table, PbtTable):
        return
    found = parameters_of(space).distributions
    varying = [name for name, each in found.items() if is_changeable(name) and not each.single()]
    if not varying:
        raise SpaceError(
            "sampler.name",
            f"'pbt' changes {DESCRIPTION} during a training, and each of them has one value in this space: give one a "
            'range in [space], or write name = "random"',
        )
