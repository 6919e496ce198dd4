"""The populations of a study: each of some trials with one network, which train in turns (arXiv 1711.09846).

A member is a trial. After each turn of some epochs it goes on, waits for members that are behind, or, if it is among
the worst, goes on with the weights and the perturbed settings of one of the best.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from tunefront.objectives.measures import MEASURES
from tunefront.search.checkpoints.header import CheckpointHeader
from tunefront.search.checkpoints.study_checkpoints import StudyCheckpoints
from tunefront.search.checkpoints.trial_folder import remove_others
from tunefront.search.sampling.population.choice import MemberChoice
from tunefront.search.sampling.population.perturbation import perturbed
from tunefront.search.spec.samplers import PbtTable
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.population.donors import Donors
from tunefront.search.supervisor.population.inheritance import drop_old_turns, settle, take_over
from tunefront.search.supervisor.population.member_files import MemberFiles
from tunefront.search.supervisor.uploads.far_files import FarFile, FarFiles
from tunefront.search.trial.resumption.identity import identity_of_candidate
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.stages.changeable import is_changeable
from tunefront.spaces.stages.staged_candidate import staged_candidate
from tunefront.storage import counts
from tunefront.storage.population import stages, turns
from tunefront.storage.population.stages import Stage
from tunefront.storage.population.turns import APART, PopulationMember


class Population:
    """The populations of one study, for one supervisor.

    Args:
        far: The checkpoints that members of all machines have in the study's artifacts.
        say: Tells a person who goes on with whose weights.
    """

    def __init__(
        self,
        assignment: Assignment,
        table: PbtTable,
        checkpoints: StudyCheckpoints,
        far: FarFiles,
        say: Callable[[str], None],
    ) -> None:
        self._assignment = assignment
        self._study = assignment.study
        self._table = table
        self._checkpoints = checkpoints
        self._far = far
        self._say = say
        self._donors = Donors(table, MEASURES[assignment.spec.accuracy_measure], assignment.spec.seed)
        self._kinds = {assignment.device_of(slot) for slot in assignment.slots}
        self._has_said_apart = False

    # Whose turn it is

    def choose(self, trials: Sequence[FrozenTrial]) -> MemberChoice | None:
        """Choose the member that trains next: of the first population, who has the fewest epochs.

        If it is among the worst of those that have come as far, it goes on with another one's weights from here on.
        None is chosen if a file of it is still to be fetched, see :meth:`far_files`.
        """
        members, files = self._read(trials), self._files()
        self._note_apart(members, files)
        first = self._first_waiting(members, files)
        if self._is_new_next(trials, first):
            return MemberChoice(None)
        if first is None:
            return None
        settle(files.folder(first.number), first.stages)
        if self._wanted(first, members, files) is not None:
            return None
        self._prepare(first, members, files)
        return MemberChoice(first.trial)

    def far_files(self) -> list[FarFile]:
        """Return the file that the member which is next needs from the artifacts; empty if all is here."""
        trials = self._study.optuna.get_trials(deepcopy=False)
        members, files = self._read(trials), self._files()
        first = self._first_waiting(members, files)
        if first is None or self._is_new_next(trials, first):
            return []
        wanted = self._wanted(first, members, files)
        return [wanted] if wanted is not None else []

    def goes_on(self, number: int, epoch: int) -> bool:
        """Return whether a member that has ended a turn goes on at once: nobody is behind, and it is not the worst."""
        trials = self._study.optuna.get_trials(deepcopy=False)
        members, files = self._read(trials), self._files()
        own = (number // self._table.population, epoch)
        if any(self._place(member) < own for member in self._waiting(members, files)):
            return False
        if self._has_room(trials) and (len(trials) // self._table.population, 0) < own:
            return False
        return not self._donors.of(next(member for member in members if member.number == number), members, files)

    def keep_turn(self, number: int, epoch: int) -> tuple[CheckpointHeader, Path] | None:
        """Keep a member's checkpoint of the turn that has just ended, for those that may go on from it.

        Returns:
            It and its file; None if it cannot be kept.
        """
        files = self._files()
        header = files.keep_turn(number, epoch)
        return None if header is None else (header, files.turns(number) / header.file_name)

    def _read(self, trials: Sequence[FrozenTrial]) -> list[PopulationMember]:
        return turns.read_members(self._study, trials, self._assignment.worker_id)

    def _files(self) -> MemberFiles:
        return MemberFiles(self._checkpoints, self._far, self._table.population, self._kinds)

    def _has_room(self, trials: Sequence[FrozenTrial]) -> bool:
        n_taken = counts.count(self._study).finished + sum(not trial.state.is_finished() for trial in trials)
        return n_taken < self._assignment.spec.trials

    def _is_new_next(self, trials: Sequence[FrozenTrial], first: PopulationMember | None) -> bool:
        """Return whether a new member comes before the first one that waits."""
        new = (len(trials) // self._table.population, 0)
        return (first is None or new < self._place(first)) and self._has_room(trials)

    def _first_waiting(self, members: Sequence[PopulationMember], files: MemberFiles) -> PopulationMember | None:
        def order(member: PopulationMember) -> tuple[tuple[int, int], bool, int]:
            return self._place(member), not files.is_here(member), member.number

        return min(self._waiting(members, files), key=order, default=None)

    def _waiting(self, members: Sequence[PopulationMember], files: MemberFiles) -> list[PopulationMember]:
        """Return who waits and can be trained here: a living worker keeps its own, which would begin anew elsewhere."""
        return [
            member
            for member in members
            if member.trial.state == TrialState.WAITING
            and (not member.is_kept_elsewhere or files.is_within_reach(member))
        ]

    def _note_apart(self, members: Sequence[PopulationMember], files: MemberFiles) -> None:
        """Tell and note, once, that members train on machines that do not see each other's checkpoints."""
        if self._has_said_apart or self._far.has_place:
            return
        kept = [member for member in members if member.is_kept_elsewhere and not member.trial.state.is_finished()]
        if all(files.are_seen(member) for member in kept):
            return
        self._has_said_apart = True
        if not self._study.optuna.user_attrs.get(APART):
            self._study.optuna.set_user_attr(APART, True)
        self._say(
            "another machine has members of these populations, whose checkpoints are not here: each member stays on "
            "its machine, and inherits from members there. With --artifacts, a place that all machines reach, they are "
            "one population"
        )

    def _place(self, member: PopulationMember) -> tuple[int, int]:
        return (member.number // self._table.population, member.n_epochs)

    # Who goes on with whose weights

    def _wanted(
        self, member: PopulationMember, members: Sequence[PopulationMember], files: MemberFiles
    ) -> FarFile | None:
        """Return the file that is to be fetched before a member goes on; None if it can go on now."""
        wanted = files.wanted(member)
        donor = next(iter(self._donors.of(member, members, files)), None)
        if wanted is not None or donor is None or files.turn(donor, member.n_epochs) is not None:
            return wanted
        return files.far_turn(donor, member.n_epochs)

    def _prepare(self, member: PopulationMember, members: Sequence[PopulationMember], files: MemberFiles) -> None:
        """Bring a waiting member's files and stages in order, and let it inherit if it is among the worst."""
        header = self._checkpoints.newest(member.number, member.n_epochs)
        reached = header.epoch if header is not None else 0
        if 0 < stages.inherited_after(member.stages) >= reached:
            reached = self._inherit_again(member, files)
        own = stages.own_after(member.stages, reached)
        if own != list(member.stages):  # weights that it inherited later are lost: it trains these settings itself
            turns.write_stages(self._study, member.number, own)
        for donor in self._donors.of(member, members, files):
            # A full disk, a file that has just been dropped, or an own space that refuses the perturbed settings: it
            # goes on as it is.
            with contextlib.suppress(OSError, SpaceError):
                self._inherit(member, donor, files)
                return

    def _inherit_again(self, member: PopulationMember, files: MemberFiles) -> int:
        """Let a member go on with what it has inherited, and take it over again if another machine has done that.

        Returns:
            The epoch after which it goes on: 0 if the weights are not to be had.
        """
        folder, header = files.folder(member.number), files.inherited(member)
        with contextlib.suppress(OSError, SpaceError):
            if header is not None:
                remove_others(folder, header)
                return header.epoch
            header = files.inherited_turn(member)
            if header is not None:
                self._take_over(member, stages.donor_of(member.stages), header, member.stages, files)
                settle(folder, member.stages)
                return header.epoch
        return 0

    def _inherit(self, member: PopulationMember, donor: PopulationMember, files: MemberFiles) -> None:
        """Let a waiting member go on from a donor's turn, with perturbed settings: first the files, then the store."""
        epoch, number = member.n_epochs, member.number
        header = files.turn(donor, epoch)
        if header is None:
            raise FileNotFoundError(f"the checkpoint of trial {donor.number} after epoch {epoch} is gone")
        drawn = {name: value for name, value in donor.trial.params.items() if is_changeable(name)}
        lineage = stages.until(donor.stages, epoch) or [Stage(1, drawn)]
        random = self._donors.random(number, epoch, donor.number)
        new = perturbed(lineage[-1].parameters, donor.trial.distributions, self._table, random)
        course = [*lineage, Stage(epoch + 1, new, weights_of=donor.number)]
        self._take_over(member, donor.number, header, course, files)
        self._far.drop(turns.inherit(self._study, number, donor.number, epoch, course))
        settle(files.folder(number), course)
        drop_old_turns(files.turns(donor.number))  # those that were fetched
        self._say(f"trial {number} goes on with trial {donor.number}'s weights after epoch {epoch}: {_shown(new)}")

    def _take_over(
        self,
        member: PopulationMember,
        donor: int,
        header: CheckpointHeader,
        course: Sequence[Stage],
        files: MemberFiles,
    ) -> None:
        number, spec = member.number, self._assignment.spec
        candidate = staged_candidate(spec.parsed_space(), member.trial.params, stages.changes(course))
        identity = {**header.identity, **identity_of_candidate(candidate, self._assignment.seed_of(number))}
        take_over(files.turns(donor), header, files.folder(number), identity, course)


def population_of(
    assignment: Assignment, checkpoints: StudyCheckpoints, far: FarFiles, say: Callable[[str], None]
) -> Population | None:
    """Return the populations of a study; None if its sampler has none."""
    table = assignment.spec.sampler
    return Population(assignment, table, checkpoints, far, say) if isinstance(table, PbtTable) else None


def _shown(parameters: Mapping[str, object]) -> str:
    return ", ".join(
        f"{name.rpartition('.')[2]} {value:.3g}" if isinstance(value, float) else f"{name.rpartition('.')[2]} {value}"
        for name, value in parameters.items()
    )
