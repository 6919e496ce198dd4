"""The spec of a study: what a TOML file may say, and clear errors where it is wrong."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from objectives import AXES, DEFAULT_MEASURES, MEASURES, Axis, Objective, Unit, parse_quantity
from search.data.sources import DataTable
from search.spec_errors import SpecError, explain
from spaces import OwnSpace, Space, SpaceError
from spaces.settings import nearest


def _quantity(unit: Unit) -> BeforeValidator:
    return BeforeValidator(lambda value: parse_quantity(value, unit))


Seconds = Annotated[float, _quantity("seconds"), Field(gt=0)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ObjectiveTable(_Table):
    """One axis: which measure stands for it, and limits a model must keep to be on the front."""

    measure: str
    at_least: Any = None  # a number or a text with a unit: read in objective(), where the unit is known
    at_most: Any = None

    def objective(self, axis: Axis) -> Objective:
        """The same with its limits as numbers of the measure's unit.

        Raises:
            SpaceError: If a limit is no such quantity.
        """
        limits = {"at_least": self.at_least, "at_most": self.at_most}
        measure = MEASURES[self.measure]
        for name, limit in limits.items():
            try:
                limits[name] = None if limit is None else parse_quantity(limit, measure.unit)
            except ValueError as error:
                raise SpaceError(f"objectives.{axis}.{name}", str(error)) from None
        return Objective(measure, limits["at_least"], limits["at_most"])


class ObjectivesTable(_Table):
    """The axes that count. One that is left out is still measured and reported."""

    accuracy: ObjectiveTable | None = None
    memory: ObjectiveTable | None = None
    time: ObjectiveTable | None = None

    @field_validator("accuracy", "memory", "time", mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"measure": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check(self) -> ObjectivesTable:
        if not self.present():
            raise ValueError("name at least one of accuracy, memory and time")
        for axis, table in self.present().items():
            _check_measure(axis, table.measure)
            _check_limits(axis, table.objective(axis))
        return self

    def present(self) -> dict[Axis, ObjectiveTable]:
        """The axes that are objectives, in the order of AXES."""
        tables: dict[Axis, ObjectiveTable | None] = {
            "accuracy": self.accuracy,
            "memory": self.memory,
            "time": self.time,
        }
        return {axis: table for axis, table in tables.items() if table is not None}


def _check_measure(axis: Axis, name: str) -> None:
    fitting = [measure.name for measure in MEASURES.values() if measure.axis == axis]
    if name in MEASURES and name not in fitting:
        raise SpaceError(
            f"objectives.{axis}", f"{name!r} measures {MEASURES[name].axis}. Known here: {', '.join(fitting)}"
        )
    if name not in fitting:
        raise SpaceError(f"objectives.{axis}", f"there is no measure {name!r}. {nearest(name, fitting)}")


def _check_limits(axis: Axis, objective: Objective) -> None:
    """Refuse limits that no model can keep."""
    low, high = objective.at_least, objective.at_most
    key = f"objectives.{axis}"
    largest = 1.0 if objective.measure.unit == "fraction" else float("inf")
    if low is not None and high is not None and low > high:
        raise SpaceError(
            key, f"at_least = {low:g} is above at_most = {high:g}, which excludes everything: exchange them"
        )
    if high is not None and high <= 0:
        raise SpaceError(f"{key}.at_most", f"{high:g} excludes everything: give a limit above 0")
    if low is not None and low > largest:
        raise SpaceError(f"{key}.at_least", f"{low:g} excludes everything: {axis} is a fraction, at most 1")


class EarlyStoppingTable(_Table):
    """When a training ends by itself, as Keras's callback of that name says: it then is complete."""

    monitor: Literal["loss", "accuracy", "top_5_accuracy", "f1_macro", "f1_binary", "precision", "recall", "auc"] = (
        "loss"
    )
    min_delta: float = Field(default=0.0, ge=0)
    patience: int = Field(default=5, ge=0)
    baseline: float | None = None


class TrainingTable(_Table):
    """How each candidate is trained.

    Attributes:
        time_limit: Of one trial, from start to end.
        keep_weights: Of the epoch with the best validation accuracy, or of the last one.
        tensorboard: Whether each trial writes logs for TensorBoard, beside its models.
    """

    epochs: int = Field(default=12, ge=1)
    time_limit: Seconds = 3600.0
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    keep_weights: Literal["best", "last"] = "best"
    early_stopping: EarlyStoppingTable | None = None
    tensorboard: bool = False


class PretrainTable(_Table):
    """What `tunefront pretrain` trains.

    Attributes:
        weights: The file its backbone's weights go to, ending in ``.weights.h5``.
        space: As a study's, with one value for everything.
    """

    weights: str = Field(pattern=r".\.weights\.h5$")
    data: DataTable
    space: dict[str, Any]
    training: TrainingTable = TrainingTable()

    @field_validator("space")
    @classmethod
    def _check_space(cls, table: dict[str, Any]) -> dict[str, Any]:
        try:
            Space.from_table(table)
        except SpaceError as error:
            raise SpaceError(f"pretrain.{error.key}", error.problem) from None
        return table


