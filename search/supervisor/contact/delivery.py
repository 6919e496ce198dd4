"""The delivery of results to the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from tunefront.objectives.measures import known_early
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.supervisor.contact.result import TrialResult
from tunefront.search.supervisor.contact.spool import Spool
from tunefront.search.supervisor.kept_models import KeptModels
from tunefront.search.supervisor.live_front import LiveFront
from tunefront.search.supervisor.uploads.upload import needs_upload, upload_files
from tunefront.storage import constraints, curves, queue
from tunefront.storage.artifacts.artifact_store import ArtifactStore
from tunefront.storage.attempts import Lease, note_resumed
from tunefront.storage.curves import Epoch
from tunefront.storage.database.patience import patiently
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome


def note_epochs(study: OpenStudy, spec: StudySpec, lease: Lease, epochs: Iterable[Epoch]) -> Iterator[bool]:
    """Write epochs of a leased trial one after the other; yield False and end if its lease is no longer held."""
    for epoch in epochs:
        if not curves.append(study.store, lease, epoch):
            yield False
            return
        if tells_optuna(spec):
            curves.report(study.store, lease, epoch.epoch, epoch.accuracy)
        yield True


def tells_optuna(spec: StudySpec) -> bool:
    """Return whether Optuna is told of epochs. With several objectives its TPE fails on pruned trials that have any."""
    return list(spec.objectives.present()) == ["accuracy"]


class Delivery:
    """The delivery of one supervisor's results; those that the store could not be told are in its spool."""

    def __init__(self, study: OpenStudy, spec: StudySpec, live_front: LiveFront, spool: Spool) -> None:
        self.spool = spool
        self._study = study
        self._spec = spec
        self._live_front = live_front

    def record(self, result: TrialResult) -> bool:
        """Tell the store how an attempt ended; return False if it is no longer open, so that the result is refused.

        It may be told twice.
        """
        if result.resumed is not None:
            note_resumed(self._study.store, result.lease, result.resumed)
        for _ in note_epochs(self._study, self._spec, result.lease, result.epochs):
            pass
        is_complete = result.outcome is Outcome.COMPLETE
        return queue.finish(
            self._study,
            result.lease,
            result.outcome,
            values=self._live_front.values(result.measurements) if is_complete else None,
            violations=self._violations(result),
            measurements=result.measurements,
            answers=result.answers,
            reason=result.reason,
            model_path=result.model_path,
        )

    def record_spooled(self, result: TrialResult) -> bool:
        """Tell the store of a result in the spool, and remove it there."""
        is_recorded = self.record(result)
        # Only now is it known whose model the trial has: another's sweep may have ended the attempt as it was intended.
        if is_recorded and result.model_path:
            self.spool.bring_model_back(result)
        self.spool.remove(result)
        return is_recorded

    def _violations(self, result: TrialResult) -> list[float]:
        """Return the violations for samplers; for a stopped trial, those of limits that its end would have decided."""
        if result.outcome not in (Outcome.COMPLETE, Outcome.PRUNED, Outcome.REFUSED):
            return []
        known = self._live_front.violations(result.measurements)
        if result.outcome is Outcome.PRUNED:
            known = {**self._live_front.violations(known_early(result.measurements)), **result.stop_violations}
        return constraints.as_list(self._live_front.limits, known)


def delivery_of(study: OpenStudy, spool: Spool) -> Delivery:
    """Return the delivery of a study that nothing but the store is known of."""
    spec = StudySpec.from_json(study.record.spec)
    return Delivery(study, spec, LiveFront(study, spec.parsed_objectives(), spec.extra_limits()), spool)


def deliver_left_results(
    study: OpenStudy, out: Path, say: Callable[[str], None], artifacts: ArtifactStore | None = None
) -> None:
    """Deliver what an earlier supervisor could not, before anybody sweeps its trials.

    Args:
        out: The study's results folder.
        say: Tells a person of each result.
        artifacts: The place that the results' files are brought to first; None if the study has none.

    Raises:
        ArtifactsAwayError: If that place cannot be used.
    """
    spool = Spool(out / "spool", KeptModels(study, out / "models"))
    if len(spool):
        delivery = delivery_of(study, spool)
        for result in spool.results():
            if artifacts is not None and needs_upload(result):
                for problem in upload_files(study, artifacts, result, spool, out):
                    say(problem)
            is_recorded = patiently(partial(delivery.record_spooled, result))
            say(describe_delivery(result, is_recorded=is_recorded))
    for problem in spool.take_problems():
        say(problem)


def describe_delivery(result: TrialResult, *, is_recorded: bool) -> str:
    """Return a line for a log on a result that came from the spool."""
    number, outcome = result.lease.number, result.outcome.value
    if is_recorded:
        return f"trial {number}: {outcome}: its result, which was kept until it could be told, is delivered"
    return describe_refused(number)


def describe_refused(number: int) -> str:
    """Return a line for a log on a result that the store did not take."""
    return f"trial {number}: result refused: another worker has taken the trial over, or a person ended it"
