"""The populations of a study: each of some trials with one network, which train in turns (arXiv 1711.09846).

A member is a trial. After each turn of some epochs it goes on, waits for members that are behind, or, if it is among
the worst, goes on with the weights and the perturbed settings of one of the best.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from tunefront.objectives.measures import MEASURES
from tunefront.search.checkpoints.study_checkpoints import StudyCheckpoints
from tunefront.search.checkpoints.trial_folder import folder_of
from tunefront.search.sampling.population.choice import MemberChoice
from tunefront.search.sampling.population.perturbation import perturbed
from tunefront.search.sampling.population.ranks import quantiles
from tunefront.search.spec.samplers import PbtTable
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.population.inheritance import keep_turn, settle, take_over, turn_of, turns_folder
from tunefront.search.trial.resumption.identity import identity_of_candidate
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.stages.changeable import is_changeable
from tunefront.spaces.stages.staged_candidate import staged_candidate
from tunefront.storage import counts
from tunefront.storage.population import stages, turns
from tunefront.storage.population.stages import Stage
from tunefront.storage.population.turns import PopulationMember


class Population:
    """The populations of one study, for one supervisor.

    Args:
        say: Tells a person who goes on with whose weights.
    """

    def __init__(
        self, assignment: Assignment, table: PbtTable, checkpoints: StudyCheckpoints, say: Callable[[str], None]
    ) -> None:
        self._assignment = assignment
        self._study = assignment.study
        self._table = table
        self._checkpoints = checkpoints
        self._say = say
        self._measure = MEASURES[assignment.spec.accuracy_measure]

    # Whose turn it is

    def choose(self, trials: Sequence[FrozenTrial]) -> MemberChoice | None:
        """Choose the member that trains next: of the first population, who has the fewest epochs.

        If it is among the worst of those that have come as far, it goes on with another one's weights from here on.
        """
        members = self._read(trials)
        waiting = self._waiting(members)
        n_taken = counts.count(self._study).finished + sum(not trial.state.is_finished() for trial in trials)
        first = min(waiting, key=self._order, default=None)
        is_new_first = first is None or (len(trials) // self._table.population, 0) < self._order(first)[:2]
        if n_taken < self._assignment.spec.trials and is_new_first:
            return MemberChoice(None)
        if first is None:
            return None
        self._prepare(first, members)
        return MemberChoice(first.trial)

    def goes_on(self, number: int, epoch: int) -> bool:
        """Return whether a member that has ended a turn goes on at once: nobody is behind, and it is not the worst."""
        trials = self._study.optuna.get_trials(deepcopy=False)
        members = self._read(trials)
        own = (number // self._table.population, epoch)
        if any(self._order(member)[:2] < own for member in self._waiting(members)):
            return False
        n_taken = counts.count(self._study).finished + sum(not trial.state.is_finished() for trial in trials)
        if n_taken < self._assignment.spec.trials and (len(trials) // self._table.population, 0) < own:
            return False
        return not self._donors(next(member for member in members if member.number == number), members)

    def keep_turn(self, number: int, epoch: int) -> None:
        """Keep a member's checkpoint of the turn that has just ended, for those that may go on from it."""
        header = self._checkpoints.newest(number, epoch)
        if header is not None and header.epoch == epoch:
            with contextlib.suppress(OSError):  # on a full disk nobody goes on from it
                keep_turn(self._folder(number), header, self._turns(number))

    def _read(self, trials: Sequence[FrozenTrial]) -> list[PopulationMember]:
        return turns.read_members(self._study, trials, self._assignment.worker_id)

    def _waiting(self, members: Sequence[PopulationMember]) -> list[PopulationMember]:
        """Return who waits and can be trained here: a living worker keeps its own, which would begin anew elsewhere."""
        return [
            member
            for member in members
            if member.trial.state == TrialState.WAITING
            and (not member.is_kept_elsewhere or not member.n_epochs or any(self._folder(member.number).glob("*.npz")))
        ]

    def _order(self, member: PopulationMember) -> tuple[int, int, int]:
        return (member.number // self._table.population, member.n_epochs, member.number)

    # Who goes on with whose weights

    def _prepare(self, member: PopulationMember, members: Sequence[PopulationMember]) -> None:
        """Bring a waiting member's files and stages in order, and let it inherit if it is among the worst."""
        folder = self._folder(member.number)
        settle(folder, member.stages)
        header = self._checkpoints.newest(member.number, member.n_epochs)
        reached = header.epoch if header is not None else 0
        own = stages.own_after(member.stages, reached)
        if own != list(member.stages):  # weights that it inherited later are lost: it trains these settings itself
            turns.write_stages(self._study, member.number, own)
        for donor in self._donors(member, members):
            # A full disk, a file that has just been dropped, or an own space that refuses the perturbed settings: it
            # goes on as it is.
            with contextlib.suppress(OSError, SpaceError):
                self._inherit(member, donor)
                return

    def _donors(self, member: PopulationMember, members: Sequence[PopulationMember]) -> list[PopulationMember]:
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
            if losses[number] < losses[member.number] and self._has_turn(alike[number], epoch)
        ]
        order = self._random(member.number, epoch).permutation(len(better))
        return [better[place] for place in order]

    def _has_turn(self, member: PopulationMember, epoch: int) -> bool:
        """Return whether a member's checkpoint of a turn is here to take."""
        if member.n_epochs == epoch and turn_of(self._turns(member.number), epoch) is None:
            self.keep_turn(member.number, epoch)  # its supervisor was killed before it could
        return turn_of(self._turns(member.number), epoch) is not None

    def _is_alike(self, one: PopulationMember, other: PopulationMember) -> bool:
        """Return whether two members are of one population, and have one network and the same settings to change."""
        size = self._table.population
        if one.number // size != other.number // size or one.trial.state == TrialState.FAIL:
            return False
        networks = ({n: is_changeable(n) or v for n, v in each.trial.params.items()} for each in (one, other))
        return next(networks) == next(networks)

    def _inherit(self, member: PopulationMember, donor: PopulationMember) -> None:
        """Let a waiting member go on from a donor's turn, with perturbed settings: first the files, then the store."""
        epoch, number = member.n_epochs, member.number
        header = turn_of(self._turns(donor.number), epoch)
        if header is None:
            raise FileNotFoundError(f"the checkpoint of trial {donor.number} after epoch {epoch} is gone")
        drawn = {name: value for name, value in donor.trial.params.items() if is_changeable(name)}
        lineage = stages.until(donor.stages, epoch) or [Stage(1, drawn)]
        random = self._random(number, epoch, donor.number)
        new = perturbed(lineage[-1].parameters, donor.trial.distributions, self._table, random)
        course = [*lineage, Stage(epoch + 1, new, weights_of=donor.number)]
        spec = self._assignment.spec
        candidate = staged_candidate(spec.parsed_space(), member.trial.params, stages.changes(course))
        identity = {**header.identity, **identity_of_candidate(candidate, self._assignment.seed_of(number))}
        take_over(self._turns(donor.number), header, self._folder(number), identity, course)
        turns.inherit(self._study, number, donor.number, epoch, course)
        settle(self._folder(number), course)
        self._say(f"trial {number} goes on with trial {donor.number}'s weights after epoch {epoch}: {_shown(new)}")

    def _random(self, *place: int) -> np.random.Generator:
        """Return random numbers that are the same whenever a member is at this place again."""
        return np.random.default_rng([self._assignment.spec.seed, *place])

    def _turns(self, number: int) -> Path:
        return turns_folder(self._assignment.out, number // self._table.population, number)

    def _folder(self, number: int) -> Path:
        return folder_of(self._assignment.out, number)


def population_of(
    assignment: Assignment, checkpoints: StudyCheckpoints, say: Callable[[str], None]
) -> Population | None:
    """Return the populations of a study; None if its sampler has none."""
    table = assignment.spec.sampler
    return Population(assignment, table, checkpoints, say) if isinstance(table, PbtTable) else None


def _shown(parameters: Mapping[str, object]) -> str:
    return ", ".join(
        f"{name.rpartition('.')[2]} {value:.3g}" if isinstance(value, float) else f"{name.rpartition('.')[2]} {value}"
        for name, value in parameters.items()
    )