class SamplerTable(_Table):
    """How candidates are chosen."""

    name: Literal["tpe", "random"] = "tpe"


class PrunerTable(_Table):
    """When a trial is stopped early."""

    name: Literal["pareto", "none"] = "pareto"
    front_loss: float = Field(default=0.05, gt=0, lt=1)
    min_epochs: int = Field(default=1, ge=1)


class StudySpec(_Table):
    """A whole study.

    Attributes:
        trials: The study ends when so many are complete or pruned.
        max_failures: It gives up when more than so many failed.
        max_refusals: It gives up when more than so many broke a limit before training.
        space: As written, a table or the name of a user's own object; :meth:`parsed_space` reads it.
        confirms: Name of the search whose finalists this study trains again, on queued candidates alone, and
            scores on the test split; None in a search. `tunefront confirm` sets it, no file may.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    seed: int = Field(default=0, ge=0, lt=2**31)
    trials: int = Field(default=30, ge=1)
    max_failures: int = Field(default=10, ge=0)
    max_refusals: int = Field(default=100, ge=0)
    objectives: ObjectivesTable = ObjectivesTable(
        accuracy=ObjectiveTable(measure="accuracy"),
        memory=ObjectiveTable(measure="model_bytes"),
        time=ObjectiveTable(measure="train_seconds"),
    )
    data: DataTable
    space: dict[str, Any] | str = {}
    training: TrainingTable = TrainingTable()
    sampler: SamplerTable = SamplerTable()
    pruner: PrunerTable = PrunerTable()
    pretrain: PretrainTable | None = None
    confirms: str | None = None

    @field_validator("space")
    @classmethod
    def _check_space(cls, table: dict[str, Any] | str) -> dict[str, Any] | str:
        _parse_space(table)
        return table

    def parsed_space(self) -> Space | OwnSpace:
        """What may vary."""
        return _parse_space(self.space)

    @property
    def accuracy_measure(self) -> str:
        """Name of the measure that accuracy means in this study."""
        return self.objectives.accuracy.measure if self.objectives.accuracy else DEFAULT_MEASURES["accuracy"]

    def parsed_objectives(self) -> dict[Axis, Objective]:
        """The objectives in the order of their values in the store."""
        return {axis: table.objective(axis) for axis, table in self.objectives.present().items()}

    def as_json(self) -> dict[str, Any]:
        """Plain data for the store; limits as numbers of their measure's unit."""
        data = self.model_dump(mode="json")
        for axis in AXES:
            data["objectives"][axis] = None
        for axis, objective in self.parsed_objectives().items():
            data["objectives"][axis] = {
                "measure": objective.measure.name,
                "at_least": objective.at_least,
                "at_most": objective.at_most,
            }
        data["objectives"] = {axis: table for axis, table in data["objectives"].items() if table is not None}
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> StudySpec:
        """The spec that :meth:`as_json` made."""
        return cls.model_validate_json(json.dumps(data))


def _parse_space(table: Mapping[str, Any] | str) -> Space | OwnSpace:
    return OwnSpace.load(table) if isinstance(table, str) else Space.from_table(table)


def read_spec(path: Path, **overrides: Any) -> StudySpec:
    """Read a spec file; `overrides` that are not None replace top-level keys.

    Raises:
        SpecError: Missing file, broken TOML, unknown key, impossible value: file, key and remedy.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        remedy = "examples/digits.toml is one to start from"
        raise SpecError(path, "", f"the spec file cannot be read ({error.__class__.__name__}): {remedy}") from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(path, "", f"this is not valid TOML: {error}") from None
    data |= {key: value for key, value in overrides.items() if value is not None}
    if "confirms" in data:
        raise SpecError(path, "confirms", "only 'tunefront confirm STUDY' sets this key: leave it out")
    try:
        return StudySpec.model_validate(data)
    except SpaceError as error:
        raise SpecError(path, error.key, error.problem) from None
    except ValidationError as error:
        raise explain(path, error, StudySpec) from None


MAY_CHANGE = ("trials", "max_failures", "max_refusals")


def differences(stored: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """What differs between two specs as JSON, a line each, but for what may change between runs."""
    kept = {key: value for key, value in stored.items() if key not in MAY_CHANGE}
    return _differences(kept, {key: value for key, value in given.items() if key not in MAY_CHANGE}, "")


def _differences(stored: Any, given: Any, key: str) -> list[str]:
    if isinstance(stored, Mapping) and isinstance(given, Mapping):
        lines = []
        for name in dict.fromkeys([*stored, *given]):
            inner = f"{key}.{name}" if key else str(name)
            lines += _differences(stored.get(name), given.get(name), inner)
        return lines
    if stored == given:
        return []
    shown = ["nothing" if value is None else json.dumps(value) for value in (stored, given)]
    return [f"{key}: the study has {shown[0]}, the file {shown[1]}"]
