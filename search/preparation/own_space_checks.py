"""Checks of a user's own space against the data: one candidate is built, as trials will build it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tunefront.search.data.dataset import Dataset
from tunefront.search.launching.asker import CheckError
from tunefront.search.preparation.pixel_checks import check_augmentation
from tunefront.search.spec.study_spec import StudySpec
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.schedules import monitor_problem

# Activations that answer no negative numbers, or none beyond one standard deviation.
_BOUNDED_ACTIVATIONS = ("softmax", "sigmoid", "hard_sigmoid", "tanh", "relu", "relu6", "softplus", "exponential")


def probe(spec: StudySpec, space: OwnSpace, dataset: Dataset) -> None:
    """Build one candidate of a user's own space, so that its errors are found now.

    Raises:
        CheckError: Names the space and the remedy.
        SpaceError: If the user's code raises or returns what cannot be trained.
    """
    import optuna

    from tunefront.search.trial import memory, trainable

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=spec.seed))
    candidate = space.suggest(study.ask())
    monitor = str(candidate.schedule_settings.get("monitor", "val_loss"))
    if monitor_problem(monitor, dataset.task):
        raise CheckError(f"space: {space.reference}: monitor: {monitor_problem(monitor, dataset.task)}")
    if candidate.output == "sigmoid" and dataset.n_outputs != 2:
        raise CheckError(f"{space.reference}: output 'sigmoid' is for two classes, and there are {dataset.n_outputs}")
    check_augmentation(f"space: {space.reference}", candidate.augmentation_settings, dataset)
    built = trainable.build(space, candidate, dataset, spec.training, seed=0)
    try:
        memory.model_bytes(built.kept, built.optimizer)
    except Exception as error:  # a user's own layers may raise anything
        raise CheckError(
            f"space: {space.reference}: build returned a model that cannot be saved ({type(error).__name__}). "
            "Build it of Keras layers, functional or sequential, or give its classes get_config"
        ) from error
    if dataset.task == "regression":
        _check_number_head(space, space.build(candidate, dataset.image_shape, 1))
    else:
        _check_probabilities(space, built.model, dataset)


def _check_number_head(space: OwnSpace, model: Any) -> None:
    """Refuse a last layer whose activation cannot answer the numbers that it must: on both sides of their mean."""
    activation = getattr(getattr(model.layers[-1], "activation", None), "__name__", "") if model.layers else ""
    if activation in _BOUNDED_ACTIVATIONS:
        raise CheckError(
            f"space: {space.reference}: build returned a model that ends with the activation {activation!r}, and it "
            "must answer one standardised number, of any size and sign: end it with keras.layers.Dense(n_outputs)"
        )


def _check_probabilities(space: OwnSpace, model: Any, dataset: Dataset) -> None:
    """Refuse logits, because the loss takes outputs for probabilities, so that the model would learn nothing."""
    from tunefront.search.trial.batches import predict

    answers = predict(model, dataset.split("validation").images[:8], batch_size=8)
    sums = answers.sum(axis=1)
    # Half precision has three digits. NaN passes, because the training reports a loss that is NaN.
    if (np.abs(sums - 1) > 0.05).any() or (answers < -0.001).any():
        raise CheckError(
            f"space: {space.reference}: build returned a model whose outputs are no probabilities: for an image they "
            f"go from {answers.min():.3g} to {answers.max():.3g}, and add up to {sums[np.abs(sums - 1).argmax()]:.3g}. "
            'End it with activation="softmax", or "sigmoid" where output is that'
        )
