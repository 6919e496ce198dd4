"""Heads on features on JAX, and two ways to train them: by tunefront's `fit`, and as one compiled program."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jax
import keras
import numpy as np
from jax import numpy as jnp
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from tunefront.search.data.dataset import Dataset
from tunefront.search.spec.training import TrainingTable
from tunefront.search.trial.fit import fit
from tunefront.search.trial.goal import EpochResult, Goal
from tunefront.search.trial.loss import TrainingLoss
from tunefront.search.trial.trainable import Phase, Trainable, compile_for
from tunefront.spaces.candidate import Candidate

N_FEATURES = 1280  # as MobileNetV2 has behind its global pooling
N_CLASSES = 10
N_VALIDATION = 1024
N_FIRST_DIGITS = 1400  # training examples are made of these, validation examples of the other 397
NOISE = 0.3  # standard deviation, of pixels from 0 to 1
EPOCHS = 10  # of a head, whose seconds are told; fewer are timed


@dataclass(frozen=True)
class Head:
    """What one head differs in from others."""

    seed: int
    learning_rate: float
    dropout: float

    @classmethod
    def numbered(cls, number: int) -> Head:
        """Return one of the heads: learning rates from 3e-4 to 1e-2, two dropout rates by turns."""
        return cls(number + 1, 3e-4 * (1e-2 / 3e-4) ** (number % 8 / 7), (0.2, 0.5)[number % 2])


@dataclass(frozen=True)
class Work:
    """What is trained alike by all heads.

    Attributes:
        dense_units: The units of the dense layer before the dropout; 0 for none.
        order: ``own`` order of batches for each head, or one that is ``shared``.
    """

    dense_units: int
    batch_size: int
    n_train: int
    order: str = "own"


class TracedDropout(keras.layers.Layer):
    """Keras's dropout, with a rate that is a variable; equal seeds and rates give equal masks."""

    def __init__(self) -> None:
        super().__init__(name="dropout")
        self.seed_generator = keras.random.SeedGenerator(0)
        self.keep = self.add_weight(shape=(), initializer="ones", trainable=False, name="keep")

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        keep = self.keep.value
        mask = jax.random.bernoulli(self.seed_generator.next(), p=keep, shape=inputs.shape)
        return jax.lax.select(mask, inputs / keep, jnp.zeros_like(inputs))


class State(NamedTuple):
    """The state of one head, or of several stacked along a first axis.

    Attributes:
        others: The variables that no gradient changes: the dropout's seed and rate.
        optimizer: The optimizer's variables, the learning rate among them.
        best_weights: The weights after the epoch of the best validation accuracy, which a trial keeps.
    """

    weights: list[Any]
    others: list[Any]
    optimizer: list[Any]
    best_weights: list[Any]
    best_accuracy: Any


class Told(NamedTuple):
    """What an epoch tells of each head."""

    loss: Any
    validation_loss: Any
    accuracy: Any


def write_data(folder: Path, n_train: int) -> Dataset:
    """Write features and labels as tunefront keeps them."""
    digits, rng = load_digits(), np.random.default_rng(0)
    images, labels = digits.data / 16, digits.target
    mixed, projection = rng.permutation(len(labels)), rng.normal(size=(images.shape[1], N_FEATURES)) / 8
    parts = ((mixed[:N_FIRST_DIGITS], n_train), (mixed[N_FIRST_DIGITS:], N_VALIDATION))
    rows = np.concatenate([rng.choice(digits, n) for digits, n in parts])
    noisy = images[rows] + rng.normal(scale=NOISE, size=(len(rows), images.shape[1]))
    folder.mkdir()
    np.save(folder / "images.npy", np.maximum(noisy @ projection, 0).astype(np.float32))
    np.save(folder / "labels.npy", labels[rows])
    names = tuple(map(str, digits.target_names))
    return Dataset(str(folder), "npz", "0" * 16, names, (N_FEATURES,), n_train, N_VALIDATION, 0)


def build(work: Work, dropout: Any) -> Trainable:
    """Build and compile a head as a trial does."""
    inputs = x = keras.Input((N_FEATURES,))
    if work.dense_units:
        x = keras.layers.Dense(work.dense_units, activation="relu")(x)
    model = keras.Model(inputs, keras.layers.Dense(N_CLASSES, activation="softmax")(dropout(x)))
    candidate = Candidate("MobileNetV2", {}, "adam", {"learning_rate": 1e-3}, batch_size=work.batch_size)
    trainable = Trainable(candidate, model, model, TrainingLoss(N_CLASSES), model)
    compile_for(trainable, Phase(1, EPOCHS), work.n_train)
    return trainable


def first_weights(trainable: Trainable, head: Head) -> list[NDArray[np.float32]]:
    """Draw a head's initial weights: Keras's own distribution, by numbers of NumPy."""
    rng = np.random.default_rng(head.seed)
    shapes = [tuple(variable.shape) for variable in trainable.model.trainable_variables]
    return [
        rng.uniform(-1, 1, shape).astype(np.float32) * np.float32((6 / sum(shape)) ** 0.5)
        if len(shape) > 1
        else np.zeros(shape, np.float32)
        for shape in shapes
    ]


def first_state(trainable: Trainable, heads: Sequence[Head]) -> State:
    """Return the stacked state of heads before their first step."""
    keep = trainable.model.get_layer("dropout").keep
    others = [variable is keep for variable in trainable.model.non_trainable_variables]
    zeros = [(variable.name, np.zeros(variable.shape, variable.dtype)) for variable in trainable.optimizer.variables]

    def state(head: Head) -> State:
        weights = first_weights(trainable, head)
        return State(
            weights,
            [np.float32(1 - head.dropout) if is_keep else np.array([head.seed, 0], np.uint32) for is_keep in others],
            [np.float32(head.learning_rate) if name == "learning_rate" else value for name, value in zeros],
            weights,
            np.float32(-1),
        )

    return jax.device_put(jax.tree.map(lambda *values: np.stack(values), *map(state, heads)))


