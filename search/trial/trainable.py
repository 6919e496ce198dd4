"""A candidate as Keras objects: build, augment, compile, save. It runs in the trial process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.dataset import Dataset, Split
from tunefront.search.data.encoder import encoder_of, kept_model
from tunefront.search.data.label_scale import LabelScale
from tunefront.search.models.file_size import UNIT_OF_LABELS
from tunefront.search.spec.training import TrainingTable
from tunefront.search.trial.augmented_model import AugmentedModel, let_jax_compile, moving_layers
from tunefront.search.trial.batches import n_steps
from tunefront.search.trial.loss import NumberLoss, TrainingLoss, balanced_weights
from tunefront.spaces.augmentation.levels import build_augmentation
from tunefront.spaces.augmentation.mixing import build_mixing
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.freezing import find_backbone, freeze
from tunefront.spaces.kernels import kernels_of, without_decay
from tunefront.spaces.optimizers import build_optimizer
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.schedules import build_learning_rate
from tunefront.spaces.space import Space


@dataclass(frozen=True)
class Shortcut:
    """What a frozen prefix of a network makes of every example, and the rest of the network.

    Attributes:
        rest: The model from features to the network's outputs, with the network's own layers.
        features: Shape (n, ...), of all examples in their order in the dataset's arrays.
        views: Number of a view, from 1 -> features of the training examples as they were changed at random. Only views
            that epochs behind this shortcut see are there; none if epochs train on the features themselves.
        n_views: The number of views that the epochs of the whole training see by turns.
    """

    rest: Any
    features: NDArray[Any]
    views: Mapping[int, NDArray[Any]] = field(default_factory=dict)
    n_views: int = 0


@dataclass
class Trainable:
    """A candidate as Keras objects. It becomes another one where settings change during its training.

    Attributes:
        model: The model on the dataset's values, such as raw pixels: probabilities or numbers out, no augmentation.
        trained: The model that `fit` runs on: the same weights behind the augmentation.
        loss: The loss of the training.
        kept: The model that is saved: `model` itself, or with its weights behind lookups that take a table's raw
            columns.
        backbone: The part of the model that freeze fractions apply to; None if there is none. A user's own model has
            none: the user decides what is frozen there, whatever its layers and settings are called.
        seed: The seed that it was first built with.
        remake: The function that builds another candidate, with another seed, on the same data.
        shortcuts: What finds the shortcut of a phase, once it is frozen as it trains; None takes none.
        shortcut: The shortcut that `trained` is the rest behind; None if it takes the dataset's values.
        first: The candidate that it was first built as, with those that follow it.
        whole: What `trained` is without a shortcut.
    """

    candidate: Candidate
    model: Any
    trained: Any
    loss: TrainingLoss | NumberLoss
    kept: Any
    backbone: Any = None
    seed: int = 0
    remake: Callable[[Candidate, int], Trainable] | None = None
    shortcuts: Callable[[Trainable], Shortcut | None] | None = None
    shortcut: Shortcut | None = None
    first: Candidate = field(init=False)
    whole: Any = field(init=False)

    def __post_init__(self) -> None:
        self.first = self.candidate
        self.whole = self.trained

    def made_again(self, candidate: Candidate, seed: int) -> Trainable:
        """Build another candidate on the same data.

        Raises:
            ValueError: If this one was not built, but put together.
        """
        if self.remake is None:
            raise ValueError("a trainable that was not built cannot change its settings")
        return self.remake(candidate, seed)

    def become(self, other: Trainable) -> None:
        """Take over what `other` is, but for seed and first candidate: whoever holds this one then trains that."""
        for one in fields(self):
            if one.name not in ("seed", "first"):
                setattr(self, one.name, getattr(other, one.name))

    @property
    def optimizer(self) -> Any:
        """The compiled optimizer, with its state."""
        return self.trained.optimizer

    @property
    def predictor(self) -> Any:
        """The model that answers to what :meth:`split` gives, as `model` does to the dataset's values."""
        return self.model if self.shortcut is None else self.shortcut.rest

    def split(self, dataset: Dataset, name: str, fold: int = 0) -> Split:
        """Return a split as `trained` takes it: the dataset's values, or their features."""
        if self.shortcut is None:
            return dataset.split(name, fold)
        return dataset.split_of(self.shortcut.features, name, fold)

    def views(self, dataset: Dataset, fold: int = 0) -> dict[int, NDArray[Any]]:
        """Return number -> the training examples of each view that epochs see; 1 -> the examples without views."""
        if self.shortcut is None or not self.shortcut.views:
            return {1: self.split(dataset, "train", fold).images}
        return {view: dataset.split_of(one, "train", fold).images for view, one in self.shortcut.views.items()}

    def take_shortcut(self) -> None:
        """Train from here on behind the shortcut of the layers that are frozen now, if there is one."""
        self.shortcut = self.shortcuts(self) if self.shortcuts is not None else None
        self.trained = self.whole if self.shortcut is None else self.shortcut.rest


