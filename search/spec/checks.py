"""Checks that the parts of a spec fit together: sampler and pruner with the objectives and the space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from optuna.distributions import FloatDistribution, IntDistribution

from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES, Axis, Task
from tunefront.search.spec.tables import (
    BohbTable,
    CmaEsTable,
    GridTable,
    HyperbandTable,
    NoPrunerTable,
    ParetoTable,
    PatientTable,
    PbtTable,
    PrunerTable,
    SamplerTable,
    SuccessiveHalvingTable,
    TrainingTable,
)
from tunefront.spaces.grid import check_countable
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.parameters import parameters_of
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space
from tunefront.spaces.stages.changeable import DESCRIPTION, is_changeable

if TYPE_CHECKING:
    from tunefront.search.spec.study_spec import StudySpec

Names = Mapping[Axis, str]  # of the axes, as a file has them
PRUNER_OF: Mapping[str, str] = {"bohb": "hyperband", "pbt": "none"}  # sampler -> its pruner, where none is named


def check_task(task: Task, objectives: Mapping[Axis, Objective], training: TrainingTable) -> None:
    """Refuse a measure of the other task, as the objective or as what early stopping monitors.

    Raises:
        SpaceError: Names the key and the remedy.
    """
    found = {"objectives.accuracy": objectives["accuracy"].measure.name} if "accuracy" in objectives else {}
    if training.early_stopping is not None:
        found["training.early_stopping.monitor"] = training.early_stopping.monitor
    for key, name in found.items():
        if name in MEASURES and MEASURES[name].task != task:
            fitting = ", ".join(measure.name for measure in MEASURES.values() if measure.task == task)
            scored, remedy = "classes", f'task = "regression" predicts numbers. Known here: {fitting}'
            if task == "classification":
                scored = "numbers to predict"
                remedy = f'this data has classes. Known here: {fitting}; or write task = "regression" in [data]'
            raise SpaceError(key, f"{name!r} is a measure of {scored}, and {remedy}")


def check_pruner(table: PrunerTable, axes: Sequence[Axis], epochs: int, names: Names) -> None:
    """Refuse a pruner that would judge nothing: the curve is too short, or is not the one that Optuna's pruners read.

    Args:
        epochs: The epochs of the longest training.
        names: The axes as a file has them.

    Raises:
        SpaceError: Names the key and the remedy.
    """
    if isinstance(table, ParetoTable):
        _check_first("pruner", table, "min_epochs", 0, epochs)
    if isinstance(table, ParetoTable | NoPrunerTable):
        return
    remedy = 'Write name = "pareto", which stops what would not come on the front'
    if len(axes) > 1:
        raise SpaceError(
            "pruner.name",
            f"{table.name!r} looks at one objective, and this study has {len(axes)}: {_listed(axes, names)}. {remedy}"
            + (f", or {_keeping_alone('accuracy', axes, names)}" if "accuracy" in axes else ""),
        )
    if axes[0] != "accuracy":
        raise SpaceError(
            "pruner.name",
            f"{table.name!r} compares learning curves, and {axes[0]} has none: its objective is {names['accuracy']}. "
            f"{remedy}",
        )
    inner, path = (table.wrapped, "pruner.wrapped") if isinstance(table, PatientTable) else (table, "pruner")
    _check_first("pruner", table, "patience", 2, epochs)
    for key, n_later in (("n_warmup_steps", 1), ("n_startup_steps", 0), ("min_resource", 0)):
        _check_first(path, inner, key, n_later, epochs)
    if isinstance(inner, SuccessiveHalvingTable):
        n_judged = sum(inner.min_resource * inner.reduction_factor**rate < epochs for rate in range(epochs))
        if 0 < n_judged <= inner.min_early_stopping_rate:
            raise SpaceError(
                f"{path}.min_early_stopping_rate",
                f"{inner.min_early_stopping_rate} is too much for training.epochs = {epochs}: no trial would be judged "
                f"before its last epoch. Write at most {n_judged - 1}",
            )


def _check_first(path: str, table: PrunerTable | None, key: str, n_later: int, epochs: int) -> None:
    """Refuse a setting whose first judged epoch, `n_later` epochs after it, is the last one or later.

    A table without the key passes, and so does the key's default, for which a training may be too short.
    """
    field = type(table).model_fields.get(key) if table is not None else None
    value, most = getattr(table, key, 0), epochs - 1 - n_later
    if field is not None and value != field.default and value > most:
        remedy = f"Write at most {most}" if most >= 0 else "Train longer, or name another pruner"
        raise SpaceError(
            f"{path}.{key}",
            f"with {value} of training.epochs = {epochs} no trial would be judged before its last epoch: "
            f"a step is an epoch. {remedy}",
        )


def check_sampler(table: SamplerTable, axes: Sequence[Axis], space: Space | OwnSpace, names: Names) -> None:
    """Refuse a sampler that does not work with these objectives or this space.

    Raises:
        SpaceError: Names the key and the remedy.
    """
    if isinstance(table, CmaEsTable) and len(axes) > 1:
        raise SpaceError(
            "sampler.name",
            f"'cmaes' is for one objective, and this study has {len(axes)}: {_listed(axes, names)}. "
            f'Write name = "tpe", "nsga2" or "gp", or {_keeping_alone(axes[0], axes, names)}',
        )
    if isinstance(table, CmaEsTable) and not _has_numbers(space):
        raise SpaceError(
            "sampler.name",
            "'cmaes' learns numbers that every candidate has, and this space has none: lists are choices without an "
            "order, and settings count only where they are chosen. Write ranges, or name one architecture or "
            'optimizer; or write name = "tpe"',
        )
    if isinstance(table, GridTable):
        check_countable(space)


def check_bohb(sampler: SamplerTable, pruner: PrunerTable, axes: Sequence[Axis], names: Names) -> None:
    """Refuse the sampler ``bohb`` without its pruner, or where Hyperband has no one curve to compare.

    Raises:
        SpaceError: Names the key and the remedy.
    """
    if not isinstance(sampler, BohbTable):
        return
    if list(axes) != ["accuracy"]:
        remedy = (
            _keeping_alone("accuracy", axes, names)
            if "accuracy" in axes
            else f"{names['accuracy']} as the only one of [objectives], which Hyperband compares epoch by epoch"
        )
        raise SpaceError(
            "sampler.name",
            f"'bohb' is for {names['accuracy']} alone, and this study has {_listed(axes, names)}. Write "
            f'name = "tpe" with the pruner "pareto", or {remedy}',
        )
    if not isinstance(pruner, HyperbandTable):
        raise SpaceError(
            "pruner.name",
            f"the sampler 'bohb' is TPE with Hyperband, and the pruner is {pruner.name!r}: leave [pruner] out, write "
            'name = "hyperband" there, or name the sampler "tpe"',
        )


def check_pbt(spec: StudySpec) -> None:
    """Refuse what does not go with the sampler ``pbt``.

    Raises:
        SpaceError: Names the key and the remedy.
    """
    table, epochs = spec.sampler, spec.training.most_epochs
    if not isinstance(table, PbtTable):
        return
    accuracy = spec.axis_names["accuracy"]
    if "accuracy" not in spec.objectives.present():
        raise SpaceError(
            "sampler.name",
            f"'pbt' compares members by {accuracy}, which is no objective of this study: leave {accuracy} in "
            '[objectives], or write name = "tpe"',
        )
    if not isinstance(spec.pruner, NoPrunerTable):
        raise SpaceError(
            "pruner.name",
            f"the sampler 'pbt' replaces the weights of its worst members, where {spec.pruner.name!r} would stop them: "
            'leave [pruner] out, or write name = "none" there',
        )
    if spec.data.folds:
        raise SpaceError(
            "data.folds",
            "the sampler 'pbt' hands on the weights of one training, and folds are several: leave folds out, and let "
            "'tunefront confirm' repeat what was found",
        )
    if table.interval >= epochs:
        raise SpaceError(
            "sampler.interval",
            f"{table.interval} of training.epochs = {epochs} leaves no epoch after the first turn. "
            + (f"Write at most {epochs - 1}" if epochs > 1 else "Train longer"),
        )
    if table.population > spec.trials:
        raise SpaceError(
            "sampler.population",
            f"{table.population} is more than trials = {spec.trials}: each member is a trial. Write at most "
            f"{spec.trials} here, or more trials",
        )


def check_pbt_space(table: SamplerTable, space: Space | OwnSpace) -> None:
    """Refuse a space of which the sampler ``pbt`` could change nothing.

    Raises:
        SpaceError: Names the key and the remedy.
    """
    if not isinstance(table, PbtTable):
        return
    found = parameters_of(space).distributions
    varying = [name for name, each in found.items() if is_changeable(name) and not each.single()]
    if not varying:
        raise SpaceError(
            "sampler.name",
            f"'pbt' changes {DESCRIPTION} during a training, and each of them has one value in this space: give one a "
            'range in [space], or write name = "random"',
        )


def _listed(axes: Sequence[Axis], names: Names) -> str:
    return ", ".join(names[axis] for axis in axes)


def _keeping_alone(kept: Axis, axes: Sequence[Axis], names: Names) -> str:
    """Return what to write to make `kept` the only objective, because axes left out have their default measure."""
    return f"{' and '.join(f'{names[axis]} = false' for axis in axes if axis != kept)} in [objectives]"


def _has_numbers(space: Space | OwnSpace) -> bool:
    parameters = parameters_of(space)
    found = (parameters.distributions[name] for name in parameters.always)
    return any(isinstance(one, IntDistribution | FloatDistribution) and not one.single() for one in found)
