"""The continuation of a stored study: which parts of its spec may differ, and who else works on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tunefront.objectives.limits import read_objectives
from tunefront.search.launching import machine
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.study_spec import StudySpec, differences, limit_changes
from tunefront.search.supervisor.new_limits import describe_new_limits, describe_queued_again, describe_runners
from tunefront.storage import limits, refused_candidates, studies
from tunefront.storage.database.connection import Store
from tunefront.storage.studies import StudyRecord


def check_going_on(spec: StudySpec, path: Path, store: Store, stored: StudyRecord) -> bool:
    """Check that the study may go on with `spec`; return whether its limits differ, which requires that nobody runs it.

    Args:
        path: The path of the spec's file, for errors.

    Raises:
        SpecError: If limits differ while somebody runs the study, or keys differ that may not be changed.
    """
    given = spec.as_json()
    different = differences(stored.spec, given)
    if different:
        raise SpecError(
            path,
            "",
            f"the storage has a study {stored.name!r} with another spec:\n  "
            + "\n  ".join(different)
            + "\nTo go on with that study, let the file say what the study has. To start another one, give this spec "
            "another name or another --storage",
        )
    changed = limit_changes(stored.spec, given)
    runners = describe_runners(store, stored) if changed else ""
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
    path: Path,
    store: Store,
    study: StudyRecord,
    worker_id: str,
    description: Mapping[str, Any],
    say: Callable[[str], None],
) -> StudyRecord:
    """Join the study as a worker, save what the spec changes, and return the study as it is then.

    This happens under the store's lock, so that no two workers have different limits.

    Args:
        description: The description of this machine.
        say: Tells a person what new limits mean for existing trials.

    Raises:
        SpecError: See :func:`check_going_on`; another worker may have joined since that check.
    """
    given, lines = spec.as_json(), []
    with store.exclusively():
        study = studies.find(store, study.name) or study
        if check_going_on(spec, path, store, study):
            old, study = study, replace(study, spec=given)
            stopped = limits.change(store, old, given)
            lines = ["limits change: " + "; ".join(limit_changes(old.spec, given))]
            lines += describe_new_limits(store, study, read_objectives(old.spec), read_objectives(given), stopped)
        elif study.spec != given:  # only keys differ that may change at any time, such as trials
            studies.update_spec(store, study, given)
            study = replace(study, spec=given)
        lines.append(describe_queued_again(refused_candidates.queue_again(store, study)))
        studies.register_worker(store, study, worker_id, machine.host_key(), os.getpid(), description)
    for line in filter(None, lines):
        say(line)
    return study
