"""A supervisor's obedience to what people wish while it runs: pauses, stops and cancellations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tunefront.search.supervisor.contact.contact import Contact
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.supervisor.finisher import Finisher
from tunefront.search.supervisor.running_trial import RunningTrials
from tunefront.search.supervisor.starter import Starter
from tunefront.storage.control.cancellation import carry_out, describe_cancelled
from tunefront.storage.control.wishes import StudyWish, Wish, Wishes, wishes_for
from tunefront.storage.database.locks import StoreError
from tunefront.storage.folder_owner import TIME_TOLERANCE_SECONDS
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome


class Obedience:
    """The obedience of one supervisor.

    Args:
        starter: Has what is leased and does not run yet.
        say: Tells a person what is wished.
        clock: The supervisor's clock, in seconds.
    """

    def __init__(
        self,
        study: OpenStudy,
        running: RunningTrials,
        contact: Contact,
        finisher: Finisher,
        starter: Starter,
        say: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._study = study
        self._running = running
        self._contact = contact
        self._finisher = finisher
        self._starter = starter
        self._say = say
        self._clock = clock
        self._looked_at = -study.store.waits.look_seconds
        self._wish = Wish()

    @property
    def may_start(self) -> bool:
        """Whether new trials may be leased."""
        return self._wish.of_study is StudyWish.OPEN

    @property
    def notice(self) -> str:
        """What a person who watches is to know: that the study is paused; empty if it is not."""
        return "" if self.may_start else f"paused by {self._wish.by}"

    def obey(self) -> Ending | None:
        """Read what people wish, if it is time to look, and carry it out; return why this supervisor is to end.

        Raises:
            StoreAwayError: If the store is away. What was not done is done the next time.
            StoreError: If the study was deleted; another one may have its name and its key by now.
        """
        if self._clock() - self._looked_at < self._study.store.waits.look_seconds:
            return None
        store, study_id = self._study.store, self._study.study_id
        wishes = self._contact.ask(partial(wishes_for, store, store.worker_id, [study_id]))
        made_at = wishes.made_at.get(study_id)
        if made_at is None or abs(made_at - self._study.record.created_at) > TIME_TOLERANCE_SECONDS:
            raise StoreError(f"the study {self._study.name!r} was deleted from the storage while it ran")
        self._cancel(wishes)
        wish = wishes.studies.get(study_id, Wish())
        if wish.of_study is StudyWish.STOPPED:
            self._say(f"the study was stopped by {wish.by}")
            return Ending.STOPPED
        if wishes.drained_by:
            self._say(f"this worker was told to end by {wishes.drained_by}")
            return Ending.INTERRUPTED
        if wish.of_study is not self._wish.of_study:  # that it was resumed before this run began is no news
            self._say(self._describe(wish))
        self._wish = wish
        if not self.may_start:
            self._starter.end_spares()  # nobody knows for how long they would wait
        if wish.of_study.gives_back and (self._running or self._starter.numbers):
            self._finisher.give_back_running(f"paused by {wish.by}")
            self._starter.give_back(f"paused by {wish.by}")
        self._looked_at = self._clock()
        return None

    def _cancel(self, wishes: Wishes) -> None:
        cancelled = wishes.cancelled.get(self._study.study_id, {})
        own = [running for running in self._running if running.lease.number in cancelled]
        for running in own:
            running.child.kill()
            reason = describe_cancelled(cancelled[running.lease.number])
            self._finisher.finish(running, Outcome.CANCELLED, reason=reason)
        for number in self._contact.ask(partial(carry_out, self._study, cancelled)) if cancelled else ():
            self._say(f"trial {number}: {describe_cancelled(cancelled[number])}")

    def _describe(self, wish: Wish) -> str:
        again = f"'tunefront resume {self._study.name}' goes on"
        if wish.of_study is StudyWish.OPEN:
            return f"resumed by {wish.by}"
        what = "what runs is given back" if wish.of_study.gives_back else "what runs goes on to its end"
        return f"paused by {wish.by}: no new trials, and {what}; {again}"
