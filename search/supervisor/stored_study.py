"""The continuation of a stored study: which parts of its spec may differ, and who else works on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tunefront.search.launching import machine
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.study_spec import StudySpec, differences, limit_changes
from tunefront.search.supervisor.new_limits import describe_new_limits, describe_queued_again, describe_runners
from tunefront.storage import limits, refused_candidates, studies
from tunefront.storage.control import study_control
from tunefront.storage.control.wishes import StudyWish
from tunefront.storage.open_study import OpenStudy


def check_going_on(spec: StudySpec, path: Path | str, stored: OpenStudy) -> bool:
    """Check that the study may go on with `spec`; return whether its limits differ, which requires that nobody runs it.

    Args:
        path: The spec's file, or what errors call the spec.

    Raises:
        SpecError: If a person stopped the study, if limits differ while somebody runs it, or if keys differ that may
            not be changed.
    """
    wish = study_control.read(stored).wish
    if wish.of_study is StudyWish.STOPPED:
        raise SpecError(
            path,
            "",
            f"study {stored.name!r} was stopped by {wish.by}. Open it again with 'tunefront resume {stored.name}', "
            "then run it again",
        )
    given = spec.as_json()
    different = differences(stored.record.spec, given)
    if different:
        raise SpecError(
            path,
            "",
            f"the storage has a study {stored.name!r} with another spec:\n  "
            + "\n  ".join(different)
            + "\nTo go on with that study, let the spec say what the study has. To start another one, give this spec "
            "another name or another storage",
        )
    changed = limit_changes(stored.record.spec, given)
    runners = describe_runners(stored) if changed else ""
    if runners:
        raise SpecError(
            path,
            "",
            f"the limits of study {stored.name!r} can change only while nobody runs it, and this does: {runners}. "
            "Wait until it is done, or stop it with Ctrl-C, which loses nothing; or undo these changes:\n  "
            + "\n  ".join(changed),
        )
    return bool(changed)


def join(
    spec: StudySpec,
    path: Path | str,
    study: OpenStudy,
    worker_id: str,
    description: Mapping[str, Any],
    say: Callable[[str], None],
) -> OpenStudy:
    """Join the study as a worker, and return the study as it is then, see :func:`take_up`.

    Args:
        description: The description of this machine.
    """

    def register(joined: OpenStudy) -> None:
        place = machine.host_key(), os.getpid()
        studies.register_worker(joined, worker_id, *place, description, process_id=joined.store.worker_id)

    return take_up(spec, path, study, say, register)


def take_up(
    spec: StudySpec,
    path: Path | str,
    study: OpenStudy,
    say: Callable[[str], None],
    register: Callable[[OpenStudy], None] = lambda study: None,
) -> OpenStudy:
    """Save what a spec changes of its study, and return the study as it is then.

    This happens under the study's lock, so that no two workers have different limits.

    Args:
        say: Tells a person what new limits mean for existing trials.
        register: Notes that a worker joins the study.

    Raises:
        SpecError: See :func:`check_going_on`; another worker may have joined since that check.
    """
    given, lines = spec.as_json(), []
    with study.exclusively():
        study = studies.find(study.store, study.name) or study
        if check_going_on(spec, path, study):
            old = study
            stopped = limits.change(old, given)
            study = _with_spec(old, given)
            lines = ["limits change: " + "; ".join(limit_changes(old.record.spec, given))]
            lines += describe_new_limits(study, old.record.spec, given, stopped)
        elif study.record.spec != given:  # only keys differ that may change at any time, such as trials
            studies.update_spec(study, given)
            study = _with_spec(study, given)
        lines.append(describe_queued_again(refused_candidates.queue_again(study)))
        register(study)
    for line in filter(None, lines):
        say(line)
    return study


def _with_spec(study: OpenStudy, spec: Mapping[str, Any]) -> OpenStudy:
    """Open the study anew with its new spec, because the old object caches finished trials as they were before."""
    return OpenStudy(study.store, replace(study.record, spec=spec))
