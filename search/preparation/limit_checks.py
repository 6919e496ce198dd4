"""Checks, in a child with Keras, of limits that are known before training: whether some candidate keeps them."""

from __future__ import annotations

from tunefront.mistakes import TunefrontError
from tunefront.objectives.quantities import format_quantity
from tunefront.search.data.dataset import Dataset
from tunefront.search.launching.asker import CheckError
from tunefront.search.spec.study_spec import StudySpec
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.space import Space

_N_PROBED = 20  # candidates that are built to find out whether a limit excludes everything
_N_EXPORTED = 8  # candidates that are exported for that, which takes a second or two each


def check_deployment(spec: StudySpec) -> None:
    """Refuse measures of exported files where Keras's backend cannot export.

    Raises:
        CheckError: Names the measure and the remedy.
    """
    import keras

    backend = keras.backend.backend()
    needing = [name for name in spec.deployment_measures if name != "macs"]
    if needing and backend != "tensorflow":
        raise CheckError(
            f"{needing[0]}: Keras exports models on TensorFlow alone, and its backend is {backend}: set "
            "KERAS_BACKEND=tensorflow, or search without it and export the models with 'tunefront deploy'"
        )


def check_limits(spec: StudySpec, space: Space | OwnSpace, dataset: Dataset) -> None:
    """Build some random candidates if a limit is known before training, and refuse limits that exclude all of them.

    Raises:
        CheckError: Names the limit and what the candidates have.
    """
    objectives = spec.parsed_objectives().items()
    limits = [(f"objectives.{axis}", objective) for axis, objective in objectives]
    limits += [(f"limits.{limit.measure.name}", limit) for limit in spec.extra_limits()]
    limits = [(k, one) for k, one in limits if one.has_limit and one.measure.is_known_before_training]
    if not limits:
        return
    import optuna

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=spec.seed))
    found: dict[str, list[float]] = {}
    for _ in range(_N_PROBED if not spec.deployment_measures else _N_EXPORTED):
        known = _known_before_training(spec, space, space.suggest(study.ask()), dataset)
        for key, limit in limits:
            if limit.measure.name not in known:
                raise CheckError(
                    f"{key}: {limit.measure.name} of this space's networks cannot be told before training, because "
                    "they have layers whose work cannot be counted: leave this limit out"
                )
        if all(limit.violation(known[limit.measure.name]) <= 0 for _, limit in limits):
            return
        for name, value in known.items():
            found.setdefault(name, []).append(value)
    key, limit = next(
        ((key, limit) for key, limit in limits if all(limit.violation(v) > 0 for v in found[limit.measure.name])),
        limits[0],
    )
    values, unit = found[limit.measure.name], limit.measure.unit
    are = "its limit excludes" if len(limits) == 1 else "the limits together exclude"
    raise CheckError(
        f"{key}: {are} everything: of {len(values)} candidates tried, "
        f"{limit.measure.name} is {format_quantity(min(values), unit)} to "
        f"{format_quantity(max(values), unit)}. Change the limit, or the ranges in [space]"
    )


def _known_before_training(
    spec: StudySpec, space: Space | OwnSpace, candidate: Candidate, dataset: Dataset
) -> dict[str, float]:
    """Return what a candidate's network tells before it is trained.

    Raises:
        CheckError: If it cannot be exported.
    """
    from tunefront.search.trial import memory, trainable
    from tunefront.search.trial.deployed import deployed_untrained

    try:
        known = deployed_untrained(spec, candidate, dataset) if spec.deployment_measures else {}
    except TunefrontError as error:
        raise CheckError(f"{spec.deployment_measures[0]}: {error}") from error
    built = trainable.build(space, candidate, dataset, spec.training, seed=0)
    known["model_bytes"] = memory.model_bytes(built.kept, built.optimizer)
    known["weight_bytes"] = memory.weight_bytes(built.kept)
    return known
