"""The [training] and [pretrain] of a spec."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from tunefront.objectives.quantities import parse_quantity
from tunefront.search.data.sources import DataTable
from tunefront.search.spec.table import MOST_COUNTED, Seconds, Table, is_from_file
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.ranges import Fixed, IntRange, Range, parse_range, write_range
from tunefront.spaces.settings import SpaceError, extremes
from tunefront.spaces.space import Space

IMAGES_PER_STEP = 32  # of validation, whatever a candidate's batch size: all are scored on the same images
_MOST_EPOCHS = 1_000_000
DEFAULT_CACHE_BYTES = 4e9
_Epochs = Annotated[int, Field(ge=1, le=_MOST_EPOCHS)]


def _read_epochs(value: Any) -> Any:
    """Return a number of epochs, or a range of such numbers, in its shortest spelling."""
    found = parse_range(value)
    for number in extremes(found):
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= _MOST_EPOCHS:
            raise ValueError(
                f"it must be a whole number from 1 to {_MOST_EPOCHS}, a list of such numbers, or "
                "{ low = 10, high = 50 }"
            )
    return write_range(found)


def _read_cache_bytes(value: Any, info: ValidationInfo) -> float:
    """Return the bytes of ``true``, ``false`` or a size; a person must write its unit."""
    if isinstance(value, bool):
        return DEFAULT_CACHE_BYTES if value else 0.0
    if is_from_file(info) and (not isinstance(value, str) or not value.strip()[-1:].isalpha()):
        raise ValueError('it must be true, false, or a size with its unit: write "4 GB"')
    return parse_quantity(value, "bytes")


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
        epochs: The epochs of a whole training: a number, or the range that each candidate's own number comes from.
        time_limit: The limit for one trial, from start to end.
        keep_weights: The epoch whose weights are kept, and whose accuracy counts: that of the best validation accuracy
            (or least error, by the measure's direction), of the smallest validation loss, or the last one.
        validation_steps: The steps of validation after each epoch, of 32 images each and always the same ones; 0 for
            all images. The epoch that counts is scored on all of them in any case.
        tensorboard: Whether each trial writes logs for TensorBoard, beside its models.
        feature_cache: The bytes that may be taken on each machine by what frozen layers make of the data, of which
            trials train instead of computing it every epoch; 0 stores nothing.
        feature_views: The random changes of every training image that are stored too, for candidates with augmentation:
            each epoch trains on one of them. 0 stores none, and such candidates compute everything in every epoch.
    """

    epochs: Annotated[_Epochs | list[_Epochs] | dict[str, _Epochs | bool], BeforeValidator(_read_epochs)] = 12
    time_limit: Seconds = 3600.0
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    keep_weights: Literal["best", "val_loss", "last"] = "best"
    early_stopping: EarlyStoppingTable | None = None
    validation_steps: int = Field(default=0, ge=0, le=10_000_000)
    tensorboard: bool = False
    feature_cache: Annotated[float, BeforeValidator(_read_cache_bytes), Field(ge=0)] = DEFAULT_CACHE_BYTES
    feature_views: int = Field(default=0, ge=0, le=1000)

    @field_validator("feature_views")
    @classmethod
    def _check_views(cls, views: int, info: ValidationInfo) -> int:
        if views and is_from_file(info) and not info.data.get("feature_cache"):
            raise ValueError("views are stored in feature_cache, which is off: remove one of the two")
        return views

    @property
    def epochs_range(self) -> Range:
        """The range of the epochs of a whole training."""
        return parse_range(self.epochs)

    @property
    def most_epochs(self) -> int:
        """The epochs of the longest training."""
        found = self.epochs_range
        if isinstance(found, IntRange):
            return found.high - (found.high - found.low) % found.step
        return max(int(number) for number in extremes(found))

    @property
    def n_validated(self) -> int | None:
        """The images that validate each epoch; None for all."""
        return self.validation_steps * IMAGES_PER_STEP or None

    def epochs_of(self, candidate: Candidate) -> int:
        """Return the epochs of a candidate's training: its own number, or the most if it has none."""
        return candidate.epochs or self.most_epochs


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

    @field_validator("training")
    @classmethod
    def _check_training(cls, table: TrainingTable) -> TrainingTable:
        if not isinstance(table.epochs_range, Fixed):
            raise SpaceError("pretrain.training.epochs", f"a pretraining has one candidate: write {table.most_epochs}")
        return table

    @field_validator("space")
    @classmethod
    def _check_space(cls, table: dict[str, Any]) -> dict[str, Any]:
        try:
            Space.from_table(table)
        except SpaceError as error:
            raise SpaceError(f"pretrain.{error.key}", error.problem) from None
        return table
