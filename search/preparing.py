"""What must be known before the first trial, found out in a child that has Keras: data, versions, limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from search.data import Dataset, prepare
from search.launching import Launcher, describe_exit
from search.slots import Slot

_N_PROBED = 20  # candidates built to see whether a memory limit excludes everything


class PreparationError(Exception):
    """The study cannot start: a message that names what to change."""


@dataclass(frozen=True)
class PreparationTask:
    """The spec as JSON data, and the slot to do it in."""

    spec: Mapping[str, Any]
    slot: Slot


def prepare_study(launcher: Launcher, task: PreparationTask, log_path: Path) -> tuple[Dataset, dict[str, str]]:
    """Prepare the data and check the limits; return the dataset and the versions of the frameworks.

    Raises:
        PreparationError: If the data cannot be had or the limits exclude everything.
    """
    child = launcher.start(_prepare_in_child, task, log_path)
    try:
        answer = json.loads(child.connection.recv_bytes())
    except EOFError:
        ending = describe_exit(child.reap())
        logs = [path.read_text(errors="replace").strip() for path in (launcher.log_path, log_path) if path.exists()]
        output = "\n".join(logs)[-2000:]
        raise PreparationError(
            f"the study could not be prepared: the process {ending}. Its output:\n{output}"
        ) from None
    except BaseException:
        child.kill()
        raise
    child.reap()
    if "error" in answer:
        raise PreparationError(answer["error"])
    return Dataset.read(Path(answer["folder"])), answer["versions"]


def _prepare_in_child(connection: Connection, task: PreparationTask) -> None:
    import keras

    from search.spec import StudySpec

    task.slot.claim()
    spec = StudySpec.from_json(task.spec)
    try:
        dataset = prepare(spec.data.model_dump(), spec.seed)
        _check_memory_limit(spec, dataset)
        backend = keras.backend.backend()
        versions = {"keras": keras.__version__, "backend": backend, "backend_version": _version_of(backend)}
        answer: dict[str, Any] = {"folder": dataset.folder, "versions": versions}
    except (PreparationError, OSError, ValueError) as error:
        answer = {"error": str(error)}
    connection.send_bytes(json.dumps(answer).encode())


def _version_of(backend: str) -> str:
    import importlib

    return str(importlib.import_module(backend).__version__)


def _check_memory_limit(spec: Any, dataset: Dataset) -> None:
    """Build some random candidates if memory has a limit that is known before training."""
    objective = spec.parsed_objectives().get("memory")
    if objective is None or not objective.has_limit or not objective.measure.is_known_before_training:
        return
    import optuna

    from objectives import format_quantity
    from search import measuring, training

    space = spec.parsed_space()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=spec.seed))
    found = []
    for _ in range(_N_PROBED):
        candidate = space.suggest(study.ask())
        built = training.build(space, candidate, dataset, spec.training.precision, seed=0)
        size = {
            "model_bytes": measuring.model_bytes(built.model, built.optimizer),
            "weight_bytes": measuring.weight_bytes(built.model),
        }[objective.measure.name]
        if objective.violation(size) <= 0:
            return
        found.append(size)
    raise PreparationError(
        f"objectives.memory: its limit excludes everything: of {_N_PROBED} candidates tried, "
        f"{objective.measure.name} is {format_quantity(min(found), 'bytes')} to "
        f"{format_quantity(max(found), 'bytes')}. Change the limit, or the ranges in [space]"
    )
