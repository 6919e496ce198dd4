"""The seeds of a confirmed candidate in one process, which train with the step that the first of them compiled."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator

import keras

from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.trial.batches import n_steps
from tunefront.search.trial.messages import TrialTask
from tunefront.search.trial.resumption.variables import described, variable_groups
from tunefront.search.trial.trainable import Trainable
from tunefront.spaces.own import OwnSpace


class Seeds:
    """The seeds of one candidate that this process trains, one after another.

    Attributes:
        is_first: Whether none has been trained yet, so that memory is that of one training.
    """

    def __init__(self) -> None:
        self._first: Trainable | None = None

    @property
    def is_first(self) -> bool:
        return self._first is None

    def begin(self, build: Callable[[], Trainable]) -> Trainable:
        """Return what trains the next seed: what is built, or the first one with all variables of what is built.

        Args:
            build: Builds as in a process of its own, after the seed was set: layers draw their weights and seeds from
                Python's random numbers, and none by its name, which is another one here.

        Raises:
            ValueError: If the network has other variables than the first one.
        """
        if self._first is None:
            self._first = build()
            return self._first
        # What was built refers to itself, and would keep its memory until garbage is collected. That is quick where all
        # that stays is left out.
        gc.collect()
        gc.freeze()
        _take_over(self._first, build())
        gc.collect()
        return self._first


def _take_over(first: Trainable, built: Trainable) -> None:
    if described(built) != described(first):
        raise ValueError("another seed of the candidate has another network")
    mine, new = variable_groups(first), variable_groups(built)
    for group, variables in mine.items():
        for variable, initial in zip(variables, new[group], strict=True):
            variable.assign(initial.value)


@contextlib.contextmanager
def stay_compiled(trainable: Trainable) -> Iterator[None]:
    """Undo afterwards what compiling a training's models anew inside has changed: saving them does."""
    models = (trainable.model, trainable.kept)
    before = [dict(vars(model)) for model in models]
    try:
        yield
    finally:
        for model, attributes in zip(models, before, strict=True):
            vars(model).update(attributes)


def may_be_followed(task: TrialTask, spec: StudySpec) -> bool:
    """Return whether the process of a trial may train another seed of its candidate next.

    Equality was shown on the CPU, by TensorFlow, for networks with weights of their own that one `fit` trains on plain
    examples. Of fewer than three batches, or of one epoch, compiling is not told from training. Exporting, folds,
    stored features and changes of settings would build more than one network.
    """
    candidate = task.candidate
    settings = candidate.architecture_settings
    return (
        task.may_be_followed
        and keras.backend.backend() == "tensorflow"
        and task.slot.gpu_uuid is None
        and not task.resume_from
        and not task.turns
        and not task.log_folder
        and not task.dataset.folds
        and not candidate.later
        and not spec.deployment_measures
        and spec.training.precision != "mixed_bfloat16"
        and not isinstance(spec.parsed_space(), OwnSpace)
        and settings.get("weights", "none") == "none"
        and not settings.get("head_epochs")
        and spec.training.epochs_of(candidate) > 1
        and n_steps(task.dataset.n_train, candidate.batch_size, candidate.steps_per_epoch) > 2
    )
