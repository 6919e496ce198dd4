"""The loop of this machine's worker: its free slots go to the studies that it serves, and it waits for all trials."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Protocol

from tunefront.mistakes import TunefrontError
from tunefront.search.launching.slots import Slot
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.supervisor.supervisor import TICK_SECONDS, Supervisor
from tunefront.search.supervisor.uploads.uploads import SHORT_SECONDS


class Duty(Protocol):
    """What a worker has to do: the studies that it serves, and in which order."""

    @property
    def connections(self) -> Sequence[Connection]:
        """What the loop is to wait for besides trials."""

    def newcomers(self, n_free: int, n_left: int) -> Sequence[Supervisor]:
        """Return the supervisors of studies that are to be served from now on.

        Args:
            n_free: The slots that are free now.
            n_left: Those of them that no study that is served had a trial for.
        """

    def leavers(self) -> Sequence[Supervisor]:
        """Return the supervisors of studies that are to be left, none of which runs anything."""

    def rank(self, supervisor: Supervisor) -> int:
        """Return the study's rank: free slots go to the highest first."""

    def in_turn(self, served: Sequence[Supervisor]) -> list[Supervisor]:
        """Return the supervisors in the order in which the next free slot goes to them, by rank first."""

    def note_given(self, supervisor: Supervisor) -> None:
        """Note that a free slot has gone to a study."""

    def note_end(self, supervisor: Supervisor, ending: Ending) -> None:
        """Note that a study has ended here."""

    def note_error(self, supervisor: Supervisor, error: TunefrontError) -> None:
        """Note that a study cannot be gone on with here; raises the error where that ends the work."""

    def is_over(self) -> bool:
        """Return whether nothing is left to be done."""


class OneStudy:
    """The duty of `tunefront run`: one study, until it is over.

    Attributes:
        ending: Why it has ended.
    """

    connections: Sequence[Connection] = ()

    def __init__(self, supervisor: Supervisor) -> None:
        self.ending = Ending.INTERRUPTED
        self._newcomers = [supervisor]
        self._is_over = False

    def newcomers(self, n_free: int, n_left: int) -> Sequence[Supervisor]:
        """Return the study's supervisor, once."""
        found, self._newcomers = self._newcomers, []
        return found

    def leavers(self) -> Sequence[Supervisor]:
        """Return nothing: the study is served to its end."""
        return ()

    def rank(self, supervisor: Supervisor) -> int:
        """Return the only rank that there is."""
        return 0

    def in_turn(self, served: Sequence[Supervisor]) -> list[Supervisor]:
        """Return the only order that there is."""
        return list(served)

    def note_given(self, supervisor: Supervisor) -> None:
        """Do nothing: there is no other study."""

    def note_end(self, supervisor: Supervisor, ending: Ending) -> None:
        """Note why the study has ended."""
        self.ending, self._is_over = ending, True

    def note_error(self, supervisor: Supervisor, error: TunefrontError) -> None:
        """Raise the error."""
        raise error

    def is_over(self) -> bool:
        """Return whether the study has ended."""
        return self._is_over


class Worker:
    """The worker of this machine.

    Args:
        slots: Its slots, each of which runs one trial of any study at a time.
        is_interrupted: Called often; True ends the work and gives running trials back.
    """

    def __init__(self, slots: Sequence[Slot], duty: Duty, is_interrupted: Callable[[], bool]) -> None:
        self._slots = slots
        self._duty = duty
        self._is_interrupted = is_interrupted
        self._served: list[Supervisor] = []
        self._n_left = 0
        self._is_drained = False

    def work(self) -> None:
        """Run trials until the duty is over, or the work is interrupted."""
        try:
            while not self._duty.is_over():
                self._take_in()
                if self._is_interrupted():
                    break
                self._step()
                if self._is_drained:
                    break
                if not self._duty.is_over():
                    self._listen()
                for supervisor in list(self._served):
                    with self._told(supervisor):
                        supervisor.look()
                for supervisor in self._duty.leavers():
                    self._served.remove(supervisor)
                    supervisor.leave(Ending.INTERRUPTED)
                    self._duty.note_end(supervisor, Ending.INTERRUPTED)
            for supervisor in list(self._served):
                self._end(supervisor, Ending.INTERRUPTED)
        finally:
            with contextlib.ExitStack() as stack:  # after an error, each is left, whatever the others raise
                for supervisor in self._served:
                    stack.callback(supervisor.leave, Ending.INTERRUPTED)

    def _take_in(self) -> None:
        for supervisor in self._duty.newcomers(len(self._free_slots()), self._n_left):
            self._served.append(supervisor)
            with self._told(supervisor):
                supervisor.begin()

    def _end(self, supervisor: Supervisor, ending: Ending) -> None:
        self._served.remove(supervisor)
        supervisor.end(ending)
        self._duty.note_end(supervisor, ending)

    @contextlib.contextmanager
    def _told(self, supervisor: Supervisor) -> Iterator[None]:
        """Leave a study whose supervisor raises what concerns this study alone, such as that it was deleted."""
        try:
            yield
        except TunefrontError as error:
            if supervisor in self._served:
                self._served.remove(supervisor)
                supervisor.leave(Ending.INTERRUPTED)
            self._duty.note_error(supervisor, error)

    def _step(self) -> None:
        """Let every study do a step, and give the free slots to those whose turn it is.

        Of one rank, each slot goes to whose turn it is then; one that is alone in its rank is asked for all at once.
        """
        waiting, stepped = list(self._served), set()
        while waiting and (free := self._free_slots()):
            supervisor = self._duty.in_turn(waiting)[0]
            is_alone = sum(self._duty.rank(each) == self._duty.rank(supervisor) for each in waiting) == 1
            offered = free if is_alone else free[:1]
            stepped.add(supervisor.study.name)
            self._step_one(supervisor, offered)
            is_taken = supervisor in self._served and supervisor.occupies(offered[0])
            if is_taken:
                self._duty.note_given(supervisor)
            if is_alone or not is_taken:
                waiting.remove(supervisor)
        for supervisor in [each for each in self._served if each.study.name not in stepped]:
            self._step_one(supervisor, ())
        self._n_left = len(self._free_slots())

    def _step_one(self, supervisor: Supervisor, offered: Sequence[Slot]) -> None:
        with self._told(supervisor):
            ending = supervisor.step(offered)
            if ending is not None:
                self._is_drained |= ending is Ending.INTERRUPTED  # a person has told this worker to end
                self._end(supervisor, ending)

    def _free_slots(self) -> list[Slot]:
        return [slot for slot in self._slots if not any(supervisor.occupies(slot) for supervisor in self._served)]

    def _listen(self) -> None:
        """Wait for messages of trials, and let their supervisors handle them."""
        connections = [connection for supervisor in self._served for connection in supervisor.connections]
        connections += self._duty.connections
        is_short = any(supervisor.holds_slots for supervisor in self._served)
        if not connections and len(self._served) == 1:
            self._served[0].rest(TICK_SECONDS)  # trials run elsewhere or are uploaded, or the store is away
            return
        ready = wait(connections, SHORT_SECONDS if is_short else TICK_SECONDS)
        for supervisor in list(self._served):
            with self._told(supervisor):
                supervisor.listen([connection for connection in ready if isinstance(connection, Connection)])
