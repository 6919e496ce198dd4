"""The [training] and [pretrain] of a spec."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from tunefront.search.data.sources import DataTable
from tunefront.search.spec.table import MOST_COUNTED, Seconds, Table
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space


class EarlyStoppingTable(Table):
    """The conditions under which a training ends by itself and is complete, as in Keras's callback of that name."""

    monitor: Literal[
        "loss",
        "accuracy",
        "top_5_accuracy",
        "f1_macro",
        "f1_binary",
        "precision",
        "recall",
        "auc",
        "rmse",
        "mae",
        "r2",
    ] = "loss"
    min_delta: float = Field(default=0.0, ge=0)
    patience: int = Field(default=5, ge=0, le=MOST_COUNTED)
    baseline: float | None = None


class TrainingTable(Table):
    """The training of each candidate.

    Attributes:
        time_limit: The limit for one trial, from start to end.
        keep_weights: The epoch whose weights are kept, and whose accuracy counts: that of the best validation accuracy
            (or least error, by the measure's direction), of the smallest validation loss, or the last one.
        tensorboard: Whether each trial writes logs for TensorBoard, beside its models.
    """

    epochs: int = Field(default=12, ge=1, le=1_000_000)
    time_limit: Seconds = 3600.0
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    keep_weights: Literal["best", "val_loss", "last"] = "best"
    early_stopping: EarlyStoppingTable | None = None
    tensorboard: bool = False


class PretrainTable(Table):
    """The training of `tunefront pretrain`.

    Attributes:
        weights: The file for the backbone's weights, ending in ``.weights.h5``.
        space: A [space] table with one value for everything.
    """

    weights: str = Field(pattern=r".\.weights\.h5$")
    data: DataTable
    space: dict[str, Any]
    training: TrainingTable = TrainingTable()

    @field_validator("data")
    @classmethod
    def _check_task(cls, data: DataTable) -> DataTable:
        if data.task == "regression":
            raise SpaceError("pretrain.data.task", "a backbone is pretrained on classes: leave task out here")
        return data

    @field_validator("space")
    @classmethod
    def _check_space(cls, table: dict[str, Any]) -> dict[str, Any]:
        try:
            Space.from_table(table)
        except SpaceError as error:
            raise SpaceError(f"pretrain.{error.key}", error.problem) from None
        return table
