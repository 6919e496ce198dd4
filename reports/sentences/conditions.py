"""The conditions of a study's measurements: machines, versions, seeds, and how busy the machines were."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunefront.objectives.quantities import format_quantity
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

BUSY = 1.5  # as in search/launching/machine.py: above this, a run warns at its start that the machine is busy


@dataclass(frozen=True)
class MachineConditions:
    """One kind of machine and software that worked on the study.

    Attributes:
        n_supervisors: The number of supervisors that were started on it.
        facts: Name -> value, for people; ``-`` where it is not known.
    """

    n_supervisors: int
    facts: Mapping[str, str]


@dataclass(frozen=True)
class Busyness:
    """How much else ran on the machines while the trials on the front trained.

    Attributes:
        load_average: The mean of processes that wanted a CPU, divided by the cores; NaN if not measured.
        other_slots_busy: The mean number of other trials running on the same machine; NaN if not measured.
    """

    load_average: float
    other_slots_busy: float

    def describe(self) -> str:
        """Describe it in a sentence; empty if nothing was measured."""
        if math.isnan(self.other_slots_busy):
            return ""
        sentence = f"While a trial on the front trained, {self.other_slots_busy:.1f} others trained on its machine"
        if math.isnan(self.load_average):
            return f"{sentence}, on average."
        return f"{sentence} and {self.load_average:.2f} processes wanted each CPU core, on average."


def machines(results: StudyResults) -> list[MachineConditions]:
    """Return the machines that worked on the study in the order of their start; equal ones are counted together."""
    alike: dict[str, list[Mapping[str, Any]]] = {}
    for worker in results.workers:
        what = {name: fact for name, fact in worker.machine.items() if not name.startswith("process_")}
        alike.setdefault(json.dumps(what, sort_keys=True), []).append(worker.machine)
    return [MachineConditions(len(found), _facts(found[0])) for found in alike.values()]


def busyness(results: StudyResults) -> Busyness:
    """Return how busy the machines were while the trials on the front trained."""
    return Busyness(
        *(
            _mean([t.measurements[name] for t in results.front if name in t.measurements])
            for name in ("load_average", "other_slots_busy")
        )
    )


def describe_busy(results: StudyResults) -> str:
    """Say that other programs kept the machine busy while complete trials trained; empty if none did."""
    workers = {worker.worker_id: worker.machine for worker in results.workers}
    complete = [trial for trial in results.trials if trial.state == "complete"]
    busy = [trial for trial in complete if _wanted(trial, workers.get(trial.worker_id, {})) > BUSY]
    if not busy:
        return ""
    most = max(trial.measurements["load_average"] for trial in busy)
    which = f"{len(busy)} of {len(complete)} complete trials" if len(complete) > 1 else "the only complete trial"
    effect = ", and another run, on a quiet machine, may have another front" if "time" in results.objectives else ""
    return (
        f"The machine was busy with something else when {which} trained: up to {most:.1f} processes wanted each CPU "
        f"core. Times of these are longer than alone{effect}."
    )


def describe_niced(results: StudyResults) -> str:
    """Say that complete trials trained behind all other programs of their machine; empty if none did."""
    niceness = {worker.worker_id: int(worker.machine.get("niceness") or 0) for worker in results.workers}
    complete = [trial for trial in results.trials if trial.state == "complete"]
    niced = [trial for trial in complete if niceness.get(trial.worker_id, 0) > 0]
    if not niced:
        return ""
    most = max(niceness[trial.worker_id] for trial in niced)
    which = f"{len(niced)} of {len(complete)} complete trials" if len(complete) > 1 else "The only complete trial"
    return (
        f"{which} trained at nice {most}, behind all other programs of the machine, so that times may be longer than "
        "alone. Ray runs its processes so, unless RAY_worker_niceness=0 is set where a node starts."
    )


def describe_shared_gpus(results: StudyResults) -> str:
    """Say that complete trials trained on GPUs that several slots share; empty if none did."""
    n_trials = Counter(trial.slots_on_gpu for trial in results.trials if trial.state == "complete")
    if not n_trials.keys() - {1}:
        return ""
    if len(n_trials) == 1:
        return (
            f"Each trial trained on a GPU that {next(iter(n_trials))} slots share: times compare with one another, "
            "and are longer than alone."
        )
    by_slots = sorted(n_trials.items())
    groups = [f"{n} {'alone' if n_slots == 1 else f'with {n_slots} slots on its GPU'}" for n_slots, n in by_slots]
    return (
        f"Trials did not share GPUs alike: {', '.join(groups[:-1])} and {groups[-1]} trained. The more share a GPU, "
        "the longer a training takes, so times compare only within such a group"
        + (", and the front may rest on where a trial ran." if "time" in results.objectives else ".")
    )


def _wanted(trial: TrialRecord, machine: Mapping[str, Any]) -> float:
    """Return the processes that wanted each CPU core, without the study's own in excess of one for each core.

    If a study has more slots than cores, its own processes slow all of its trials alike, so they are not counted.
    """
    load = trial.measurements.get("load_average", 0.0)
    n_slots = trial.measurements.get("other_slots_busy", 0.0) + 1
    own = n_slots * float(machine.get("threads_per_slot") or 0) / float(machine.get("n_cpus") or 1)
    return min(own, 1.0) + max(load - own, 0.0)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _facts(machine: Mapping[str, Any]) -> dict[str, str]:
    def fact(name: str) -> str:
        value = machine.get(name)
        return "-" if value is None or value == "" else str(value)

    memory = machine.get("memory_bytes")
    gpus = machine.get("gpus") or []
    slots = machine.get("slots") or []
    memory_each = f", GPU memory each: {fact('gpu_memory_per_slot')}" if machine.get("gpu_memory_per_slot") else ""
    return {
        "machine": fact("host_name"),
        "CPU": f"{fact('cpu')}, {fact('n_cpus')} cores",
        "memory": format_quantity(float(memory), "bytes") if memory else "-",
        "GPUs": ", ".join(str(gpu) for gpu in gpus) or "none",
        "slots": f"{len(slots)} ({', '.join(map(str, slots))}), threads each: {fact('threads_per_slot')}{memory_each}"
        if slots
        else "-",
        "precision": fact("precision"),
        "backend": f"{fact('backend')} {fact('backend_version')}",
        "Keras": fact("keras"),
        "Optuna": fact("optuna"),
        "tunefront": fact("tunefront"),
        "Python": fact("python"),
        "system": fact("os"),
    }
