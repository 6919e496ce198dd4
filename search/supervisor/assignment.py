"""The assignment of a supervisor: its study and this machine's part in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial

from tunefront.objectives.limits import read_extra_limits, read_objectives
from tunefront.objectives.measures import Measure
from tunefront.search.checkpoints.study_checkpoints import StudyCheckpoints
from tunefront.search.data.dataset import Dataset
from tunefront.search.launching.gpus import Gpu
from tunefront.search.launching.machine import device_kind
from tunefront.search.launching.slots import Slot
from tunefront.search.sampling.seeds import trial_seed
from tunefront.search.spec.samplers import PbtTable
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.supervisor.population.inheritance import drop_populations
from tunefront.search.system.links import refuse_link, refuse_links_in
from tunefront.search.trial.messages import TrialTask
from tunefront.spaces.candidate import Candidate
from tunefront.storage import studies
from tunefront.storage.artifacts.artifact_store import ArtifactStore
from tunefront.storage.artifacts.study_artifacts import artifacts_of
from tunefront.storage.attempts import Lease, attempts_at
from tunefront.storage.curves import Epoch
from tunefront.storage.open_study import OpenStudy

# What a process that trains several seeds does not measure of each of them.
_OF_A_PROCESS = ("peak_bytes", "compile_seconds", "validation_seconds")


@dataclass(frozen=True)
class Assignment:
    """A study, and this machine's part in it.

    Attributes:
        out: The folder for kept models and logs.
        machine: The description of this machine: hardware, versions and slots.
        gpus: The GPUs of this machine.
        artifacts: The place where the study's models and logs are kept together; None if it has none.
        open_named: Opens the place that the store names later, if it names none now.
    """

    study: OpenStudy
    spec: StudySpec
    dataset: Dataset
    slots: Sequence[Slot]
    worker_id: str
    out: Path
    machine: Mapping[str, Any] = field(default_factory=dict)
    gpus: Sequence[Gpu] = ()
    artifacts: ArtifactStore | None = None
    open_named: Callable[[OpenStudy], ArtifactStore | None] = artifacts_of

    def device_of(self, slot: Slot) -> str:
        """Return the kind of device of a slot, by which times compare."""
        return device_kind(slot, self.gpus)

    def checkpoints(self) -> StudyCheckpoints:
        """Return the checkpoints of the study's trials in the folder."""
        are_times_compared = any(measure.unit == "seconds" for measure in self._compared)
        return StudyCheckpoints(self.out, are_times_compared, partial(attempts_at, self.study))

    def seed_of(self, number: int) -> int:
        """Return the seed of a trial: of its weights, order and augmentation."""
        return trial_seed(self.spec.seed, number, is_confirmation=self.spec.confirms is not None)

    def drop_ended_checkpoints(self) -> None:
        """Remove the checkpoints of trials that ended elsewhere, or that the study does not have."""
        checkpoints = self.checkpoints()
        found = checkpoints.numbers()  # read first: a folder is never older than its trial
        unfinished = set(self.study.states.unfinished())
        checkpoints.drop(set(found) - unfinished)
        if isinstance(self.spec.sampler, PbtTable):
            drop_populations(self.out, {number // self.spec.sampler.population for number in unfinished})
        checkpoints.remove_empty()

    def with_ended_populations(self, trials: Sequence[FrozenTrial]) -> list[int]:
        """Return the numbers of the trials in whose populations nobody trains any more; empty if there are none."""
        if not isinstance(self.spec.sampler, PbtTable):
            return []
        size = self.spec.sampler.population
        living = {trial.number // size for trial in trials if not trial.state.is_finished()}
        return [trial.number for trial in trials if trial.number // size not in living]

    def task(
        self,
        lease: Lease,
        candidate: Candidate,
        slot: Slot,
        curve: Sequence[Epoch],
        rungs: tuple[int, ...],
        model_path: Path,
        structures: Path,
        *,
        may_be_followed: bool = False,
    ) -> TrialTask:
        """Return the task of a trial process on a slot.

        Args:
            curve: The epochs that it goes on after.
            rungs: The epochs after which it waits for a verdict.
            model_path: The path for the model if it is to be kept.
            structures, may_be_followed: See :class:`TrialTask`.

        Raises:
            OSError: If a link stands where it is to write.
        """
        return TrialTask(
            number=lease.number,
            spec=self._spec_as_json,
            candidate=candidate,
            dataset=self.dataset,
            slot=slot,
            seed=self.seed_of(lease.number),
            rungs=rungs,
            model_path=str(model_path),
            measures_latency=any(measure.name == "latency_seconds" for measure in self._compared),
            log_folder=self.log_folder(lease.number),
            structures=str(structures),
            checkpoint_folder=str(self.checkpoints().folder(lease.number)),
            resume_from=lease.resumed_from,
            device=self.device_of(slot),
            turns=self._turns_of(candidate),
            attempt=lease.attempt,
            curve=tuple(epoch.metrics for epoch in curve) if self.spec.training.tensorboard else (),
            may_be_followed=may_be_followed,
        )

    def may_share_processes(self) -> bool:
        """Return whether trials may run one after another in one process: in a confirmation, the seeds of a candidate.

        They may not where the search compares or limits what such a process does not measure of each of them. The
        confirmation's own spec has no limits.
        """
        search = studies.find(self.study.store, self.spec.confirms) if self.spec.confirms else None
        if search is None:
            return False
        stored = search.record.spec
        compared = [*read_objectives(stored).values(), *read_extra_limits(stored)]
        return not any(each.measure.name in _OF_A_PROCESS for each in compared)

    def _turns_of(self, candidate: Candidate) -> tuple[int, ...]:
        """Return the epochs that end a turn of a member of a population, none of them a training's last one."""
        table = self.spec.sampler
        return tuple(range(table.interval, candidate.epochs, table.interval)) if isinstance(table, PbtTable) else ()

    @cached_property
    def _spec_as_json(self) -> Mapping[str, Any]:
        """The spec for trial processes; it is made once, because that takes as long as a transaction."""
        return self.spec.as_json()

    @cached_property
    def _compared(self) -> list[Measure]:
        """The measures by which trials are compared, or which have a limit."""
        return [each.measure for each in (*self.spec.parsed_objectives().values(), *self.spec.extra_limits())]

    def log_folder(self, number: int) -> str:
        """Return the folder where a trial writes logs for TensorBoard; empty if the study wants none."""
        if not self.spec.training.tensorboard:
            return ""
        folder = self.out / "tensorboard" / f"trial-{number}"
        refuse_link(folder.parent)
        refuse_links_in(folder)
        return str(folder)
