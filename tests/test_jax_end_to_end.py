"""Keras on JAX: a study by the command, and training steps that are compiled whole, whatever changes the images."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.commands_apart import commands_in, read_trials, tiny_spec_text

ROOT = Path(__file__).parents[1]

pytestmark = [pytest.mark.slow, pytest.mark.keras, pytest.mark.processes, pytest.mark.timeout(300)]

# The Python code of a layer runs once for each shape of batch that is compiled, and in each step that is not.
COUNTED = """
import keras
import numpy as np
from tunefront.search.trial.augmented_model import AugmentedModel
from tunefront.search.trial.loss import TrainingLoss
from tunefront.spaces.augmentation.levels import build_augmentation
from tunefront.spaces.augmentation.mixing import build_mixing

calls = 0

class Counted(keras.layers.Layer):
    def call(self, inputs, training=False):
        global calls
        calls += bool(training)
        return inputs

def model_of(**settings):
    layers = [keras.Input((6, 6, 3)), Counted(), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    loss = TrainingLoss(2)
    model = AugmentedModel(
        keras.Sequential(layers), build_augmentation(settings, 1), build_mixing(settings, 1), loss
    )
    model.build((None, 6, 6, 3))
    model.compile("sgd", loss)
    return model

images = np.random.default_rng(0).uniform(0, 255, (20 * 4 + 2, 6, 6, 3)).astype("float32")
labels = np.arange(len(images)) % 2
model = model_of(shift=0.1)
calls = 0
model.fit(images, labels, batch_size=4, epochs=2, verbose=0)
assert 2 <= calls <= 6, calls  # two shapes, and what Keras traces beside

import jax

strong = dict(flip="both", shift=0.1, rotation=20.0, zoom=0.2, shear=0.1, brightness=0.2, contrast=0.2,
              channel_shift=0.1, noise=0.1, erasing=0.2, mixup=0.2, cutmix=1.0)
for settings in (strong, {"randaugment": 0.5, "fill": "reflect"}):
    model = model_of(**settings)
    assert model.jit_compile is True, settings
    values = [variable.value for variable in model.trainable_variables]
    others = [variable.value for variable in model.non_trainable_variables]
    answers = jax.eval_shape(lambda x: model.stateless_call(values, others, x, training=True)[0], images[:4])
    assert answers.shape == (4, 2)
"""

# A model of the user's own, which has such layers in it, with and without augmentation before it.
OWN = """
import keras
import optuna
from tunefront.search.data.cache import prepare
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.trial.trainable import build

class Mine:
    def suggest(self, trial):
        return {"learning_rate": 0.01, "augmentation": trial.suggest_categorical("augmentation", ["none", "light"])}

    def build(self, settings, input_shape, n_classes):
        layers = keras.layers
        moved = keras.Sequential([keras.Input(input_shape), layers.RandomTranslation(0.1, 0.1), layers.RandomZoom(0.1)])
        inputs = keras.Input(input_shape)
        return keras.Model(inputs, layers.Dense(n_classes, "softmax")(layers.Flatten()(moved(inputs))))

if __name__ == "__main__":
    spec = StudySpec.model_validate({"name": "own", "data": {"source": "digits"}, "space": "own.py:Mine"})
    dataset = prepare(spec.data, spec.seed)
    study = optuna.create_study(sampler=optuna.samplers.GridSampler({"augmentation": ["none", "light"]}))
    for _ in range(2):
        trainable = build(spec.parsed_space(), spec.parsed_space().suggest(study.ask()), dataset, spec.training, 1)
        print(type(trainable.trained).__name__, trainable.trained.jit_compile, trainable.model.jit_compile)
"""


def on_jax() -> dict[str, str]:
    return {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"}


def test_steps_of_a_model_of_the_user_s_own_are_compiled(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    environment = {**on_jax(), "TUNEFRONT_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "own.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert sorted(done.stdout.splitlines()) == ["AugmentedModel True True", "Functional True True"], done.stderr


def test_steps_are_compiled_whatever_changes_the_images() -> None:
    done = subprocess.run([sys.executable, "-c", COUNTED], env=on_jax(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_model_that_was_trained_on_jax_scores_the_same_on_tensorflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keras: Any
) -> None:
    """The search, its changed images and the kept file are JAX's; plain Keras on TensorFlow reads the file."""
    from tunefront.search.data.cache import prepare
    from tunefront.search.spec.file import read_spec

    text = tiny_spec_text("jax", 1, 2).replace('augmentation = "none"', 'augmentation = "custom"')
    (tmp_path / "jax.toml").write_text(text + "[space.custom]\nshift = 0.1\n")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with commands_in(tmp_path) as start:
        run = start("run", "jax.toml", "--workers", "1")
        output, _ = run.communicate()
    assert run.returncode == 0, output
    [trial] = read_trials(tmp_path, "jax")
    monkeypatch.setenv("TUNEFRONT_CACHE", str(tmp_path / "cache"))
    spec = read_spec(tmp_path / "jax.toml")
    validation = prepare(spec.data, spec.seed).split("validation")
    model = keras.models.load_model(tmp_path / "results" / "jax" / "models" / "trial-0.keras")
    answers = model.predict(np.asarray(validation.images), verbose=0)
    right = int((answers.argmax(axis=1) == validation.labels).sum())
    assert keras.backend.backend() == "tensorflow"
    assert abs(right - trial.measurements["accuracy"] * len(answers)) <= 1
    assert 0.12 < trial.measurements["accuracy"] < 0.98
    assert trial.measurements["n_parameters"] == model.count_params()
