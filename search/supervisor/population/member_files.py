"""The checkpoints of a population's members: those on this machine, and those in the study's artifacts."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from tunefront.search.checkpoints.header import CheckpointHeader
from tunefront.search.checkpoints.study_checkpoints import StudyCheckpoints, is_of
from tunefront.search.checkpoints.trial_folder import folder_of, n_epochs_there
from tunefront.search.supervisor.population.inheritance import has_taken, keep_turn, turns_folder, turns_of
from tunefront.search.supervisor.uploads.far_files import FarFile, FarFiles, far_file, n_epochs_of
from tunefront.storage.artifacts.rows import CHECKPOINTS, TURNS, Artifact
from tunefront.storage.attempts import attempts_in
from tunefront.storage.population import stages
from tunefront.storage.population.turns import PopulationMember


class MemberFiles:
    """The files of the members as they are now; it is made anew for each look.

    Args:
        size: The members of a population.
        kinds: The kinds of device on this machine.
    """

    def __init__(self, checkpoints: StudyCheckpoints, far: FarFiles, size: int, kinds: Collection[str]) -> None:
        self._checkpoints = checkpoints
        self._size = size
        self._kinds = kinds
        self._far: Mapping[int, list[Artifact]] = far.read(CHECKPOINTS)
        self._far_turns: Mapping[int, list[Artifact]] = far.read(TURNS)

    def folder(self, number: int) -> Path:
        """Return the folder of a member's own checkpoints."""
        return folder_of(self._checkpoints.out, number)

    def turns(self, number: int) -> Path:
        """Return the folder of a member's checkpoints at its turns."""
        return turns_folder(self._checkpoints.out, number // self._size, number)

    # A member's own training

    def is_here(self, member: PopulationMember) -> bool:
        """Return whether a member can go on here without loss: its checkpoint is here, or it has none anywhere."""
        return n_epochs_there(self.folder(member.number), member.n_epochs) >= member.kept_epochs

    def is_within_reach(self, member: PopulationMember) -> bool:
        """Return whether a member can go on here without loss, perhaps from a file in the artifacts."""
        far = self._newest_far(member)
        is_far = far is not None and n_epochs_of(far) >= member.kept_epochs
        return self.is_here(member) or (is_far and self.can_go_on(member))

    def can_go_on(self, member: PopulationMember) -> bool:
        """Return whether a member's weights can be trained on here.

        Not with other versions, nor on another kind of device where times are compared: it would begin anew.
        """
        kinds = {part.machine for part in attempts_in(member.attempts)}
        is_of_kind = not self._checkpoints.are_times_compared or kinds <= set(self._kinds)
        return is_of_kind and member.has_own_versions

    def are_seen(self, member: PopulationMember) -> bool:
        """Return whether a member that may be training elsewhere writes its checkpoints where they are seen here."""
        return n_epochs_there(self.folder(member.number), sys.maxsize) >= member.kept_epochs

    def wanted(self, member: PopulationMember) -> FarFile | None:
        """Return the file that is to be fetched before a member goes on; None if it goes on from what is here.

        It is the member's newest checkpoint. If it has trained nothing since it inherited, that may be one of the
        donor's.
        """
        folder = self.folder(member.number)
        if has_taken(folder):
            return None
        far, epoch = self._newest_far(member), stages.inherited_after(member.stages)
        n_here, n_far = n_epochs_there(folder, member.n_epochs), n_epochs_of(far) if far is not None else 0
        if far is not None and n_far > n_here:
            return far_file(far, folder)
        if not epoch or n_here > epoch or self.inherited(member) is not None:
            return None
        if far is not None and n_far == epoch:
            return far_file(far, folder)
        if self.inherited_turn(member) is not None:
            return None
        return self._far_turn(stages.donor_of(member.stages), epoch)

    def inherited(self, member: PopulationMember) -> CheckpointHeader | None:
        """Return a member's own checkpoint of the weights that it inherited last, if it is here.

        It is of no attempt. A checkpoint of that epoch that is of one has the weights that the member had before.
        """
        found = turns_of(self.folder(member.number), stages.inherited_after(member.stages))
        return next((header for header in found if not header.attempt), None)

    def inherited_turn(self, member: PopulationMember) -> CheckpointHeader | None:
        """Return the donor's checkpoint of the weights that a member inherited last, if it is here."""
        folder = self.turns(stages.donor_of(member.stages))
        return next(turns_of(folder, stages.inherited_after(member.stages)), None)

    def _newest_far(self, member: PopulationMember) -> Artifact | None:
        files = (file for file in self._far.get(member.number, ()) if n_epochs_of(file) <= member.n_epochs)
        return next(files, None)

    # What others may take

    def keep_turn(self, number: int, epoch: int) -> CheckpointHeader | None:
        """Keep a member's checkpoint of the turn that has just ended; None if it cannot be kept."""
        header = self._checkpoints.newest(number, epoch)
        if header is None or header.epoch != epoch:
            return None
        with contextlib.suppress(OSError):  # on a full disk nobody goes on from it
            keep_turn(self.folder(number), header, self.turns(number))
            return header
        return None

    def turn(self, member: PopulationMember, epoch: int) -> CheckpointHeader | None:
        """Return the checkpoint at the end of a member's turn, if it is here and of the training that the store has."""
        found = self._current_turn(member, epoch)
        if found is None and member.n_epochs == epoch:
            self.keep_turn(member.number, epoch)  # its supervisor was killed before it could
            found = self._current_turn(member, epoch)
        return found

    def far_turn(self, member: PopulationMember, epoch: int) -> FarFile | None:
        """Return the file in the artifacts of a member's turn."""
        return self._far_turn(member.number, epoch)

    def _current_turn(self, member: PopulationMember, epoch: int) -> CheckpointHeader | None:
        parts = attempts_in(member.attempts)
        found = (header for header in turns_of(self.turns(member.number), epoch) if is_of(parts, header))
        return next(found, None)

    def _far_turn(self, number: int, epoch: int) -> FarFile | None:
        found = (file for file in self._far_turns.get(number, ()) if n_epochs_of(file) == epoch)
        return next((far_file(file, self.turns(number)) for file in found), None)
