"""The answers of models to each image: of a confirmation's trainings, and of a search's kept models.

Confirmed models are compared by them image by image, and reports show which classes a model takes for which.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from dataclasses import replace as changed
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tunefront.storage.database import schema
from tunefront.storage.open_study import OpenStudy


@dataclass(frozen=True)
class ClassCurve:
    """How well a class's probability tells it from the rest.

    Attributes:
        auc: The area under the ROC curve, of all images.
        average_precision: The area under the steps of the precision-recall curve, of all images.
        roc: The false and the true positive rates of the points that draw the curve; empty if it is not drawn.
        precision_recall: The recalls and the precisions of the points that draw the steps; empty if it is not drawn.
    """

    auc: float
    average_precision: float
    roc: Sequence[Sequence[float]] = ()
    precision_recall: Sequence[Sequence[float]] = ()


@dataclass(frozen=True)
class Answers:
    """The answers of one training to the images of one split, an entry for each image in the dataset's order.

    Attributes:
        labels: The right class of each image, or the number to predict.
        chosen: The class that was chosen, or the predicted number.
        in_top_5: 1 where the right class is among the five most probable; empty unless top-5 accuracy is the objective.
        ranks: Class -> the place of each image by that class's probability, from 0; equal probabilities have one place.
            Filled only where the AUC is the objective, and only for the classes that the AUC is computed for.
        curves: Class -> its curves. Filled only for what reports show: a search's kept models, and test images.
        calibration: The bins of a reliability diagram, the least confident answers first: number of examples, how many
            are right, mean confidence. Filled where `curves` are.
    """

    labels: Sequence[float]
    chosen: Sequence[float]
    in_top_5: Sequence[int] = ()
    ranks: Mapping[str, Sequence[int]] = field(default_factory=dict)
    curves: Mapping[str, ClassCurve] = field(default_factory=dict)
    calibration: Sequence[Sequence[float]] = ()

    @classmethod
    def of_fields(cls, fields: Mapping[str, Any]) -> Answers:
        """Return the answers that JSON data has.

        Raises:
            TypeError: If a field is missing or unknown.
        """
        found = cls(**fields)
        return changed(found, curves={name: ClassCurve(**curve) for name, curve in fields.get("curves", {}).items()})


def replace(connection: Connection, study_id: int, number: int, answers: Mapping[str, Answers]) -> None:
    """Write a trial's answers, by split, in place of its earlier ones. The caller holds the trial's lease."""
    table = schema.answers
    connection.execute(table.delete().where((table.c.study_id == study_id) & (table.c.number == number)))
    for split, found in answers.items():
        row = {"study_id": study_id, "number": number, "split": split, "content": _pack(found)}
        connection.execute(table.insert().values(**row))


def load(study: OpenStudy, split: str) -> dict[int, Answers]:
    """Read the answers of the study's trials to the images of `split`; empty where an older tunefront stored none."""
    table = schema.answers
    with study.store.engine.connect() as connection:
        if not sa.inspect(connection).has_table(table.name):
            return {}
        query = sa.select(table.c.number, table.c.content).where(
            (table.c.study_id == study.study_id) & (table.c.split == split)
        )
        return {number: _unpack(content) for number, content in connection.execute(query)}


def _pack(answers: Answers) -> bytes:
    """Compress answers. Labels and chosen classes are nearly equal, so side by side they take little more than one."""
    fields = {name: value for name, value in asdict(answers).items() if value}
    return zlib.compress(json.dumps(fields, separators=(",", ":")).encode(), level=9)


def _unpack(content: bytes) -> Answers:
    return Answers.of_fields(json.loads(zlib.decompress(content)))
