"""The spec of a study: what a TOML file may say, and clear errors where it is wrong."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from tunefront.objectives.limits import Objective, read_extra_limits, read_objectives
from tunefront.objectives.measures import AXES, DEPLOYMENT_MEASURES, Axis, Task, default_measures
from tunefront.search.data.sources import DataTable
from tunefront.search.spec.checks import (
    PRUNER_OF,
    check_bohb,
    check_pbt,
    check_pbt_space,
    check_pruner,
    check_sampler,
    check_task,
)
from tunefront.search.spec.deploy import DeployTable, check_deployment, read_limits_table
from tunefront.search.spec.differences import list_differences, list_limit_changes
from tunefront.search.spec.key_places import check_space_places
from tunefront.search.spec.quality import task_of, written_axis
from tunefront.search.spec.stored_spec import with_first_defaults
from tunefront.search.spec.table import is_from_file
from tunefront.search.spec.tables import (
    ObjectivesTable,
    ParetoTable,
    PretrainTable,
    PrunerTable,
    SamplerTable,
    StopTable,
    Table,
    TpeTable,
    TrainingTable,
)
from tunefront.spaces.architectures import ARCHITECTURES
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space
from tunefront.spaces.start_candidates import start_parameters

_SPACE_OF_COLUMNS = {"architecture": "mlp", "augmentation": "none"}
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
MAX_TRIALS = 10_000_000  # no study has as many trials: a larger number is a mistake


class StudySpec(Table):
    """A whole study.

    Attributes:
        trials: The study ends when so many trials are complete or pruned.
        max_failures: The study gives up when more than so many trials failed.
        max_refusals: The study gives up when more than so many candidates broke a limit before training.
        space: The space as written, a table or the name of a user's own object; :meth:`parsed_space` reads it.
        limits: Measure -> the limit that a model must keep to be on the front; the measure need be no objective.
        start: Known good candidates, trained first; each is written like [space], with one value for a key.
        confirms: Name of the search whose finalists this study trains again, on queued candidates alone, and
            scores on the test split; None in a search. `tunefront confirm` sets it, no file may.
    """

    name: str = Field(pattern=NAME_PATTERN)
    seed: int = Field(default=0, ge=0, lt=2**31)
    trials: int = Field(default=30, ge=1, le=MAX_TRIALS)
    max_failures: int = Field(default=10, ge=0, le=MAX_TRIALS)
    max_refusals: int = Field(default=100, ge=0, le=MAX_TRIALS)
    objectives: ObjectivesTable = ObjectivesTable()
    limits: dict[str, float] = Field(default={})
    deploy: DeployTable = DeployTable()
    data: DataTable
    space: dict[str, Any] | str = Field(default={})
    training: TrainingTable = TrainingTable()
    sampler: SamplerTable = TpeTable()
    pruner: PrunerTable = ParetoTable()
    start: list[dict[str, Any]] = Field(default=[])
    stop: StopTable = StopTable()
    pretrain: PretrainTable | None = None
    confirms: str | None = Field(default=None, pattern=NAME_PATTERN)  # the name of a folder, too

    @field_validator("limits", mode="before")
    @classmethod
    def _check_limits(cls, table: Any, info: ValidationInfo) -> Any:
        return read_limits_table(table, is_from_file(info)) if isinstance(table, Mapping) else table

    @field_validator("space")
    @classmethod
    def _check_space(cls, table: dict[str, Any] | str, info: ValidationInfo) -> dict[str, Any] | str:
        if not isinstance(table, str):
            check_space_places(table)
        if "data" in info.data:  # else its own error comes first
            _parse_space(table, info.data["data"].task)
        return table

    @model_validator(mode="wrap")
    @classmethod
    def _fill_quality(cls, data: Any, handler: ModelWrapValidatorHandler[StudySpec]) -> StudySpec:
        """Give the first axis the default measure of the task, which its table does not know.

        It does not count as written, so that a file that leaves it out goes on with its study's own.
        """
        objectives = data.get("objectives", {}) if isinstance(data, Mapping) else None
        if task_of(data) == "classification" or not isinstance(objectives, Mapping) or "accuracy" in objectives:
            return handler(data)
        default = {"measure": default_measures(task_of(data))["accuracy"]}
        spec = handler({**data, "objectives": {**objectives, "accuracy": default}})
        spec.objectives.model_fields_set.discard("accuracy")
        if "objectives" not in data:
            spec.model_fields_set.discard("objectives")
        return spec

    @model_validator(mode="before")
    @classmethod
    def _add_pruner(cls, data: Any) -> Any:
        """Add the pruner that goes with some samplers, where none is named."""
        sampler = data.get("sampler") if isinstance(data, Mapping) else None
        pruner = PRUNER_OF.get(str(sampler.get("name"))) if isinstance(sampler, Mapping) else None
        return {**data, "pruner": {"name": pruner}} if pruner and "pruner" not in data else data

    @model_validator(mode="before")
    @classmethod
    def _fit_space_to_columns(cls, data: Any) -> Any:
        """Add what a space for a table of columns has where it says nothing: dense networks, and no augmentation."""
        table = data.get("data") if isinstance(data, Mapping) else None
        space = data.get("space", {}) if isinstance(data, Mapping) else None
        if isinstance(table, Mapping) and table.get("source") == "columns" and isinstance(space, Mapping):
            return {**data, "space": {**_SPACE_OF_COLUMNS, **space}}
        return data

    @model_validator(mode="after")
    def _check_together(self, info: ValidationInfo) -> StudySpec:
        if (info.context or {}).get("is_alone"):
            return self
        check_deployment(self.deploy.precision, self.deployment_measures)
        check_task(self.data.task, self.parsed_objectives(), self.training)
        check_bohb(self.sampler, self.pruner, list(self.objectives.present()), self.axis_names)
        check_pbt(self)
        check_pruner(self.pruner, list(self.objectives.present()), self.training.most_epochs, self.axis_names)
        if not isinstance(self.space, str):  # a user's own space is checked later: reading a spec runs nobody's code
            self.check_candidates()
        return self

    def check_candidates(self) -> None:
        """Check sampler and start candidates against the space. This runs the code of a space of the user's own.

        Raises:
            SpaceError: Names the key and the remedy.
        """
        space = self.parsed_space()
        if isinstance(space, OwnSpace):
            space.load()
        check_sampler(self.sampler, list(self.objectives.present()), space, self.axis_names)
        check_pbt_space(self.sampler, space)
        self.start_parameters()

    def start_parameters(self) -> list[dict[str, Any]]:
        """Return the parameters that each ``[[start]]`` table gives: ``group.name`` -> value."""
        space = self.parsed_space()
        return [start_parameters(space, table, number) for number, table in enumerate(self.start, start=1)]

    def parsed_space(self) -> Space | OwnSpace:
        """Return the space. If it is the user's own, its code runs when a candidate is asked for, not before."""
        return _parse_space(self.space, self.data.task).with_epochs(self.training.epochs_range)

    @property
    def axis_names(self) -> dict[Axis, str]:
        """The name of each axis in a file of this study, and for people."""
        return {axis: written_axis(axis, self.data.task) for axis in AXES}

    @property
    def takes_images(self) -> bool:
        """Whether the space has networks that take images; a user's own space, and dense networks, take any values."""
        space = self.parsed_space()
        return isinstance(space, Space) and any(
            ARCHITECTURES[name].takes_images for name in space.families["architecture"]
        )

    @property
    def accuracy_measure(self) -> str:
        """The name of the measure that accuracy, or quality, means in this study."""
        default = default_measures(self.data.task)["accuracy"]
        return self.objectives.accuracy.measure if self.objectives.accuracy else default

    def parsed_objectives(self) -> dict[Axis, Objective]:
        """Return the objectives in the order of their values in the store, with all limits on their measures."""
        return read_objectives(self.as_json())

    def extra_limits(self) -> list[Objective]:
        """Return the limits on measures that are no objectives, those of a device among them."""
        return read_extra_limits(self.as_json())

    @property
    def deployment_measures(self) -> list[str]:
        """The measures of the exported file that are objectives or have a limit."""
        names = [table.measure for table in self.objectives.present().values()] + list(self.limits)
        names += ["litert_bytes", "arena_bytes"] if self.deploy.device is not None else []
        return [name for name in DEPLOYMENT_MEASURES if name in names]

    def as_json(self) -> dict[str, Any]:
        """Return plain data for the store: limits as numbers in their measure's unit, no dropped axes, all ranges."""
        data = self.model_dump(mode="json")
        space = self.parsed_space()
        if isinstance(space, Space):
            data["space"] = space.as_table()
        for axis in AXES:
            data["objectives"][axis] = None
        for axis, table in self.objectives.present().items():
            objective = table.objective(axis)
            data["objectives"][axis] = {
                "measure": objective.measure.name,
                "at_least": objective.at_least,
                "at_most": objective.at_most,
                "tolerance": objective.tolerance,
            }
        data["objectives"] = {axis: table for axis, table in data["objectives"].items() if table is not None}
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> StudySpec:
        """Return the spec that :meth:`as_json` made."""
        filled = with_first_defaults(_with_dropped_axes(_without_idle_settings(data)))
        return cls.model_validate_json(json.dumps(filled))