@dataclass(frozen=True)
class Phase:
    """A part of a training: its epochs, and how much of the backbone is frozen in them.

    Attributes:
        last_epoch: The last epoch of the phase; epochs count from 1.
        is_head_only: Whether the whole backbone is frozen, whatever the freeze fraction.
        rate_factor: The factor for the candidate's learning rate.
    """

    first_epoch: int
    last_epoch: int
    is_head_only: bool = False
    rate_factor: float = 1.0


def build(
    space: Space | OwnSpace, candidate: Candidate, dataset: Dataset, training: TrainingTable, seed: int, fold: int = 0
) -> Trainable:
    """Build and compile a candidate without training it; all variables exist afterwards, the optimizer's too.

    The optimizer is that of the last phase, because the kept model is saved with it.
    """
    keras.config.set_dtype_policy(training.precision)
    model = space.build(candidate, dataset.image_shape, dataset.n_outputs, encoder_of(dataset, fold))
    let_jax_compile(moving_layers(model))
    loss = _loss(candidate, dataset, fold)
    if isinstance(loss, NumberLoss):
        model = in_unit_of_labels(model, loss.scale, dataset.image_shape)
    _regularize(model, candidate.l1, candidate.l2)
    layers = build_augmentation(candidate.augmentation_settings, seed)
    mixing = build_mixing(candidate.augmentation_settings, seed)
    trained = model
    if layers or mixing:
        trained = AugmentedModel(model, layers, mixing, loss)
        trained.build((None, *dataset.image_shape))
    backbone = find_backbone(model) if isinstance(space, Space) else None
    kept = kept_model(model, dataset, fold)

    def remake(other: Candidate, other_seed: int) -> Trainable:
        return build(space, other, dataset, training, other_seed, fold)

    trainable = Trainable(candidate, model, trained, loss, kept, backbone, seed, remake)
    n_train = len(dataset.split("train", fold).labels)
    compile_for(trainable, phases(trainable, training.epochs_of(candidate))[-1], n_train)
    return trainable


def in_unit_of_labels(model: Any, scale: LabelScale, input_shape: tuple[int, ...]) -> Any:
    """Return a model that answers in the unit of the labels, behind one that answers in standard deviations.

    The layers of a functional or sequential model are taken over, so that its backbone stays where it was; a model with
    a `call` of its own becomes one layer. The last layer computes in float32 under mixed precision too.
    """
    if type(model).__module__.partition(".")[0] == "keras" and model.inputs:  # not a class of the user's own
        inputs, outputs = model.inputs, model.outputs[0]
    else:
        inputs = keras.Input(input_shape)
        outputs = model(inputs)
    scaling = keras.layers.Rescaling(scale.deviation, scale.mean, dtype="float32", name=UNIT_OF_LABELS)
    return keras.Model(inputs, scaling(outputs), name=model.name)


def phases(trainable: Trainable, epochs: int) -> tuple[Phase, ...]:
    """Return one phase, or two if a backbone has ``head_epochs``: the head alone, then fine-tuning at a lower rate."""
    settings = trainable.candidate.architecture_settings
    n_head = min(int(settings.get("head_epochs", 0)), epochs - 1) if trainable.backbone is not None else 0
    if n_head <= 0:
        return (Phase(1, epochs),)
    factor = float(settings["fine_tuning_rate"])
    return (Phase(1, n_head, is_head_only=True), Phase(n_head + 1, epochs, rate_factor=factor))


def freeze_for(trainable: Trainable, phase: Phase) -> None:
    """Freeze the backbone, if there is one, as the phase says; a compiled model must be compiled again afterwards."""
    if trainable.backbone is not None:
        settings = trainable.candidate.architecture_settings
        freeze(trainable.backbone, 1.0 if phase.is_head_only else float(settings["freeze_fraction"]))


