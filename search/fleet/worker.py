"""The loop of this machine's worker: its free slots go to the studies that it serves, and it waits for all trials."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from typing import Protocol

from tunefront.search.launching.slots import Slot
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.supervisor.supervisor import TICK_SECONDS, Supervisor
from tunefront.search.supervisor.uploads.uploads import SHORT_SECONDS


class Duty(Protocol):
    """What a worker has to do: the studies that it serves, and in which order."""

    def newcomers(self) -> Sequence[Supervisor]:
        """Return the supervisors of studies that are to be served from now on."""

    def in_turn(self, served: Sequence[Supervisor]) -> list[list[Supervisor]]:
        """Return the supervisors in the order in which free slots go to them; those of one rank share the slots."""

    def note_end(self, supervisor: Supervisor, ending: Ending) -> None:
        """Note that a study has ended here."""

    def is_over(self) -> bool:
        """Return whether nothing is left to be done."""

    @property
    def connections(self) -> Sequence[Connection]:
        """What the loop is to wait for besides trials."""


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

    def newcomers(self) -> Sequence[Supervisor]:
        """Return the study's supervisor, once."""
        found, self._newcomers = self._newcomers, []
        return found

    def in_turn(self, served: Sequence[Supervisor]) -> list[list[Supervisor]]:
        """Return the only order that there is."""
        return [list(served)]

    def note_end(self, supervisor: Supervisor, ending: Ending) -> None:
        """Note why the study has ended."""
        self.ending, self._is_over = ending, True

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

    def work(self) -> None:
        """Run trials until the duty is over, or the work is interrupted."""
        try:
            while not self._duty.is_over():
                for supervisor in self._duty.newcomers():
                    self._served.append(supervisor)
                    supervisor.begin()
                if self._is_interrupted():
                    break
                self._step()
                if not self._duty.is_over():
                    self._listen()
                for supervisor in self._served:
                    supervisor.look()
            for supervisor in list(self._served):
                self._end(supervisor, Ending.INTERRUPTED)
        finally:
            with contextlib.ExitStack() as stack:  # after an error, each is left, whatever the others raise
                for supervisor in self._served:
                    stack.callback(supervisor.leave, Ending.INTERRUPTED)

    def _end(self, supervisor: Supervisor, ending: Ending) -> None:
        self._served.remove(supervisor)
        supervisor.end(ending)
        self._duty.note_end(supervisor, ending)

    def _step(self) -> None:
        """Let every study do a step, and give the free slots to those whose turn it is.

        Those of one rank get one slot each in turn; the last one with trials left gets all that are still free.
        """
        stepped: set[str] = set()
        for rank in self._duty.in_turn(self._served):
            waiting = list(rank)
            while waiting:
                free = self._free_slots()
                supervisor = waiting.pop(0)
                offered = free if not waiting else free[:1]
                if not offered and supervisor.name in stepped:
                    continue
                stepped.add(supervisor.name)
                ending = supervisor.step(offered)
                if ending is not None:
                    self._end(supervisor, ending)
                elif waiting and offered and supervisor.occupies(offered[0]):
                    waiting.append(supervisor)

    def _free_slots(self) -> list[Slot]:
        return [slot for slot in self._slots if not any(supervisor.occupies(slot) for supervisor in self._served)]

    def _listen(self) -> None:
        """Wait for messages of trials, and let their supervisors handle them."""
        connections = [connection for supervisor in self._served for connection in supervisor.connections]
        is_short = any(supervisor.holds_slots for supervisor in self._served)
        if connections:
            ready = wait([*connections, *self._duty.connections], SHORT_SECONDS if is_short else TICK_SECONDS)
            for supervisor in self._served:
                supervisor.listen([connection for connection in ready if isinstance(connection, Connection)])
        elif len(self._served) == 1 and not self._duty.connections:
            self._served[0].rest(TICK_SECONDS)  # all remaining trials run elsewhere, or the store is away
        elif self._duty.connections:
            wait(self._duty.connections, TICK_SECONDS)
        else:
            time.sleep(SHORT_SECONDS if is_short else TICK_SECONDS)
