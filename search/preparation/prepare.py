"""The preparation of data and the checks of a spec, in a child that has Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.examples import DataError
from tunefront.search.data.inspection.data_report import DataReport
from tunefront.search.data.sources import Source
from tunefront.search.launching.asker import Asker, Inquiry, Progress
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.study_spec import StudySpec


def check_files(path: Path | str, data: Source) -> None:
    """Check that the files of a [data] table can be read, before Keras takes many seconds to load.

    Raises:
        SpecError: Names the spec, the key and the remedy.
    """
    try:
        data.check_files()
    except DataError as error:
        raise SpecError(path, "", str(error)) from None


def prepare_study(asker: Asker, spec: StudySpec) -> tuple[Dataset, dict[str, str]]:
    """Prepare the data and check the spec against it; return the dataset and the frameworks' versions.

    Raises:
        AnswerError: If the data cannot be prepared, or the space, the limits or the training do not fit it.
    """
    inquiry = begin_preparation(asker, spec)
    while not inquiry.listen():
        pass
    return read_prepared(inquiry)


def begin_preparation(asker: Asker, spec: StudySpec) -> Inquiry:
    """Start to do what :func:`prepare_study` does, without waiting for it; :func:`read_prepared` reads the answer."""
    return asker.begin(_prepare_and_check, spec.as_json())


def read_prepared(inquiry: Inquiry) -> tuple[Dataset, dict[str, str]]:
    """Return the dataset and the frameworks' versions that a preparation has answered."""
    return Dataset.read(Path(inquiry.answer["folder"])), inquiry.answer["versions"]


def inspect_data(asker: Asker, spec: StudySpec) -> tuple[Dataset, DataReport]:
    """Prepare the data and count its contents.

    Raises:
        AnswerError: If it cannot be prepared.
    """
    answer = asker.ask(_prepare_and_inspect, spec.as_json())
    return Dataset.read(Path(answer["folder"])), DataReport.from_json(answer["report"])


def export_data(asker: Asker, spec: StudySpec, out: Path) -> dict[str, Any]:
    """Prepare the data and write it as TFRecords; return fields of :class:`tunefront.search.data.export.Exported`.

    Raises:
        AnswerError: If it cannot be prepared, or the folder cannot be written.
    """
    exported: dict[str, Any] = asker.ask(_prepare_and_export, (spec.as_json(), str(out)))
    return exported


def _prepare_and_inspect(data: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    from tunefront.search.data.inspection.inspect import inspect

    spec = StudySpec.from_json(data)
    dataset = prepare(spec.data, spec.seed, progress, are_images=spec.takes_images)
    if spec.takes_images and len(dataset.image_shape) == 3:
        from tunefront.search.preparation.pixel_checks import check_pixels

        check_pixels(dataset)
    return {"folder": dataset.folder, "report": inspect(dataset, spec.data, progress).as_json()}


def _prepare_and_export(task: tuple[Mapping[str, Any], str], progress: Progress) -> dict[str, Any]:
    from tunefront.search.data.export import export_tfrecords

    data, out = task
    spec = StudySpec.from_json(data)
    exported = export_tfrecords(
        prepare(spec.data, spec.seed, progress, are_images=spec.takes_images), Path(out), progress
    )
    return {**asdict(exported), "folder": str(exported.folder)}


def _prepare_and_check(data: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    import keras

    from tunefront.search.preparation.checks import check

    spec = StudySpec.from_json(data)
    dataset = prepare(spec.data, spec.seed, progress, are_images=spec.takes_images)
    check(spec, dataset)
    backend = keras.backend.backend()
    versions = {"keras": keras.__version__, "backend": backend, "backend_version": _version_of(backend)}
    return {"folder": dataset.folder, "versions": versions}


def _version_of(backend: str) -> str:
    import importlib

    return str(importlib.import_module(backend).__version__)
