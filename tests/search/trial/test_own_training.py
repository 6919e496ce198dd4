"""The training of a user's own models, in which the user's decisions stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import optuna

from tunefront.search.data.dataset import Dataset
from tunefront.search.spec.training import TrainingTable
from tunefront.spaces.own import OwnSpace

# These names mean something in tunefront's architectures, but here they are the user's.
FROZEN = """
class Frozen:
    def suggest(self, trial):
        return {"learning_rate": 0.01, "batch_size": 256, "freeze_fraction": 0.0, "head_epochs": 1}

    def build(self, settings, input_shape, n_classes):
        import keras
        layers = keras.layers
        backbone = keras.Sequential(
            [keras.Input(input_shape), layers.Conv2D(4, 3), layers.BatchNormalization(), layers.Flatten()],
            name="backbone",
        )
        backbone.layers[0].trainable = False
        inputs = keras.Input(input_shape)
        return keras.Model(inputs, layers.Dense(n_classes, "softmax")(backbone(inputs)))
"""


def test_layers_that_a_user_froze_stay_frozen_whatever_they_are_called(
    keras: Any, digits: Dataset, tmp_path: Path
) -> None:
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import Goal

    (tmp_path / "frozen.py").write_text(FROZEN)
    space = OwnSpace.parse(f"{tmp_path / 'frozen.py'}:Frozen")
    chosen = space.suggest(optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1)).ask())
    table = TrainingTable(epochs=2)
    trainable = training.build(space, chosen, digits, table, 1)
    before = trainable.model.get_weights()
    fit(trainable, digits, table, Goal(), lambda result: True, seed=1)
    # Kernel and bias of the convolution; then scale, offset, mean and variance; then the classes.
    is_moved = [bool((old != new).any()) for old, new in zip(before, trainable.model.get_weights(), strict=True)]
    assert is_moved == [False, False, True, True, True, True, True, True]
    assert int(trainable.optimizer.iterations) == 2 * -(-digits.n_train // 256)  # one training, not two phases
    assert float(np.asarray(trainable.optimizer.learning_rate)) == np.float32(0.01)
