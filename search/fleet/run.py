"""The run of a study on this machine: check, prepare, open the store, and hand over to the supervisor."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tunefront.search.data.dataset import Dataset
from tunefront.search.fleet.submission import (
    check_request,
    check_stored_data,
    describe_data,
    find_stored,
    make_study,
    queue_first,
)
from tunefront.search.fleet.worker import OneStudy, Worker
from tunefront.search.launching import machine
from tunefront.search.launching.asker import AnswerError, Asker
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.launching.gpu_shares import PerGpu
from tunefront.search.launching.gpus import list_gpus
from tunefront.search.launching.slots import Slot, describe_gpu_memory, make_slots
from tunefront.search.preparation.cautions import find_cautions
from tunefront.search.preparation.prepare import prepare_study
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.spec.tables import StopTable
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.contact.presence import present
from tunefront.search.supervisor.contact.sweeper import take_over_left
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.supervisor.notes import note_written_spec
from tunefront.search.supervisor.stored_study import join
from tunefront.search.supervisor.supervisor import Supervisor
from tunefront.search.supervisor.view import View
from tunefront.search.system.links import refuse_links
from tunefront.search.system.optuna_log import quiet_optuna
from tunefront.search.system.processes import n_cpus
from tunefront.search.system.signals import interruptible
from tunefront.storage import folder_owner
from tunefront.storage.artifacts import study_artifacts
from tunefront.storage.counts import count
from tunefront.storage.database.connection import open_store
from tunefront.storage.database.locks import in_turn
from tunefront.storage.open_study import OpenStudy


@dataclass(frozen=True)
class RunRequest:
    """The request of a person to run a study.

    Attributes:
        spec_path: The spec's file, or what messages call the spec.
        n_workers: The number of slots; None lets the machine decide.
        out: The folder for kept models and logs.
        launcher: The starter of trial processes, which may be loading already.
        scratch: An empty folder that exists as long as the run.
        enqueue: Called when the study is open, before any trial, to queue what must be trained.
        artifacts: The address of the place for models and logs; empty for the one that the study has, if any.
        per_gpu: The number of slots on each GPU, which divide its memory, in place of `n_workers`.
    """

    spec: StudySpec
    spec_path: Path | str
    url: str = field(repr=False)
    n_workers: int | None
    out: Path
    launcher: Launcher
    scratch: Path
    enqueue: Callable[[OpenStudy], None] | None = None
    artifacts: str = ""
    per_gpu: PerGpu | None = None


@quiet_optuna()  # the view reports what happens
def run_study(request: RunRequest, view: View) -> Ending:
    """Run the study until it is done, gives up, or is interrupted by Ctrl-C or SIGTERM.

    Nothing is written before all possible checks are done. The user's own code that the spec names runs here, so the
    caller must have told the user.

    Raises:
        GpuShareError: If GPUs cannot be divided as requested.
        SpecError: If the stored study has another spec, or the study cannot be prepared.
        StoreError: If the storage cannot be opened.
        FolderTakenError: If the folder for models and logs holds another study's.
        ArtifactsAddressError, ArtifactsAwayError: If the artifacts cannot be used.
        OSError: If a link stands where a file of the run is to be written.
    """
    spec, path = request.spec, request.spec_path
    load = machine.load_average()  # measured before this run loads Keras
    gpus = list_gpus()
    slots = make_slots(request.n_workers, gpus, n_cpus(), machine.memory_bytes(), request.per_gpu)
    check_request(spec, path, request.url, request.artifacts)
    _check_folder(request)
    try:
        asker = Asker(request.launcher, slots[0], request.scratch / "prepare.log", view.progress)
        dataset, versions = prepare_study(asker, spec)
    except AnswerError as error:
        raise SpecError(request.spec_path, "", str(error)) from None
    check_stored_data(spec, path, request.url, dataset)
    facts = dataset.facts()
    worker_id = uuid.uuid4().hex
    store = in_turn(lambda: open_store(request.url, is_writer=True, worker_id=worker_id), view.say)
    study = in_turn(lambda: make_study(store, spec, facts), view.say)
    folder_owner.claim(request.out, study.record)
    note_written_spec(study, spec)
    artifacts = study_artifacts.begin(study, request.artifacts)
    emptiness = study_artifacts.find_emptiness(study, artifacts) if artifacts is not None else ""
    if emptiness:
        view.say(f"caution: {emptiness}")
    in_turn(lambda: take_over_left(study, request.out, view.say, artifacts), view.say)
    description = machine.describe(slots, gpus, versions, spec.training.precision)
    joined = in_turn(lambda: join(spec, request.spec_path, study, worker_id, description, view.say), view.say)
    enqueue = request.enqueue
    if enqueue is not None:
        in_turn(lambda: enqueue(joined), view.say)
        spec = spec.model_copy(update={"stop": StopTable()})  # all queued trainings are wanted
    else:
        in_turn(lambda: queue_first(joined, spec), view.say)
    view.say(_describe_start(spec, slots, dataset))
    for text in describe_data(dataset):
        view.say(text)
    counts = count(joined)
    if 0 < counts.finished < spec.trials:
        view.say(f"going on: {counts.finished} of {spec.trials} are done")
    if counts.finished >= spec.trials:
        more = f"More trials go on with it{f', first the {counts.waiting} waiting' if counts.waiting else ''}"
        view.say(f"{counts.finished} trials are finished already: there is nothing to train. {more}")
    else:
        for text in find_cautions(spec, facts, load):
            view.warn(text)
    assignment = Assignment(joined, spec, dataset, slots, worker_id, request.out, description, gpus, artifacts)
    with present(store, slots, gpus, view.say), interruptible(view.say) as is_interrupted:
        duty = OneStudy(Supervisor(assignment, request.launcher, view, is_interrupted))
        Worker(slots, duty, is_interrupted).work()
        return duty.ending


def _check_folder(request: RunRequest) -> None:
    refuse_links(request.out)
    stored = find_stored(request.url, request.spec.name)
    folder_owner.check_owner(request.out, stored.record if stored is not None else None, request.spec.name)


def _describe_start(spec: StudySpec, slots: tuple[Slot, ...], dataset: Dataset) -> str:
    threads = slots[0].n_threads
    where = ", ".join(slot.name for slot in slots)
    memory = describe_gpu_memory(slots)
    return (
        f"study {spec.name}: {spec.trials} trials of up to {spec.training.most_epochs} epochs, "
        f"{dataset.n_train} training and {dataset.n_validation} validation {dataset.example_word}s; "
        f"{len(slots)} slot{'s' if len(slots) > 1 else ''} ({where}), "
        f"{threads} CPU thread{'s' if threads > 1 else ''}{' each' if len(slots) > 1 else ''}"
        f"{f' and up to {memory} of GPU memory' if memory else ''}. "
        "Ctrl-C stops and keeps all"
    )
