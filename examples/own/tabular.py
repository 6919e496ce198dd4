"""A dense network on the columns of a CSV file: data, space and model of one's own."""

import pandas as pd


def load():
    """Wine from 13 measured quantities: the file that scikit-learn brings (its first line counts rows)."""
    from sklearn import datasets

    path = datasets.__path__[0] + "/data/wine_data.csv"
    table = pd.read_csv(path, skiprows=1, header=None)
    values, labels = table.iloc[:, :-1], table.iloc[:, -1]
    return values.to_numpy("float32"), labels.to_numpy("int64"), ["class 0", "class 1", "class 2"]


class Tabular:
    def suggest(self, trial):
        return {
            "n_layers": trial.suggest_int("net.n_layers", 1, 3),
            "units": trial.suggest_int("net.units", 4, 64, log=True),
            "dropout": trial.suggest_float("net.dropout", 0.0, 0.5, step=0.1),
            "learning_rate": trial.suggest_float("training.learning_rate", 1e-3, 1e-1, log=True),
            "batch_size": 16,
        }

    def build(self, settings, input_shape, n_classes):
        import keras  # here, because the supervisor calls suggest and needs no Keras

        layers = [keras.Input(input_shape), keras.layers.BatchNormalization(momentum=0.9)]  # columns differ in scale
        for _ in range(settings["n_layers"]):
            layers += [keras.layers.Dense(settings["units"], "relu"), keras.layers.Dropout(settings["dropout"])]
        return keras.Sequential([*layers, keras.layers.Dense(n_classes, "softmax")])
