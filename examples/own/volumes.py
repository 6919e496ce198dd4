"""A Conv3D network on volumes: ball or cube?"""

import numpy as np


def load():
    """Volumes of 12x12x12 voxels with a ball or a cube in noise. Made, not measured."""
    generator = np.random.default_rng(1)
    grid = np.stack(np.meshgrid(*[np.arange(12)] * 3, indexing="ij"), axis=-1)
    volumes, labels = [], generator.integers(0, 2, 240)
    for label in labels:
        away = np.abs(grid - generator.uniform(4, 8, 3))
        distance = away.max(axis=-1) if label else np.linalg.norm(away, axis=-1) / 1.24  # of like volume
        volumes.append((distance < generator.uniform(2, 3.5)) + generator.normal(0, 0.3, (12, 12, 12)))
    return np.stack(volumes)[..., np.newaxis].astype("float32"), labels, ["ball", "cube"]


class Volumes:
    def suggest(self, trial):
        return {
            "filters": trial.suggest_int("net.filters", 4, 16, log=True),
            "kernel_size": trial.suggest_categorical("net.kernel_size", [3, 5]),
            "learning_rate": trial.suggest_float("training.learning_rate", 1e-3, 1e-2, log=True),
        }

    def build(self, settings, input_shape, n_classes):
        import keras  # here, because the supervisor calls suggest and needs no Keras

        filters, kernel_size = settings["filters"], settings["kernel_size"]
        return keras.Sequential(
            [
                keras.Input(input_shape),
                keras.layers.Conv3D(filters, kernel_size, activation="relu"),
                keras.layers.MaxPooling3D(),
                keras.layers.Conv3D(2 * filters, 3, activation="relu", padding="same"),
                keras.layers.GlobalAveragePooling3D(),
                keras.layers.Dense(n_classes, "softmax"),
            ]
        )
