"""The new limits of a study that goes on: who may still run it under the old ones, and what a person is told."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tunefront.objectives.dominance import on_front
from tunefront.objectives.limits import Objective, broken_limit, read_extra_limits, read_limits, read_objectives
from tunefront.objectives.measures import Axis
from tunefront.search.launching import machine
from tunefront.storage import studies, trials
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.studies import WorkerRecord
from tunefront.storage.trials import TrialRecord


def describe_runners(study: OpenStudy) -> str:
    """Return a text for an error that says who runs the study now; empty if nobody does."""
    now = studies.database_time(study.store)
    lease_seconds = study.store.waits.lease_seconds
    found = [_describe_runner(worker) for worker in studies.list_workers(study) if _may_run(worker, now, lease_seconds)]
    return " and ".join(found)


def _may_run(worker: WorkerRecord, now: float, lease_seconds: float) -> bool:
    """Return whether a worker may still run: on this machine by its process, elsewhere by when it was last seen."""
    if worker.host != machine.host_key():
        return now - worker.seen_at < lease_seconds
    is_ours = worker.pid == os.getpid()  # an earlier run of this process has ended
    return not is_ours and machine.is_alive(worker.pid, worker.machine)


def _describe_runner(worker: WorkerRecord) -> str:
    is_here = worker.host == machine.host_key()
    where = "here" if is_here else f"on {worker.machine.get('host_name', 'another machine')}, seen in the last minute"
    return f"process {worker.pid} ({where})"


def describe_new_limits(
    study: OpenStudy,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    stopped: Sequence[int],
) -> list[str]:
    """Return a few lines on what new limits, which are already stored, mean for existing trials.

    Args:
        old, new: The spec before and now, as JSON.
        stopped: Numbers of the trials that were stopped for a limit and no longer would be.
    """
    complete = {trial.number: trial for trial in trials.load(study) if trial.state == "complete"}
    names = [objective.measure.name for objective in read_objectives(new).values()]
    kept = [[trial for trial in complete.values() if _keeps(trial, names, read_limits(spec))] for spec in (old, new)]
    before, now = (_front(trials_within, read_objectives(new)) for trials_within in kept)
    lines = [
        f"of {len(complete)} complete trials, {len(kept[1])} keep the new limits; {len(kept[0])} kept the old ones"
    ]
    unknown = _unmeasured(complete, read_extra_limits(new))
    if unknown:
        lines.append(f"not held against a limit, because they did not measure it: {unknown}")
    if now - before:
        lines.append(f"on the front now: {_trials(now - before)}")
    without = [number for number in now if not complete[number].model_path]
    if without:
        lines.append(f"on the front without a model, which was not kept when they ended: {_trials(without)}")
    if before - now:
        lines.append(
            f"no longer on the front: {_trials(before - now)}; a kept model stays until another trial beats it"
        )
    if stopped:
        lines.append(f"stopped for a limit that is relaxed now, and they stay stopped: {_trials(stopped)}")
    return lines


def describe_queued_again(queued: Mapping[int, int]) -> str:
    """Return a text on the refused candidates that are queued once more; empty if there are none."""
    if not queued:
        return ""
    pairs = ", ".join(f"{number} as {again}" for number, again in sorted(queued.items()))
    return f"refused before, and queued again because no limit refuses them now: {len(queued)} (trial {pairs})"


def _unmeasured(complete: Mapping[int, TrialRecord], limits: Sequence[Objective]) -> str:
    """Name the trials that did not measure what has a limit; empty if there are none."""
    found = {
        limit.measure.name: [n for n, trial in complete.items() if limit.measure.name not in trial.measurements]
        for limit in limits
    }
    return "; ".join(f"{name} of {_trials(numbers)}" for name, numbers in found.items() if numbers)


def _keeps(trial: TrialRecord, names: Sequence[str], limits: Sequence[Objective]) -> bool:
    return not broken_limit(limits, {**trial.measurements, **dict(zip(names, trial.values or (), strict=True))})


def _front(within: Sequence[TrialRecord], objectives: Mapping[Axis, Objective]) -> set[int]:
    """Return the numbers of those trials that no other one of them beats."""
    points = np.array([trial.values for trial in within], dtype=float).reshape(-1, len(objectives))
    mask = on_front(points, [objective.measure.direction for objective in objectives.values()])
    return {trial.number for trial, is_on in zip(within, mask, strict=True) if is_on}


def _trials(numbers: Iterable[int]) -> str:
    listed = sorted(numbers)
    return f"trial{'s' if len(listed) > 1 else ''} {', '.join(map(str, listed))}"