class Program:
    """The training of K heads for an epoch, compiled.

    Attributes:
        compile_seconds: The seconds of tracing and compiling.
        planned_bytes: The bytes that the compiler plans for states, data, orders and what lies between.
    """

    def __init__(self, work: Work, dataset: Dataset, heads: Sequence[Head]) -> None:
        self._work = work
        splits = [dataset.split(name) for name in ("train", "validation")]
        self._data = jax.device_put([(np.asarray(one.images), np.asarray(one.labels, np.int32)) for one in splits])
        self._trainable = build(work, TracedDropout())
        self.begin(heads)
        began = now()
        mapped = jax.vmap(epoch_of(self._trainable), in_axes=(0, 0 if work.order == "own" else None, None))
        self._program = jax.jit(mapped, donate_argnums=0).lower(self._state, self._rows, self._data).compile()
        self.compile_seconds = now() - began
        plan = self._program.memory_analysis()
        names = ("argument_size_in_bytes", "output_size_in_bytes", "temp_size_in_bytes")
        self.planned_bytes = sum(getattr(plan, name, 0) for name in names) - getattr(plan, "alias_size_in_bytes", 0)

    def begin(self, heads: Sequence[Head]) -> None:
        """Begin with heads, as many as at first."""
        self._heads = heads
        self._state = first_state(self._trainable, heads)
        self._rows = self._orders(0)

    def train(self, n_epochs: int) -> tuple[list[float], list[Told]]:
        """Train epochs; return the seconds of each, and what each told of all heads."""
        seconds, told = [], []
        for epoch in range(n_epochs):
            began = now()
            self._state, last = self._program(self._state, self._rows, self._data)
            self._rows = self._orders(epoch + 1)  # while the device works
            jax.block_until_ready((self._state, last))
            seconds.append(now() - began)
            told.append(jax.device_get(last))
        return seconds, told

    @property
    def best_weights(self) -> list[NDArray[np.float32]]:
        """The weights of each head after its best epoch so far."""
        return jax.device_get(self._state.best_weights)

    def _orders(self, epoch: int) -> Any:
        """Return the rows of each batch, shape (K, steps, batch size), in the order that trials of these seeds have."""
        work = self._work
        heads = self._heads if work.order == "own" else self._heads[:1]
        orders = [np.random.default_rng([head.seed, epoch]).permutation(work.n_train) for head in heads]
        rows = np.stack(orders).astype(np.int32).reshape(len(heads), -1, work.batch_size)
        return jax.device_put(rows if work.order == "own" else rows[0])


def epoch_of(trainable: Trainable) -> Callable[[State, Any, Any], tuple[State, Told]]:
    """Return the function that trains one head for an epoch."""
    model, optimizer, loss_of = trainable.model, trainable.optimizer, trainable.loss

    def epoch(state: State, rows: Any, data: Any) -> tuple[State, Told]:
        (features, labels), (validation, truth) = data

        def step(carried: Any, batch: Any) -> tuple[Any, Any]:
            weights, others, variables = carried

            def loss(weights: Any) -> tuple[Any, Any]:
                answers, after = model.stateless_call(weights, others, features[batch], training=True)
                return loss_of(labels[batch], answers), after

            (value, others), gradients = jax.value_and_grad(loss, has_aux=True)(weights)
            weights, variables = optimizer.stateless_apply(variables, gradients, weights)
            return (weights, others, variables), value

        carried, losses = jax.lax.scan(step, (state.weights, state.others, state.optimizer), rows)
        answers, _ = model.stateless_call(*carried[:2], validation, training=False)
        accuracy = (answers.argmax(axis=-1) == truth).mean()
        is_best = accuracy > state.best_accuracy
        best = jax.tree.map(lambda new, old: jnp.where(is_best, new, old), carried[0], state.best_weights)
        told = Told(losses.mean(), loss_of(truth, answers), accuracy)
        return State(*carried, best, jnp.maximum(accuracy, state.best_accuracy)), told

    return epoch


class Fitted:
    """Heads of one dropout rate that tunefront's `fit` trains one after another; one model serves them all."""

    def __init__(self, work: Work, dataset: Dataset, dropout: float) -> None:
        self._dataset = dataset
        self._trainable = build(work, keras.layers.Dropout(dropout, name="dropout"))

    def train(self, head: Head, n_epochs: int) -> tuple[list[float], list[Told], list[NDArray[np.float32]]]:
        """Train a head; return the seconds of each epoch, what each told, and the weights of the best one."""
        trainable, ended, told = self._trainable, [], []
        model, optimizer = trainable.model, trainable.optimizer
        for variable, value in zip(model.trainable_variables, first_weights(trainable, head), strict=True):
            variable.assign(value)
        for variable in optimizer.variables:
            variable.assign(head.learning_rate if variable.name == "learning_rate" else np.zeros(variable.shape))
        model.get_layer("dropout").seed_generator.state.assign(np.array([head.seed, 0], np.uint32))

        def note(result: EpochResult) -> bool:
            ended.append(now())
            told.append(Told(result.metrics["loss"], result.metrics["val_loss"], result.accuracy))
            return True

        began = now()
        fit(trainable, self._dataset, TrainingTable(epochs=n_epochs), Goal(), note, seed=head.seed)
        return np.diff([began, *ended]).tolist(), told, [np.asarray(kept) for kept in model.trainable_variables]


def now() -> float:
    """Return the seconds of the clock that times are taken by."""
    return time.process_time() if jax.default_backend() == "cpu" else time.perf_counter()
