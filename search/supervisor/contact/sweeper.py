"""The sweep of the trials whose worker was lost, after the delivery of the results that such workers have left."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from tunefront.search.supervisor.contact.contact import Contact
from tunefront.search.supervisor.contact.delivery import Delivery, deliver_left_results, delivery_of
from tunefront.search.supervisor.contact.local_workers import ended_and_living_workers, ended_workers
from tunefront.search.supervisor.contact.renewal import Renewal
from tunefront.search.supervisor.contact.spool import Spool
from tunefront.search.supervisor.kept_models import KeptModels
from tunefront.search.supervisor.uploads.far_results import deliver_far, read_far
from tunefront.search.supervisor.uploads.uploads import Uploads
from tunefront.storage import queue
from tunefront.storage.artifacts.artifact_store import ArtifactStore
from tunefront.storage.artifacts.rows import remove_unnamed
from tunefront.storage.artifacts.spooled import drop
from tunefront.storage.attempts import read_leases
from tunefront.storage.database.patience import patiently
from tunefront.storage.open_study import OpenStudy

_IDLE_SECONDS = 1.0


class Sweeper:
    """The sweeper of one supervisor.

    Args:
        delivery: The supervisor's delivery of results, with its spool.
        uploads: The supervisor's artifacts, where lost workers may have left results.
        deliver_kept: Delivers what waits in the spool.
        say: Tells a person of each trial that goes back to the queue.
        clock: The supervisor's clock, in seconds.
    """

    def __init__(
        self,
        study: OpenStudy,
        contact: Contact,
        renewal: Renewal,
        delivery: Delivery,
        uploads: Uploads,
        deliver_kept: Callable[[], None],
        say: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._study = study
        self._contact = contact
        self._renewal = renewal
        self._delivery = delivery
        self._spool = delivery.spool
        self._uploads = uploads
        self._deliver_kept = deliver_kept
        self._say = say
        self._clock = clock
        self._swept_at = clock()

    def sweep(self, *, is_idle: bool) -> None:
        """Give back the trials of lost workers: more often while there is nothing else to do than to take them over.

        Raises:
            StoreAwayError: If the store is away.
        """
        lease_seconds = self._study.store.waits.lease_seconds
        if self._clock() - self._swept_at < (min(lease_seconds / 4, _IDLE_SECONDS) if is_idle else lease_seconds / 4):
            return
        self._contact.ask(self._renewal.renew)  # tells whether this worker was out of reach itself until now
        self._contact.ask(self._uploads.adopt_place)
        ended, living = self._contact.ask(partial(ended_and_living_workers, self._study))
        self._spool.read_left(ended)  # of another supervisor of this folder, which nobody else would deliver
        self._deliver_kept()
        waiting = {result.lease.worker_id for result in self._spool.results()}  # for their files to be uploaded
        swept = [worker for worker in ended if worker not in waiting]
        if not self._has_delivered_far(swept, living):
            return  # comes back at once
        for number in self._contact.ask(partial(self._give_back_lost, swept, living)):
            self._say(f"trial {number}: its worker was lost; back in the queue")
        self._swept_at = self._clock()

    def _has_delivered_far(self, ended: Collection[str], living: Collection[str]) -> bool:
        """Deliver what workers whose trials are about to be swept left in the artifacts; False if that is looked up."""
        leases = self._contact.ask(partial(read_leases, self._study))
        is_steady = self._renewal.is_steady()
        lost = {
            lease.worker_id
            for lease in leases.values()
            if lease.worker_id in ended or (is_steady and lease.is_given_up(living))
        }
        found = self._uploads.far_results() if lost else []
        for far in found or ():
            if far.result.lease.worker_id in lost:
                self._contact.ask(partial(self._uploads.far.deliver, far, self._delivery, self._say))
        return found is not None

    def _give_back_lost(self, ended: Collection[str], living: Collection[str]) -> list[int]:
        return queue.sweep(
            self._study,
            ended,
            living_workers=living,
            with_expired=self._renewal.is_steady(),
            renewed_at=self._renewal.renewed_at,
            outages=self._renewal.outages,
        )


def take_over_left(
    study: OpenStudy, out: Path, say: Callable[[str], None], artifacts: ArtifactStore | None = None
) -> None:
    """Deliver what lost supervisors left in the results folder and in the artifacts; give back what those here ran.

    Leases of others may still be renewed.

    Args:
        out: The study's results folder.
        say: Tells a person of each result that is delivered.
        artifacts: See :func:`deliver_left_results`.
    """
    # Who has ended is asked first: a supervisor of this folder that ends after the delivery leaves a result that has
    # not been delivered, so its trials are not to be swept yet.
    ended = ended_workers(study)
    deliver_left_results(study, out, say, artifacts)
    if artifacts is not None:
        _deliver_all_far(study, out, say, artifacts, ended)
    queue.sweep(study, ended, with_expired=False)


def _deliver_all_far(
    study: OpenStudy, out: Path, say: Callable[[str], None], artifacts: ArtifactStore, ended: Collection[str]
) -> None:
    """Deliver or refuse the results in the artifacts, but not of workers that may still do so themselves."""
    found, problems = read_far(study, artifacts)
    for problem in problems:
        say(problem)
    if not found:
        return
    delivery = delivery_of(study, Spool(out / "spool", KeptModels(study, out / "models")))
    leases = patiently(partial(read_leases, study))
    for far in found:
        lease, worker = leases.get(far.result.lease.number), far.result.lease.worker_id
        if lease is None or lease.worker_id != worker or lease.is_expired or worker in ended:
            dropped = patiently(partial(deliver_far, study, far, delivery, say))
            remove_unnamed(study.store, artifacts, dropped)
            drop(artifacts, study.record, far.digest)
