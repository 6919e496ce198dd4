"""The sweep of the trials whose worker was lost, after the delivery of the results that such workers have left."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from tunefront.search.supervisor.contact.contact import Contact
from tunefront.search.supervisor.contact.delivery import deliver_left_results
from tunefront.search.supervisor.contact.local_workers import ended_and_living_workers, ended_workers
from tunefront.search.supervisor.contact.renewal import Renewal
from tunefront.search.supervisor.contact.spool import Spool
from tunefront.storage import queue
from tunefront.storage.artifacts.artifact_store import ArtifactStore
from tunefront.storage.open_study import OpenStudy

_IDLE_SECONDS = 1.0


class Sweeper:
    """The sweeper of one supervisor.

    Args:
        deliver_kept: Delivers what waits in the spool.
        say: Tells a person of each trial that goes back to the queue.
        clock: The supervisor's clock, in seconds.
    """

    def __init__(
        self,
        study: OpenStudy,
        contact: Contact,
        renewal: Renewal,
        spool: Spool,
        deliver_kept: Callable[[], None],
        say: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._study = study
        self._contact = contact
        self._renewal = renewal
        self._spool = spool
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
        ended, living = self._contact.ask(partial(ended_and_living_workers, self._study))
        self._spool.read_left(ended)  # of another supervisor of this folder, which nobody else would deliver
        self._deliver_kept()
        waiting = {result.lease.worker_id for result in self._spool.results()}  # for their files to be uploaded
        swept = [worker for worker in ended if worker not in waiting]
        for number in self._contact.ask(partial(self._give_back_lost, swept, living)):
            self._say(f"trial {number}: its worker was lost; back in the queue")
        self._swept_at = self._clock()

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
    """Deliver what ended supervisors left in the results folder, and give back at once what those of this machine ran.

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
    queue.sweep(study, ended, with_expired=False)
