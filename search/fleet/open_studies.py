"""The duty of `tunefront work`: all open studies of a store, by priority, then fairly."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection
from typing import TypeVar

from tunefront.mistakes import TunefrontError
from tunefront.search.fleet.here import Here, Prepared
from tunefront.search.fleet.left_studies import LeftStudies, StudyKey
from tunefront.search.fleet.serving.idle_studies import IdleStudies
from tunefront.search.fleet.serving.preparations import Preparations
from tunefront.search.fleet.unfit import check_fitness
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.supervisor.supervisor import Supervisor
from tunefront.storage import studies
from tunefront.storage.control import processes, study_control
from tunefront.storage.control.study_control import StudyControl
from tunefront.storage.control.wishes import StudyWish, wishes_for
from tunefront.storage.database.locks import LockBusyError
from tunefront.storage.database.patience import is_away, patiently
from tunefront.storage.open_study import OpenStudy

T = TypeVar("T")

_NO_RANK = -(2**31)  # of a study that is not open any more: below every priority
_LOOK_SECONDS = 2.0  # between two looks at which studies are open
_PREPARE_AGAIN_SECONDS = 600.0  # a person may put the right data there, or memory may be free again
_RETRY_SECONDS = 15.0  # between two looks at whether this machine may work on a study by now


class OpenStudies:
    """The open studies of a store.

    A study is served from when it gets a free slot. One of which nothing runs here is left after a while, so that its
    time does not count as worked on.

    Attributes:
        worked_on: The names of the studies that were served.
        is_known: Whether the store could be reached when it was last looked at.

    Args:
        say: Tells a person a line on a study, or with an empty name on the worker.
        only: The name of the one study to serve, open to all workers or not, until it is over; empty for all.
        until_idle: Whether the work is over when no study is open.
    """

    def __init__(
        self,
        here: Here,
        say: Callable[[str, str], None],
        *,
        only: str = "",
        until_idle: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.worked_on: list[str] = []
        self._unfinished: list[StudyControl] = []
        self._here = here
        self._say = say
        self._only = only
        self._until_idle = until_idle
        self._clock = clock
        self._open: dict[str, StudyControl] = {}  # by name, and without those that this machine leaves to others
        self._left = LeftStudies(say, clock)
        self._preparations = Preparations(here, partial(self._leave_to_others, seconds=_PREPARE_AGAIN_SECONDS), clock)
        self._idle = IdleStudies(here.store.waits.lease_seconds, clock)
        self._served: dict[str, Supervisor] = {}
        self._running_at_look: dict[str, int] = {}  # trials that ran here then
        self._given_at: dict[str, int] = {}  # when each study got a slot last, counted in slots given
        self._n_given = 0
        self._looked_at = -_LOOK_SECONDS
        self._waits_for = ""
        self._has_looked = self.is_known = self._is_drained = False
        self._alive_at = clock()

    @property
    def connections(self) -> Sequence[Connection]:
        """The connections to the children that prepare data."""
        return self._preparations.connections

    def newcomers(self, n_free: int, n_left: int) -> Sequence[Supervisor]:
        """Return the supervisor of the next study that is worth a free slot, once its data are prepared.

        Args:
            n_free: The slots that are free now.
            n_left: Those of them that no study that is served had a trial for.
        """
        if self._here.is_interrupted():
            return []
        self._look()
        self._preparations.listen()
        wanted = self._next_wanted(n_free, n_left)
        if wanted is None:
            return []
        found = self._ask_or(lambda: studies.find(self._here.store, wanted.name), None)
        return self._begin_or_prepare(found) if found is not None else []

    def _begin_or_prepare(self, study: OpenStudy) -> Sequence[Supervisor]:
        """Begin to serve a study whose data are prepared, else begin to prepare them, unless others' are prepared."""
        key, here = (study.study_id, study.record.created_at), self._here
        prepared = self._preparations.of(key)
        if prepared is None and not self._preparations.may_begin(key):
            return []
        try:
            # Each time: its code may have changed.
            spec = self._ask_or(lambda: check_fitness(study, here.trust), None)
            if spec is not None and prepared is not None:
                return self._begin(study, prepared)
            if spec is not None:
                self._preparations.begin(study, key, spec)
        except (TunefrontError, OSError) as error:  # a person may approve its code or paths at any time
            self._leave_to_others(study.name, key, str(error), seconds=_RETRY_SECONDS)
        return []

    def leavers(self) -> Sequence[Supervisor]:
        """Return the supervisors of studies that are not worth serving now."""
        idle = [name for name, supervisor in self._served.items() if supervisor.is_idle]
        are_others = bool(set(self._open) - set(self._served))
        return [self._served[name] for name in self._idle.leavers(idle, self._open, are_others=are_others)]

    def rank(self, supervisor: Supervisor) -> int:
        """Return a study's priority."""
        control = self._open.get(supervisor.study.name)
        return control.priority if control is not None else _NO_RANK

    def in_turn(self, served: Sequence[Supervisor]) -> list[Supervisor]:
        """Return the supervisors in the order in which a free slot goes to them."""
        return sorted(served, key=lambda supervisor: self._turn(supervisor.study.name))

    def note_given(self, supervisor: Supervisor) -> None:
        """Note that a free slot has gone to a study."""
        self._n_given += 1
        self._given_at[supervisor.study.name] = self._n_given

    def note_end(self, supervisor: Supervisor, ending: Ending) -> None:
        """Note that a study is over, or is left for now."""
        self._served.pop(supervisor.study.name, None)
        self._running_at_look.pop(supervisor.study.name, None)
        self._here.view_of(supervisor.study.name).close()
        if ending is not Ending.INTERRUPTED:
            self._open.pop(supervisor.study.name, None)
            self._looked_at = -_LOOK_SECONDS
        if ending.is_over:
            self._say(supervisor.study.name, f"the study is over: {ending.value}")

    def note_error(self, supervisor: Supervisor, error: TunefrontError) -> None:
        """Leave a study that cannot be gone on with to others."""
        found = supervisor.study.record
        self._served.pop(supervisor.study.name, None)
        self._here.view_of(supervisor.study.name).close()
        self._leave_to_others(supervisor.study.name, (found.study_id, found.created_at), str(error))

    def is_over(self) -> bool:
        """Return whether no study is open to this machine, and the work is to end then, or a person ends it."""
        return self._is_drained or (
            (self._until_idle or bool(self._only))
            and self._has_looked
            and not (self._open or self._served)
            and not self._preparations.is_busy
            and self._look_again()
        )

    def unfinished(self) -> list[str]:
        """Return the names of the studies that are not over: now, or if the store is away, when it was last seen."""
        self._looked_at = -_LOOK_SECONDS
        self._look()
        return [control.name for control in self._unfinished]

    def end(self) -> None:
        """End what is being prepared."""
        self._preparations.end()

    def _look_again(self) -> bool:
        """Return whether no study is open even now; the only one to be served is waited for while it is paused."""
        self._looked_at = -_LOOK_SECONDS
        self._look()
        return self.is_known and not (self._open or self._waits_for)

    def _paused(self) -> list[StudyControl]:
        return [each for each in self._unfinished if each.wish.of_study is not StudyWish.OPEN]

    def _look(self) -> None:
        """Read which studies are open, if that is a while ago."""
        now = self._clock()
        if now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = now
        store = self._here.store
        if now - self._alive_at > store.waits.lease_seconds / 4:  # while no study is served, nobody renews
            self._alive_at = now
            self._ask_or(lambda: processes.note_alive(store, store.worker_id), None)
        drained_by = self._ask_or(lambda: wishes_for(store, store.worker_id, ()).drained_by, "")
        if drained_by and not self._served:  # else their supervisors have read it
            self._is_drained = True
            self._say("", f"this worker was told to end by {drained_by}")
        found = self._ask_or(lambda: study_control.read_all(store), None)
        self.is_known = found is not None
        if found is None:
            return
        every = [each for each in found.values() if (each.name == self._only if self._only else each.is_submitted)]
        self._unfinished = [each for each in every if not each.is_over and each.wish.of_study is not StudyWish.STOPPED]
        self._open = {
            each.name: each
            for each in self._unfinished
            if each.wish.of_study is StudyWish.OPEN and _key(each) not in self._left
        }
        self._preparations.keep({_key(each) for each in self._open.values()})
        self._tell_of_pause()
        self._running_at_look = {name: supervisor.n_running for name, supervisor in self._served.items()}
        self._has_looked = True

    def _tell_of_pause(self) -> None:
        """Say whom the worker waits for, if the one study that it is to serve is paused."""
        is_waited_for = self._only and not self._until_idle and self._only not in self._served
        waits_for = ", ".join(each.wish.by for each in self._paused()) if is_waited_for else ""
        if waits_for and waits_for != self._waits_for:
            self._say(self._only, f"paused by {waits_for}: this worker waits until 'tunefront resume {self._only}'")
        self._waits_for = waits_for

    def _turn(self, name: str) -> tuple[int, int, int, float]:
        """Return what orders studies: the priority, the trials that run anywhere, the last slot given here, the age."""
        control = self._open.get(name)
        if control is None:
            return -_NO_RANK, 0, 0, 0.0
        supervisor = self._served.get(name)
        since = 0 if supervisor is None else supervisor.n_running - self._running_at_look.get(name, 0)
        return -control.priority, control.n_running + since, self._given_at.get(name, 0), control.created_at

    def _next_wanted(self, n_free: int, n_left: int) -> StudyControl | None:
        """Return the study to begin with: the next one in turn, or one for slots that no other has a trial for."""
        if not n_free:
            return None
        able = [control for control in self._open.values() if control.name in self._served or self._may_begin(control)]
        order = sorted(able, key=lambda control: self._turn(control.name))
        if order and order[0].name not in self._served:
            return order[0]
        if not n_left:
            return None
        return next((control for control in order if control.name not in self._served), None)

    def _may_begin(self, control: StudyControl) -> bool:
        """Return whether a study could be begun with now, and may have a trial then; another may be in preparation."""
        is_ready = self._preparations.of(_key(control)) is not None or self._preparations.may_begin(_key(control))
        return is_ready and self._idle.is_worth_a_look(control)

    def _begin(self, study: OpenStudy, prepared: Prepared) -> Sequence[Supervisor]:
        supervisor = self._ask_or(lambda: self._here.begin(study, prepared, self._n_busy), None)
        if supervisor is None:
            return []
        self._served[study.name] = supervisor
        self.worked_on += [study.name] if study.name not in self.worked_on else []
        self._running_at_look[study.name] = 0
        self._idle.forget(study.name)
        return [supervisor]

    def _n_busy(self) -> int:
        return sum(supervisor.n_running for supervisor in self._served.values())

    def _leave_to_others(self, name: str, key: StudyKey, why: str, seconds: float = math.inf) -> None:
        self._open.pop(name, None)
        self._left.add(name, key, why, seconds)

    def _ask_or(self, operation: Callable[[], T], otherwise: T) -> T:
        """Run an operation on the store, and return its answer; `otherwise` while the store is away."""
        if any(supervisor.is_out_of_reach for supervisor in self._served.values()):
            return otherwise  # trials wait for answers, so nobody waits for the store
        try:
            return patiently(operation, self._here.store.waits.away_seconds)
        except Exception as error:
            if not is_away(error) and not isinstance(error, LockBusyError):
                raise
            return otherwise


def _key(control: StudyControl) -> StudyKey:
    return control.study_id, control.created_at
