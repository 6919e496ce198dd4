"""Running a study by workers on a Ray cluster, while this process shows how it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from tunefront.search.fleet.ray_workers import RayWorkers
    from tunefront.search.fleet.study_watch import StudyWatch
    from tunefront.search.spec.study_spec import StudySpec
    from tunefront.search.supervisor.end_reason import Ending
    from tunefront.search.supervisor.view import Snapshot, View
    from tunefront.storage.open_study import OpenStudy

_TICK_SECONDS = 0.5
_AWAY = "the storage is away: workers train on, and tell it what happened when it is back"
_BUSY_SHARE = 0.2  # of the time that reading the storage may take, so that large studies are read less often


@dataclass(frozen=True)
class RayWish:
    """What a person asks of a Ray cluster.

    Attributes:
        address: HOST:PORT of the cluster, or ``auto``.
        n_workers: The trials at a time, each by a worker of its own.
        n_gpus: The GPUs of each worker; a fraction shares one.
        n_cpus: The CPU cores of each worker.
        out: The folder for the results folders of studies on every machine; None for ``results``.
        work_options: Further options of ``tunefront work``.
    """

    address: str
    n_workers: int
    n_gpus: float
    n_cpus: int
    out: Path | None = None
    work_options: Sequence[str] = ()

    def describe(self) -> str:
        """Return in a few words what is asked for: ``"8 workers on Ray, 1 GPU and 4 CPU cores each"``."""
        workers = f"{self.n_workers} worker{'s' if self.n_workers > 1 else ''} on Ray"
        gpus = f"{self.n_gpus:g} GPU{'s' if self.n_gpus > 1 else ''} and " if self.n_gpus else ""
        each = " each" if self.n_workers > 1 else ""
        return f"{workers}, {gpus}{self.n_cpus} CPU core{'s' if self.n_cpus > 1 else ''}{each}"

    def arguments(self, storage: str, study: str) -> list[str]:
        """Return what makes a worker, behind the name of Python."""
        where = ["--out", str(self.out.resolve())] if self.out is not None else []
        n_slots = max(1, int(self.n_gpus))
        asked = ["work", "--storage", storage, "--study", study, "--slots", str(n_slots), "--until-idle", *where]
        return ["-m", "tunefront", *asked, *self.work_options]


def run_spec_on_ray(
    spec: StudySpec, path: Path, storage: str, wish: RayWish, console: Console, artifacts: str
) -> Ending:
    """Run a study by workers on a Ray cluster until it ends.

    Raises:
        RayClusterError: If there is no such cluster, it cannot be used, or no worker can work.
        SharedStorageError: If the storage's address cannot be given to workers.
    """
    from tunefront.commands.screen.views import make_view
    from tunefront.search.fleet.ray_workers import RayRequest, ray_workers
    from tunefront.search.fleet.shared_storage import address_for_workers, is_file
    from tunefront.search.supervisor.end_reason import Ending
    from tunefront.storage.counts import count

    address = address_for_workers(storage)
    request = RayRequest(
        wish.address, wish.n_workers, wish.n_gpus, wish.n_cpus, wish.arguments(address, spec.name), is_file(storage)
    )
    view = make_view(console)
    try:
        view.progress(f"connecting to Ray at {wish.address}", 0, 1)
        with ray_workers(request, view.say) as workers:
            study = _submit(spec, path, storage, artifacts, view)
            if count(study).finished >= spec.trials:
                view.say(f"{count(study).finished} trials are finished already: there is nothing to train")
                return Ending.DONE
            _caution(study, workers, view)
            view.say(f"study {spec.name}: {spec.trials} trials, {wish.describe()}. Ctrl-C drains them and keeps all")
            return _watch(workers, study, spec, view)
    finally:
        view.close()


def _submit(spec: StudySpec, path: Path, storage: str, artifacts: str, view: View) -> OpenStudy:
    from tunefront.search.fleet.submission import Submission, submit_study
    from tunefront.search.launching.asker import make_asker
    from tunefront.search.preparation.prepare import check_files
    from tunefront.search.spec.file import check_own_space
    from tunefront.storage.artifacts.address import open_artifacts

    if artifacts:
        open_artifacts(artifacts).prepare()
    check_own_space(path, spec)
    check_files(path, spec.data)
    with make_asker(view.progress) as asker:
        study, counts = submit_study(Submission(spec, path, storage, artifacts=artifacts), asker, view.say)
    if 0 < counts.finished < spec.trials:
        view.say(f"going on: {counts.finished} of {spec.trials} are done")
    return study


def _caution(study: OpenStudy, workers: RayWorkers, view: View) -> None:
    from tunefront.storage.artifacts.study_artifacts import address_of

    if workers.n_nodes > 1 and not address_of(study):
        view.warn(
            "caution: every machine keeps the models of its own trials. --artifacts FOLDER or s3://BUCKET puts all in "
            "one place, where the report and later commands find them"
        )


def _watch(workers: RayWorkers, study: OpenStudy, spec: StudySpec, view: View) -> Ending:
    from tunefront.search.fleet.ray_connection import RayClusterError
    from tunefront.search.fleet.study_watch import StudyWatch, stored_ending
    from tunefront.search.supervisor.end_reason import Ending as Endings
    from tunefront.search.system.signals import interruptible

    watch = StudyWatch(study, spec)
    with interruptible(view.say) as is_interrupted:
        workers.start()
        screen = _Screen(watch, view)
        while not workers.is_over:
            workers.look(may_start=not screen.pause)
            screen.show(screen.pause or workers.notice)
            if is_interrupted():
                workers.drain()
                screen.tell_ends()
                return Endings.INTERRUPTED
            time.sleep(_TICK_SECONDS)
        if workers.mistake:
            raise RayClusterError(f"no worker can work: {workers.mistake.removeprefix('tunefront: ')}")
        screen.tell_ends()
        return stored_ending(study, spec)


class _Screen:
    """The view, brought up to date from the storage as often as that can be read, and not while it is away.

    Attributes:
        pause: By whom the study is paused, see :meth:`StudyWatch.pause`.
    """

    def __init__(self, watch: StudyWatch, view: View, clock: Callable[[], float] = time.monotonic) -> None:
        self._watch = watch
        self._view = view
        self._clock = clock
        self._next_at = clock()
        self._last: Snapshot | None = None
        self.pause = ""
        self._is_away = False

    def show(self, notice: str) -> None:
        """Show what is new, if it is time to read the storage again.

        Args:
            notice: What a person is to know of the workers; empty if nothing.
        """
        began_at = self._clock()
        if began_at < self._next_at:
            return
        self.tell_ends()
        if self._last is not None:
            self._view.show(replace(self._last, notice=_AWAY if self._is_away else notice))
        now = self._clock()
        self._next_at = now + max(_TICK_SECONDS, (now - began_at) / _BUSY_SHARE)

    def tell_ends(self) -> None:
        """Print a line on each trial that has ended, or on the storage when it goes away."""
        from tunefront.storage.database.patience import is_away

        try:
            for line in self._watch.news():
                self._view.say(line)
            self._last = self._watch.snapshot()
            self.pause = self._watch.pause()
            self._is_away = False
        except Exception as error:
            if not is_away(error):
                raise
            if not self._is_away:
                self._view.say(_AWAY)
            self._is_away = True
