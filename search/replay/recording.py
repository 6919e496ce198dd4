"""The recording of a study: candidates trained to the end without stopping, as a table for replays."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tunefront.mistakes import TunefrontError
from tunefront.objectives.measures import MEASURES, Measure
from tunefront.printable import shortened
from tunefront.search.pruning.finished_trials import training_metric, training_score
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.system.regular_files import read_text_file
from tunefront.spaces.settings import SpaceError
from tunefront.storage import studies, trials
from tunefront.storage.curves import Epoch
from tunefront.storage.files import replace_file
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.spreadsheet import as_cell, csv_of, from_cell
from tunefront.storage.trials import TrialRecord

FORMAT = 1
_PARAMETER = "parameter."  # prefix of names without a dot, which only a user's own space can have
# name of the column without "_by_epoch" -> value of an epoch; accuracy is the score by the measure of the first axis
_CURVES: dict[str, Callable[[Epoch, Measure], float]] = {
    "accuracy": lambda epoch, measure: epoch.accuracy,
    "train_seconds": lambda epoch, measure: epoch.train_seconds,
    "validation_seconds": lambda epoch, measure: epoch.validation_seconds,
    "training_accuracy": training_score,
}


# Errors that may come from reading a file that is no recording.
_TABLE_ERRORS = (KeyError, AttributeError, ValueError, TypeError, EOFError, RecursionError, OverflowError, zlib.error)


class RecordingError(TunefrontError):
    """A recording that cannot be used; the message names file and remedy."""


@dataclass(frozen=True)
class RecordedTrial:
    """A recorded training from start to end.

    Attributes:
        candidate: The candidate's number, which trainings with several seeds share.
        seed: The number of the candidate's training, from 0.
        parameters: The sampled values: ``group.name`` -> value.
        measurements: The measurements of the whole training: name with unit -> value.
        curve: All epochs in order; their ``metrics`` hold the training score if the table has it.
    """

    candidate: int
    seed: int
    parameters: Mapping[str, Any]
    measurements: Mapping[str, float]
    curve: Sequence[Epoch]


@dataclass(frozen=True)
class Recording:
    """A recorded study.

    Attributes:
        spec: The spec of the recorded study.
        dataset: Facts of its dataset.
        n_failed: The number of failed trainings, which are not among `trials`.
    """

    spec: StudySpec
    dataset: Mapping[str, Any]
    machines: Sequence[Mapping[str, Any]]
    n_failed: int
    trials: Sequence[RecordedTrial]

    def one_seed_each(self, seed: int = 0) -> list[RecordedTrial]:
        """Return one training of each candidate: that with `seed`, or else its first one."""
        by_candidate: dict[int, RecordedTrial] = {}
        for trial in sorted(self.trials, key=lambda trial: (trial.seed != seed, trial.seed)):
            by_candidate.setdefault(trial.candidate, trial)
        return [by_candidate[number] for number in sorted(by_candidate)]


def write_recording(study: OpenStudy, path: Path) -> int:
    """Write the complete trainings of a recording study as a compressed table, if there are any; return their number.

    The file gets its name when it is whole. Its first line is a comment, ``# `` and JSON, with the spec, the dataset
    and the machines. Then comes CSV with a row for each training.
    """
    records = trials.load(study)
    attributes = {trial.number: trial.user_attrs for trial in study.optuna.get_trials(deepcopy=False)}
    complete = [trial for trial in records if trial.state == "complete"]
    if not complete:
        return 0
    header = {
        "format": FORMAT,
        "spec": study.record.spec,
        "dataset": study.record.dataset,
        "machines": [_publishable(worker.machine) for worker in studies.list_workers(study)],
        "n_failed": sum(trial.state == "failed" for trial in records),
        "n_trainings": len(complete),
    }
    measure = MEASURES[StudySpec.from_json(study.record.spec).accuracy_measure]
    frame = pd.DataFrame([_row(trial, attributes[trial.number], measure) for trial in complete])
    text = f"# {json.dumps(header)}\n{csv_of(frame)}"
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode())
    return len(complete)


def _publishable(machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return the publishable facts of a machine: hardware and versions, not its name."""
    return {
        name: value
        for name, value in machine.items()
        if name not in ("host_name", "os", "process_started_at", "process_ticks")
    }