def _with_dropped_axes(data: Mapping[str, Any]) -> dict[str, Any]:
    """Mark the axes that a stored spec leaves out as dropped; in a file, such an axis has its default measure."""
    if "objectives" not in data:
        return dict(data)
    return {**data, "objectives": {**dict.fromkeys(AXES, False), **data["objectives"]}}


def _without_idle_settings(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored spec without the ``pareto`` settings that its pruner ``none`` had in earlier versions."""
    is_idle = data.get("pruner", {}).get("name") == "none"
    return {**data, "pruner": {"name": "none"}} if is_idle else dict(data)


def _parse_space(table: Mapping[str, Any] | str, task: Task) -> Space | OwnSpace:
    return OwnSpace.parse(table, task) if isinstance(table, str) else Space.from_table(table, task)


def differences(stored: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Return what differs between two specs as JSON, a line each, but for limits and what may change between runs.

    Keys that an older tunefront did not know, and so did not store, have their defaults.
    """
    return list_differences(_with_todays_keys(stored), given)


def limit_changes(stored: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Return the limits that differ between two specs as JSON without other :func:`differences`, a line each."""
    return list_limit_changes(_with_todays_keys(stored), given)


def _with_todays_keys(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    with contextlib.suppress(ValidationError, SpaceError):  # a spec that cannot be read is compared as it is
        return StudySpec.from_json(stored).as_json()
    return stored
