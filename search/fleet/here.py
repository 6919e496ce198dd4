"""This machine as its worker knows it, and the start of its work on a study."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from tunefront.search.data.dataset import Dataset
from tunefront.search.fleet.unfit import Trust, read_spec_of
from tunefront.search.launching import machine
from tunefront.search.launching.asker import Asker, Inquiry
from tunefront.search.launching.gpus import Gpu
from tunefront.search.launching.slots import Slot
from tunefront.search.preparation.prepare import begin_preparation
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.spec.tables import StopTable
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.contact.sweeper import take_over_left
from tunefront.search.supervisor.supervisor import Supervisor
from tunefront.search.supervisor.view import View
from tunefront.search.system.links import refuse_links
from tunefront.search.trial.messages import TrialTask
from tunefront.search.trial.process import run_trial
from tunefront.storage import folder_owner, studies
from tunefront.storage.artifacts import study_artifacts
from tunefront.storage.database.connection import Store
from tunefront.storage.open_study import OpenStudy


@dataclass(frozen=True)
class Prepared:
    """A study's data on this machine, and the frameworks' versions."""

    dataset: Dataset
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Here:
    """This machine and its worker's process.

    Attributes:
        store: The open store; its worker is this process.
        out: The folder for the results folders of studies.
        asker: A way to prepare data in a child.
        view_of: Returns the view of a study's trials, by its name.
        trains: The function that a trial process runs; fault tests give a stub.
        prepares: Begins the preparation of a study's data; fault tests that train nothing leave Keras out.
    """

    store: Store
    slots: Sequence[Slot]
    gpus: Sequence[Gpu]
    out: Path
    asker: Asker
    trust: Trust
    view_of: Callable[[str], View]
    is_interrupted: Callable[[], bool]
    trains: Callable[[Connection, TrialTask], None] = run_trial
    prepares: Callable[[Asker, StudySpec], Inquiry] = field(default=begin_preparation)

    def folder_of(self, spec: StudySpec) -> Path:
        """Return a study's results folder; a confirmation's lies in that of its search."""
        return self.out / spec.confirms / "confirmation" if spec.confirms else self.out / spec.name

    def begin(self, study: OpenStudy, prepared: Prepared, n_busy: Callable[[], int]) -> Supervisor | None:
        """Join a study as a worker, and return the supervisor of its trials; None if it has changed just now.

        Args:
            n_busy: Returns how many slots run a trial of any study.

        Raises:
            TunefrontError: If its results folder or its artifacts cannot be used.
            OSError: If a link stands where it is to write.
        """
        spec = read_spec_of(study.record)
        if spec.confirms:
            spec = spec.model_copy(update={"stop": StopTable()})  # all queued trainings are wanted
        view, out = self.view_of(study.name), self.folder_of(spec)
        refuse_links(out)
        address = self.trust.read_address(study)
        folder_owner.claim(out, study.record)
        artifacts = study_artifacts.begin(study, address) if address else None
        emptiness = study_artifacts.find_emptiness(study, artifacts) if artifacts is not None else ""
        if emptiness:
            view.say(f"caution: {emptiness}")
        take_over_left(study, out, view.say, artifacts)
        worker_id = uuid.uuid4().hex
        description = machine.describe(self.slots, self.gpus, prepared.versions, spec.training.precision)
        with study.exclusively():  # limits change only while nobody works on a study
            found = studies.find(study.store, study.name)
            if found is None or found.record != study.record:
                return None
            studies.register_worker(
                study, worker_id, machine.host_key(), os.getpid(), description, study.store.worker_id
            )
        assignment = Assignment(
            study,
            spec,
            prepared.dataset,
            self.slots,
            worker_id,
            out,
            description,
            self.gpus,
            artifacts,
            self.trust.open_named,
        )
        return Supervisor(assignment, self.asker.launcher, view, self.is_interrupted, self.trains, n_busy=n_busy)