def compile_for(trainable: Trainable, phase: Phase, n_train: int) -> None:
    """Freeze as the phase says, and compile with a new optimizer whose variables exist."""
    candidate = trainable.candidate
    freeze_for(trainable, phase)
    learning_rate = build_learning_rate(
        "constant" if phase.is_head_only else candidate.schedule,
        {} if phase.is_head_only else candidate.schedule_settings,
        float(candidate.optimizer_settings["learning_rate"]) * phase.rate_factor,
        n_steps(n_train, candidate.batch_size, candidate.steps_per_epoch),
        phase.last_epoch - phase.first_epoch + 1,
    )
    trainable.take_shortcut()
    optimizer = build_optimizer(candidate.optimizer, candidate.optimizer_settings, learning_rate)
    optimizer.exclude_from_weight_decay(without_decay(trainable.model))
    _compile(trainable.trained, optimizer, trainable.loss, candidate.output)
    trainable.optimizer.build(trainable.trained.trainable_variables)  # under mixed_float16 it is Keras's wrapper


def compile_again(trainable: Trainable) -> None:
    """Compile what was compiled for its phase once more, with the same optimizer, behind its shortcut if it has one."""
    optimizer = trainable.optimizer
    trainable.take_shortcut()
    _compile(trainable.trained, optimizer, trainable.loss, trainable.candidate.output)


def _compile(model: Any, optimizer: Any, loss: keras.losses.Loss | str, output: str) -> None:
    # A metric given by name makes its variables while the first step is traced, so that TensorFlow traces that step
    # a second time. A metric object has its variables before.
    metrics: list[Any]
    if output == "linear":
        metrics = [keras.metrics.RootMeanSquaredError(name="rmse"), keras.metrics.MeanAbsoluteError(name="mae")]
    else:
        kind = keras.metrics.BinaryAccuracy if output == "sigmoid" else keras.metrics.SparseCategoricalAccuracy
        metrics = [kind(name="accuracy")]
    model.compile(optimizer=optimizer, loss=loss, metrics=metrics)


def _loss(candidate: Candidate, dataset: Dataset, fold: int) -> TrainingLoss | NumberLoss:
    if dataset.task == "regression":
        return NumberLoss(candidate.loss, LabelScale.of(dataset.numbers("train", fold)))
    weights: list[float] = []
    if candidate.class_weights == "balanced":
        targets = targets_of(candidate, dataset, dataset.split("train", fold).labels)
        weights = balanced_weights(np.bincount(targets, minlength=dataset.n_outputs).tolist())
    return TrainingLoss(dataset.n_outputs, candidate.label_smoothing, weights)


def targets_of(candidate: Candidate, dataset: Dataset, labels: NDArray[Any]) -> NDArray[Any]:
    """Return the labels that the loss gets: class numbers, or for one sigmoid unit 1 for the positive class, else 0.

    Numbers to predict become a column, shape (n, 1), as the outputs are.
    """
    if candidate.output == "linear":
        return np.asarray(labels, np.float32)[:, np.newaxis]
    if candidate.output == "sigmoid":
        return np.asarray(labels == dataset.positive_class, np.int64)
    return labels


def _regularize(model: Any, l1: float, l2: float) -> None:
    """Penalize the kernels of all layers."""
    if l1 or l2:
        for kernel in kernels_of(model):
            kernel.regularizer = keras.regularizers.L1L2(l1, l2)


def save(trainable: Trainable, path: str) -> None:
    """Save the model without its augmentation, with its optimizer's state, as one ``.keras`` file.

    Any Keras can load the file, because its loss and metric are Keras's own. The model is compiled again even if it
    was trained itself: under ``mixed_float16`` Keras would describe the optimizer that it was given, but store the
    wrapper that it put around it.
    """
    candidate = trainable.candidate
    loss = "binary_crossentropy" if candidate.output == "sigmoid" else "sparse_categorical_crossentropy"
    if isinstance(trainable.loss, NumberLoss):
        loss = trainable.loss.in_unit_of_labels()
    for model in dict.fromkeys((trainable.model, trainable.kept)):
        _compile(model, trainable.optimizer, loss, candidate.output)
    trainable.kept.save(path)
