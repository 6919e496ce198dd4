"""An LSTM on windows of a series: which regime is it in?"""

import numpy as np


def load():
    """Windows of 32 steps of an AR(2) process, which is calm, swings slowly or swings fast. Made, not measured."""
    generator = np.random.default_rng(1)
    coefficients = [(0.5, 0.0), (1.6, -0.8), (-0.6, -0.8)]
    series = np.zeros((600, 32))
    labels = generator.integers(0, 3, 600)
    for row, label in enumerate(labels):
        a, b = coefficients[label]
        for step in range(2, 32):
            series[row, step] = a * series[row, step - 1] + b * series[row, step - 2] + generator.normal()
    return series[..., np.newaxis].astype("float32"), labels, ["calm", "slow", "fast"]


class Series:
    def suggest(self, trial):
        return {
            "units": trial.suggest_int("lstm.units", 4, 32, log=True),
            "is_two_way": trial.suggest_categorical("lstm.is_two_way", [False, True]),
            "learning_rate": 0.01,
        }

    def build(self, settings, input_shape, n_classes):
        import keras  # here, because the supervisor calls suggest and needs no Keras

        lstm = keras.layers.LSTM(settings["units"])
        if settings["is_two_way"]:
            lstm = keras.layers.Bidirectional(lstm)
        return keras.Sequential([keras.Input(input_shape), lstm, keras.layers.Dense(n_classes, "softmax")])
