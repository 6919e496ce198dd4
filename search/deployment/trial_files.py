"""One kept model as files for runtimes, each run and compared with Keras, in a child with Keras on TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.examples import DataError
from tunefront.search.deployment.scored_images import scored_images
from tunefront.search.launching.asker import CheckError, Progress
from tunefront.search.models.agreement import chosen_classes, compare_answers
from tunefront.search.models.calibration import calibration_rows
from tunefront.search.models.extras import is_installed
from tunefront.search.models.file_measures import RuntimeRefusalError, measure_file
from tunefront.search.models.variants import VARIANTS, Variant
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.system.links import refuse_link
from tunefront.search.trial.messages import first_line
from tunefront.spaces.own import OwnSpace

_BATCH_SIZE = 256  # images that Keras predicts at once
_MICRO_IMAGES = 60  # the interpreter of microcontrollers is slow here, and need only be seen to answer alike


@dataclass(frozen=True)
class ExportTask:
    """The task of a child: one model in some variants.

    Attributes:
        spec: The study's spec as JSON data.
        fingerprint: The digest of the data that the study was made with.
        stem: The beginning of the files' names: ``trial-3``.
        is_confirmed: Whether the model is of a confirmation, and scored on the test images.
    """

    model: str
    variants: Sequence[str]
    spec: Mapping[str, Any]
    fingerprint: str
    folder: str
    stem: str
    is_confirmed: bool

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


@dataclass(frozen=True)
class _Scored:
    """The images that files are scored on, and what Keras answers to them."""

    split: str
    images: NDArray[Any]
    labels: NDArray[np.int64]
    positive_class: int
    keras: NDArray[Any]

    def accuracy(self, answers: NDArray[Any]) -> float:
        """Return the share of the images that these answers classify correctly."""
        chosen = chosen_classes(answers)
        if answers.shape[1] == 1:
            chosen = np.where(chosen == 1, self.positive_class, 1 - self.positive_class)
        return float(np.mean(chosen == self.labels))


def make_files(data: Mapping[str, Any], progress: Progress) -> list[dict[str, Any]]:
    """Export a model in each variant of an :class:`ExportTask`, given as JSON data.

    Returns:
        A document for each variant: fields of `DeployedVariant`, and ``ends``, what its file takes and gives.

    Raises:
        DataError: If the data is not what the study was made with.
    """
    import keras

    from tunefront.search.models.flops import flops
    from tunefront.search.models.model_copies import float32_copy

    task = ExportTask(**data)
    spec = StudySpec.from_json(task.spec)
    space = spec.parsed_space()
    if isinstance(space, OwnSpace):
        space.load()  # its layers are registered by its code
    dataset = prepare(spec.data, spec.seed, progress, are_images=spec.takes_images)
    if dataset.fingerprint != task.fingerprint:
        raise DataError("data: the images, labels or splits are not those of the study: put the data back")
    if dataset.columns:
        raise CheckError("a table of columns is not deployed: its lookups of texts need TensorFlow itself")
    try:
        kept = keras.models.load_model(task.model, compile=False)
    except (TypeError, ValueError) as error:
        raise CheckError(f"{task.model}: Keras cannot load it: {first_line(error)}") from error
    model = float32_copy(kept)
    split, scored = scored_images(dataset, is_confirmed=task.is_confirmed)
    found = _Scored(split, scored.images, scored.labels, dataset.positive_class, _predict(model, scored.images))
    keras_accuracy = found.accuracy(found.keras if kept is model else _predict(kept, scored.images))
    n_flops = flops(model)
    documents: list[dict[str, Any]] = []
    for name in task.variants:
        progress(f"exporting {task.stem}", len(documents), len(task.variants))
        document = _make_file(model, VARIANTS[name], task, found, _calibration_images(dataset, spec.seed))
        document["keras_accuracy"] = keras_accuracy
        if n_flops is not None:
            document["measures"]["macs"] = n_flops // 2
        documents.append(document)
    return documents


def _predict(model: Any, images: NDArray[Any]) -> NDArray[Any]:
    starts = range(0, len(images), _BATCH_SIZE)
    parts = [model.predict_on_batch(images[start : start + _BATCH_SIZE].astype("float32")) for start in starts]
    return np.concatenate([np.asarray(part, np.float64) for part in parts])


def _calibration_images(dataset: Dataset, seed: int) -> NDArray[Any]:
    train = dataset.split("train")
    rows = calibration_rows(train.labels, seed)
    return np.array(train.images[rows])


def _make_file(
    model: Any, variant: Variant, task: ExportTask, scored: _Scored, calibration: NDArray[Any]
) -> dict[str, Any]:
    from tunefront.search.models.export import ExportRefusalError, export

    document: dict[str, Any] = {
        "variant": variant.name,
        "file": "",
        "refusal": "",
        "split": scored.split,
        "n_images": len(scored.labels),
        "accuracy": None,
        "same_class": None,
        "measures": {},
        "notes": {},
        "ends": {},
    }
    path = Path(task.folder) / f"{task.stem}{variant.suffix}"
    partial = path.with_name(f".partial-{path.name}")
    refuse_link(partial)
    began = time.perf_counter()
    try:
        export(model, variant, partial, calibration)
        document["measures"]["export_seconds"] = time.perf_counter() - began
        _measure(document, partial, variant, scored)
        if not document["refusal"]:
            partial.replace(path)
            document["file"] = path.name
    except (ExportRefusalError, RuntimeRefusalError) as error:
        document["refusal"] = str(error)
    finally:
        partial.unlink(missing_ok=True)
    if document["refusal"]:
        path.unlink(missing_ok=True)  # an earlier model's file of that name
    return document


def _measure(document: dict[str, Any], path: Path, variant: Variant, scored: _Scored) -> None:
    measured = measure_file(path, variant.runtime, scored.images)
    agreement = compare_answers(scored.keras, measured.answers, variant)
    document["refusal"] = agreement.refusal
    document["same_class"] = agreement.same_class
    document["accuracy"] = scored.accuracy(measured.answers)
    document["ends"] = measured.ends
    document["measures"] |= {
        "file_bytes": measured.n_bytes,
        "largest_difference": agreement.largest_difference,
        f"{variant.runtime}_latency_seconds": measured.latency_seconds,
        f"{variant.runtime}_latency_p95_seconds": measured.latency_p95_seconds,
        f"{variant.runtime}_peak_bytes": measured.peak_bytes,
    }
    if not document["refusal"]:
        _measure_arena(document, path, variant, scored, measured.answers)


def _measure_arena(
    document: dict[str, Any], path: Path, variant: Variant, scored: _Scored, answers: NDArray[np.float64]
) -> None:
    if not variant.runs_on_micro:
        document["notes"]["arena_bytes"] = f"tflite-micro runs no models of the kind {variant.name}"
        return
    if not is_installed("micro"):
        document["notes"]["arena_bytes"] = "not measured: install tunefront[micro]"
        return
    try:
        found = measure_file(path, "micro", scored.images[:_MICRO_IMAGES])
    except RuntimeRefusalError as error:
        document["notes"]["arena_bytes"] = str(error)
        return
    # Its kernels round int8 otherwise than LiteRT's, which adds up over many layers.
    agreement = compare_answers(answers[:_MICRO_IMAGES], found.answers, variant)
    if agreement.refusal:
        document["notes"]["arena_bytes"] = f"tflite-micro answers otherwise than LiteRT: {agreement.refusal}"
        return
    assert found.arena is not None
    document["measures"] |= {
        "micro_largest_difference": agreement.largest_difference,
        "arena_bytes": found.arena.n_bytes,
        "arena_tensor_bytes": found.arena.tensor_bytes,
        "arena_structure_bytes": found.arena.structure_bytes,
    }
