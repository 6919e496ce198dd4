"""Putting a study into the store: what can be wrong with it is found before, and any worker can take it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tunefront.objectives.limits import Objective
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.prepared_content import describe_lists
from tunefront.search.data.splitting.content_digests import describe_difference
from tunefront.search.fleet.unfit import check_extras
from tunefront.search.launching.asker import AnswerError, Asker
from tunefront.search.preparation.cautions import find_cautions
from tunefront.search.preparation.prepare import prepare_study
from tunefront.search.sampling.samplers import missing_extra
from tunefront.search.sampling.start_queue import enqueue_starts
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.spec.tables import GridTable
from tunefront.search.supervisor.notes import note_written_spec
from tunefront.search.supervisor.stored_study import check_going_on, take_up
from tunefront.search.system.optuna_log import quiet_optuna
from tunefront.spaces.grid import Grid
from tunefront.storage import studies
from tunefront.storage.artifacts import study_artifacts
from tunefront.storage.control import study_control
from tunefront.storage.counts import Counts, count
from tunefront.storage.database.connection import Store, has_studies, open_store
from tunefront.storage.database.locks import in_turn
from tunefront.storage.open_study import OpenStudy


@dataclass(frozen=True)
class Submission:
    """A study that a person puts into the store.

    Attributes:
        spec_path: The spec's file, or what messages call the spec.
        priority: Higher is first; None leaves it as it is.
        artifacts: The address of the place for models and logs; empty for the one that the study has, if any.
    """

    spec: StudySpec
    spec_path: Path | str
    url: str = field(repr=False)
    priority: int | None = None
    artifacts: str = ""


@quiet_optuna()
def submit_study(submission: Submission, asker: Asker, say: Callable[[str], None]) -> tuple[OpenStudy, Counts]:
    """Put a study into the store, or what its spec changes, and let workers take it; return its trials so far.

    Nothing is written before all possible checks are done.

    Raises:
        SpecError: If the stored study has another spec, or the study cannot be prepared.
        StoreError: If the storage cannot be opened.
        ArtifactsAddressError, ArtifactsAwayError: If the artifacts cannot be used.
    """
    spec, path, url = submission.spec, submission.spec_path, submission.url
    check_request(spec, path, url, submission.artifacts)
    try:
        dataset, _ = prepare_study(asker, spec)
    except AnswerError as error:
        raise SpecError(path, "", str(error)) from None
    check_stored_data(spec, path, url, dataset)
    store = in_turn(lambda: open_store(url, is_writer=True), say)
    study = in_turn(lambda: make_study(store, spec, dataset.facts()), say)
    note_written_spec(study, spec)
    study_artifacts.begin(study, submission.artifacts)
    study = in_turn(lambda: take_up(spec, path, study, say), say)
    in_turn(lambda: queue_first(study, spec), say)
    if submission.priority is not None:
        study_control.set_priority(study, submission.priority)
    study_control.submit(study)
    for text in (*describe_data(dataset), *find_cautions(spec, dataset.facts(), load=0.0)):
        say(text)
    return study, count(study)


def describe_data(dataset: Dataset) -> list[str]:
    """Return what a person is to know of the prepared data: what was left out, and which files list it."""
    notes = [f"{n_images:,} {what}" for what, n_images in dataset.notes.items()]
    return [f"data: {text}" for text in (*notes, *describe_lists(dataset.folder))]


def check_request(spec: StudySpec, path: Path | str, url: str, artifacts: str) -> None:
    """Check that a spec can be worked on with what is installed, and goes on with the stored study of its name.

    Args:
        artifacts: The address that the person has named; empty for the one that the stored study has.

    Raises:
        SpecError, MissingExtraError: If not.
        ForeignPlaceError: If the stored study has its artifacts in a folder that nobody here has named.
    """
    missing = missing_extra(spec.sampler)
    if missing:
        raise SpecError(path, "sampler.name", missing)
    check_extras(spec, str(path))
    stored = find_stored(url, spec.name)
    if stored is not None:
        check_going_on(spec, path, stored)
        if not artifacts:
            study_artifacts.artifacts_of(stored)


def find_stored(url: str, name: str) -> OpenStudy | None:
    """Return the study of that name, opened for reading; None if there is none."""
    return studies.find(open_store(url), name) if has_studies(url) else None


def check_stored_data(spec: StudySpec, path: Path | str, url: str, dataset: Dataset) -> None:
    """Check that a stored study of that name began with the same data.

    Raises:
        SpecError: Says what differs.
    """
    stored = find_stored(url, spec.confirms or spec.name)  # a confirmation uses its search's data from the start
    if stored is None or stored.record.dataset["fingerprint"] == dataset.fingerprint:
        return
    what = describe_difference(stored.record.dataset.get("digests") or {}, dataset.digests)
    raise SpecError(
        path,
        "data",
        f"{what} {'is' if what.startswith(('which', 'the order')) else 'are'} not what study {stored.name!r} began "
        "with, so new trials could not be compared with its old ones. Put the data back"
        + ("" if spec.confirms else ", or give this spec another name"),
    )


def make_study(store: Store, spec: StudySpec, facts: Mapping[str, object]) -> OpenStudy:
    """Make the study of a spec, or return the stored one."""
    objectives: list[Objective] = list(spec.parsed_objectives().values())
    return studies.create(
        store,
        spec.name,
        spec.as_json(),
        facts,
        [objective.measure.direction for objective in objectives],
        [objective.measure.name for objective in objectives],
    )


def queue_first(study: OpenStudy, spec: StudySpec) -> None:
    """Queue what a search begins with, unless that is done already: its start candidates."""
    grid = Grid(spec.parsed_space(), spec.seed) if isinstance(spec.sampler, GridTable) else None
    enqueue_starts(study, spec.start_parameters(), grid)
