"""The members of a population whose weights another one may go on with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from optuna.trial import TrialState

from tunefront.objectives.measures import Measure
from tunefront.search.sampling.population.ranks import quantiles
from tunefront.search.spec.samplers import PbtTable
from tunefront.search.supervisor.population.member_files import MemberFiles
from tunefront.spaces.stages.changeable import is_changeable
from tunefront.storage.population import stages
from tunefront.storage.population.turns import PopulationMember


class Donors:
    """The rule of who goes on with whose weights.

    Args:
        measure: By which members are compared.
        seed: The study's.
    """

    def __init__(self, table: PbtTable, measure: Measure, seed: int) -> None:
        self._table = table
        self._measure = measure
        self._seed = seed

    def of(
        self, member: PopulationMember, members: Sequence[PopulationMember], files: MemberFiles
    ) -> list[PopulationMember]:
        """Return the members whose weights are better than those of one of the worst, in a random order.

        They are compared by their accuracy after the epochs that the member has, with all that have trained as many.
        The list is empty if it is none of the worst.
        """
        epoch = member.n_epochs
        if epoch == 0 or epoch % self._table.interval or stages.begins_after(member.stages, epoch):
            return []
        reached = [one for one in members if self._is_alike(one, member) and one.n_epochs >= epoch]
        # Who has inherited after this epoch has the donor's accuracy there.
        alike = {one.number: one for one in reached if not stages.inherits_after(one.stages, epoch)}
        losses = {number: self._measure.loss(one.accuracies[epoch - 1]) for number, one in alike.items()}
        best, worst = quantiles(losses, self._table.quantile, len(reached) - len(alike))
        if member.number not in worst:
            return []
        better = [
            alike[number]
            for number in best
            if losses[number] < losses[member.number] and self._can_give(alike[number], epoch, files)
        ]
        order = self.random(member.number, epoch).permutation(len(better))
        return [better[place] for place in order]

    def _can_give(self, member: PopulationMember, epoch: int, files: MemberFiles) -> bool:
        """Return whether a member's weights of a turn can be had: not if its curve is another's since it inherited."""
        is_own = stages.inherited_after(member.stages) < epoch
        return (
            is_own
            and files.can_go_on(member)
            and (files.turn(member, epoch) is not None or files.far_turn(member, epoch) is not None)
        )

    def _is_alike(self, one: PopulationMember, other: PopulationMember) -> bool:
        """Return whether two members are of one population, and have one network and the same settings to change."""
        size = self._table.population
        if one.number // size != other.number // size or one.trial.state == TrialState.FAIL:
            return False
        networks = ({n: is_changeable(n) or v for n, v in each.trial.params.items()} for each in (one, other))
        return next(networks) == next(networks)

    def random(self, *place: int) -> np.random.Generator:
        """Return random numbers that are the same whenever a member is at this place again."""
        return np.random.default_rng([self._seed, *place])
