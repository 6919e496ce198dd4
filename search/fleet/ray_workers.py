"""Workers on a Ray cluster: each is an actor that runs a command of tunefront as its child process.

A trial inside an actor would take seconds to start, because every process that it forks imports Ray again; signals do
not reach it; and Ray's own psutil takes the place of ours. The child knows nothing of Ray.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tunefront.search.fleet.child_command import ChildCommand, ChildEnd
from tunefront.search.fleet.ray_actor import Place, RayActor
from tunefront.search.fleet.ray_connection import RayClusterError, connect, last_line

_DRAIN_SECONDS = 120.0  # for the last checkpoints, and what is still to be told
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 2.0, 60.0  # before a worker that ended is started again
_PATIENCE_SECONDS = 15.0  # after which a person is told that the cluster has no room for all workers
_TICK_SECONDS = 0.2
_MISTAKE = 2  # the exit code of a command that a person must mend


@dataclass(frozen=True)
class RayRequest:
    """The request for workers on a Ray cluster.

    Attributes:
        address: HOST:PORT of the cluster, or ``auto`` for that of this machine.
        n_gpus: The GPUs that each worker takes; a fraction shares one.
        n_cpus: The CPU cores that each worker takes.
        arguments: The arguments of ``python`` that make a worker.
        is_local: Whether all workers must run on this machine, because the storage is a file.
    """

    address: str
    n_workers: int
    n_gpus: float
    n_cpus: int
    arguments: Sequence[str]
    is_local: bool = False


@dataclass
class _Worker:
    """An actor as its driver knows it.

    Attributes:
        place: Where it runs; None while it waits for room in the cluster.
        run: Ray's promise of how its child ends; None while it is not asked to run one.
        is_over: Whether it is not to be started again.
    """

    number: int
    actor: Any
    place_asked: Any
    place: Place | None = None
    run: Any = None
    is_over: bool = False
    exit_code: int | None = None
    last_lines: str = ""
    restart_at: float = 0.0
    pause_seconds: float = _FIRST_PAUSE_SECONDS
    began_at: float = field(default_factory=time.monotonic)


class RayWorkers:
    """The workers of one study on a Ray cluster, as the process that starts them sees them.

    The actors end with this process, however that ends. A worker for which the cluster has no room waits until it has.
    One that is lost with its node is started again on another one; what becomes of its trial is decided by its lease.

    Args:
        say: Prints a line for a person.
    """

    def __init__(self, ray: Any, request: RayRequest, say: Callable[[str], None]) -> None:
        self._ray = ray
        self._request = request
        self._say = say
        self._started_at = time.monotonic()
        self._has_told_of_room = False
        self._niced: set[str] = set()
        self._workers: list[_Worker] = []

    @property
    def n_nodes(self) -> int:
        """The number of the cluster's nodes now."""
        return sum(node["Alive"] for node in self._ray.nodes())

    def start(self) -> None:
        """Ask the cluster for all workers; does not wait for them."""
        ray, request = self._ray, self._request
        self._started_at = time.monotonic()
        options: dict[str, Any] = {}
        if request.is_local:
            node = ray.get_runtime_context().get_node_id()
            options["scheduling_strategy"] = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
                node, soft=False
            )
        actor_class = ray.remote(RayActor).options(
            num_cpus=request.n_cpus,
            num_gpus=request.n_gpus,
            max_restarts=-1,
            max_task_retries=0,  # the lease of a trial decides whether it is tried again
            max_concurrency=3,  # `run` takes one thread for as long as its child lives
            **options,
        )
        command = ChildCommand(tuple(request.arguments), os.getcwd(), request.n_cpus, request.n_gpus > 0)
        for number in range(1, request.n_workers + 1):
            actor = actor_class.remote(command)
            self._workers.append(_Worker(number, actor, actor.place.remote()))

    @property
    def n_running(self) -> int:
        """The number of workers that have a place in the cluster."""
        return sum(worker.place is not None and not worker.is_over for worker in self._workers)

    @property
    def is_over(self) -> bool:
        """Whether no worker is to be started again: one of them found the studies over, or a person must mend all."""
        placed = [worker for worker in self._workers if worker.place is not None or worker.is_over]
        ended = [worker for worker in placed if worker.is_over]
        return bool(ended) and len(ended) == len(placed) and (self._is_study_over or len(ended) == len(self._workers))

    @property
    def mistake(self) -> str:
        """What a person must mend, if that is why all workers ended; else empty."""
        if self._is_study_over or not all(worker.exit_code == _MISTAKE for worker in self._workers):
            return ""
        return self._workers[0].last_lines

    @property
    def notice(self) -> str:
        """A line on the workers that wait for room; empty if all have it."""
        n_waiting = len(self._workers) - sum(worker.place is not None or worker.is_over for worker in self._workers)
        if not n_waiting or time.monotonic() - self._started_at < _PATIENCE_SECONDS:
            return ""
        return f"{n_waiting} of {len(self._workers)} workers wait until the Ray cluster has room for them"

    def look(self, *, may_start: bool = True) -> None:
        """See what became of every worker, and start again what is to be. Takes a moment.

        Args:
            may_start: Whether a worker that ended with trials left would find any now.
        """
        for worker in self._workers:
            if not worker.is_over:
                self._look_at(worker, may_start=may_start)
        if self.notice and not self._has_told_of_room:
            self._has_told_of_room = True
            self._say(self.notice)

    def drain(self) -> None:
        """Have all workers give their trials back and end, and wait for that."""
        running = [worker for worker in self._workers if worker.run is not None and not worker.is_over]
        for worker in running:
            worker.actor.drain.remote()
        deadline = time.monotonic() + _DRAIN_SECONDS
        while running and time.monotonic() < deadline:
            running = [worker for worker in running if not self._is_ready(worker.run)]
            time.sleep(_TICK_SECONDS)

    def kill(self) -> None:
        """End all actors; children that are left end with them."""
        for worker in self._workers:
            with contextlib.suppress(Exception):  # the cluster may be gone
                self._ray.kill(worker.actor)

    @property
    def _is_study_over(self) -> bool:
        return any(worker.exit_code == 0 for worker in self._workers)

    def _is_ready(self, promise: Any) -> bool:
        return bool(self._ray.wait([promise], timeout=0)[0])

    def _look_at(self, worker: _Worker, *, may_start: bool) -> None:
        if worker.place is None:
            if self._is_ready(worker.place_asked):
                self._note_place(worker)
        elif worker.run is None:
            if self._is_study_over:
                worker.is_over = True
            elif may_start and time.monotonic() >= worker.restart_at:
                worker.began_at = time.monotonic()
                worker.run = worker.actor.run.remote()
        elif self._is_ready(worker.run):
            self._note_end(worker)

    def _note_place(self, worker: _Worker) -> None:
        try:
            place: Place = self._ray.get(worker.place_asked)
        except self._ray.exceptions.RayError as error:  # its node died before it was asked, or it cannot start there
            if isinstance(error, self._ray.exceptions.RayTaskError | self._ray.exceptions.RuntimeEnvSetupError):
                raise RayClusterError(f"worker {worker.number} cannot start on its node: {last_line(error)}") from None
            worker.place_asked = worker.actor.place.remote()
            return
        worker.place = place
        self._say(f"worker {worker.number} is on {place.host}, process {place.pid}")
        if place.niceness and place.host not in self._niced:
            self._niced.add(place.host)
            self._say(
                f"caution: Ray runs its processes on {place.host} at nice {place.niceness}, behind all others, so that "
                "times measured there are no times of an idle machine. Set RAY_worker_niceness=0 where the node starts"
            )

    def _note_end(self, worker: _Worker) -> None:
        try:
            end: ChildEnd = self._ray.get(worker.run)
        except self._ray.exceptions.RayError as error:
            self._say(
                f"worker {worker.number} was lost ({type(error).__name__}); Ray starts it again where there is room"
            )
            worker.place, worker.run = None, None
            worker.place_asked = worker.actor.place.remote()
            return
        worker.run, worker.exit_code, worker.last_lines = None, end.exit_code, end.last_lines
        if end.exit_code == 0:
            worker.is_over = True
            return
        host = worker.place.host if worker.place is not None else ""
        how = f"exit code {end.exit_code}" if end.exit_code > 0 else f"signal {-end.exit_code}"
        self._say(f"worker {worker.number} on {host} ended by {how}: {end.last_lines}")
        if end.exit_code == _MISTAKE:
            worker.is_over = True
            return
        if time.monotonic() - worker.began_at > _LONGEST_PAUSE_SECONDS:
            worker.pause_seconds = _FIRST_PAUSE_SECONDS
        worker.restart_at = time.monotonic() + worker.pause_seconds
        worker.pause_seconds = min(2 * worker.pause_seconds, _LONGEST_PAUSE_SECONDS)


@contextlib.contextmanager
def ray_workers(request: RayRequest, say: Callable[[str], None]) -> Iterator[RayWorkers]:
    """Yield workers, to be started, on a Ray cluster that runs already; at the end they are drained, and end.

    Raises:
        RayClusterError: If Ray is not installed, there is no such cluster, or it cannot be used with the storage.
    """
    ray = connect(request.address)
    workers = RayWorkers(ray, request, say)
    try:
        if request.is_local and workers.n_nodes > 1:
            raise RayClusterError(
                f"the Ray cluster has {workers.n_nodes} nodes, and a file of SQLite cannot be shared by machines. "
                "Start a server with 'tunefront store start', and give its address as --storage"
            )
        yield workers
    finally:
        try:
            workers.drain()
        finally:
            workers.kill()
            ray.shutdown()