def _row(trial: TrialRecord, attributes: Mapping[str, Any], measure: Measure) -> dict[str, Any]:
    curves = {
        f"{name}_by_epoch": " ".join(f"{value(epoch, measure):.6g}" for epoch in trial.epochs)
        for name, value in _CURVES.items()
    }
    measured = {name: float(f"{value:.6g}") for name, value in sorted(trial.measurements.items())}
    return {
        "candidate": attributes.get("candidate", trial.number),
        "seed": attributes.get("seed", 0),
        **measured,
        **curves,
        **{
            as_cell(_parameter_column(name)): as_cell(value) if isinstance(value, str) else value
            for name, value in sorted(trial.parameters.items())
        },
    }


def _parameter_column(name: str) -> str:
    """Return the column name of a parameter, which has a dot, unlike all other columns."""
    return name if "." in name and not name.startswith(_PARAMETER) else f"{_PARAMETER}{name}"


def read_recording(path: Path) -> Recording:
    """Read the file that :func:`write_recording` wrote.

    Raises:
        RecordingError: If there is no such file, or it is no recording.
    """
    try:
        text = read_text_file(path).decode()
        first, _, table = text.partition("\n")
        header = json.loads(first.removeprefix("# "))
        frame = pd.read_csv(io.StringIO(table), keep_default_na=False, na_values=[""])
        if header["format"] != FORMAT:
            raise RecordingError(f"{path}: has format {header['format']}, and this tunefront reads {FORMAT}")
        if not table.endswith("\n") or len(frame) != header.get(
            "n_trainings", len(frame)
        ):  # the first tables did not state their number of trainings
            raise RecordingError(
                f"{path}: was cut off: it has {len(frame)} of {header.get('n_trainings', 'its')} trainings"
            )
        if frame.duplicated(["candidate", "seed"]).any():
            raise RecordingError(f"{path}: a candidate stands there twice with the same seed: record it again")
        spec = StudySpec.from_json(header["spec"])
        metric = training_metric(MEASURES[spec.accuracy_measure])
        return Recording(
            spec,
            header["dataset"],
            header["machines"],
            header["n_failed"],
            [_read_row(row, metric) for row in frame.to_dict("records")],
        )
    except OSError as error:
        raise RecordingError(
            f"{path}: cannot be read ({error.strerror or error}). tunefront record makes one"
        ) from None
    except SpaceError as error:
        raise RecordingError(f"{path}: this tunefront cannot read the spec in it ({error})") from None
    except _TABLE_ERRORS as error:
        raise RecordingError(f"{path}: this is no table that tunefront record made ({_first_line(error)})") from None


def _first_line(error: BaseException) -> str:
    return shortened((str(error).splitlines() or [type(error).__name__])[0])


def check_replaceable(path: Path) -> None:
    """Refuse to write a recording over another kind of file.

    Raises:
        RecordingError: Names the file.
    """
    if path.exists():
        try:
            read_recording(path)
        except RecordingError:
            raise RecordingError(
                f"{path}: there is such a file, it is no recording, and it would be lost. Name another one with --table"
            ) from None


def _read_row(row: Mapping[Any, Any], training_metric: str) -> RecordedTrial:
    columns = {f"{name}_by_epoch" for name in _CURVES}
    present = {str(name): value for name, value in row.items() if not pd.isna(value)}
    known = {"candidate", "seed", *columns}
    return RecordedTrial(
        candidate=int(row["candidate"]),
        seed=int(row["seed"]),
        parameters={
            from_cell(name).removeprefix(_PARAMETER): from_cell(value) if isinstance(value, str) else value
            for name, value in present.items()
            if "." in name
        },
        measurements={name: float(value) for name, value in present.items() if "." not in name and name not in known},
        curve=_read_curve(row, training_metric),
    )


def _read_curve(row: Mapping[Any, Any], training_metric: str) -> list[Epoch]:
    """Read the curve of a row; the first tables have no training score."""
    curves = {
        name: [float(value) for value in str(row[f"{name}_by_epoch"]).split()]
        for name in _CURVES
        if f"{name}_by_epoch" in row
    }
    training_scores = curves.get("training_accuracy", [])
    metrics = [{training_metric: value} for value in training_scores] or [{}] * len(curves["accuracy"])
    columns = (curves["accuracy"], curves["train_seconds"], curves["validation_seconds"], metrics)
    return [Epoch(number, *values) for number, values in enumerate(zip(*columns, strict=True), start=1)]
