"""LSTMs on windows of daily stock prices: what will the next closing price be?"""

import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

PATH = "data/stock_prices.csv"
N_DAYS = 32


def load():
    """Windows of 32 closing prices, and the price of the day after each, in the order of time.

    The file has the columns Date, Open, High, Low, Close and Volume, and a row for each trading day.
    """
    table = pd.read_csv(PATH, parse_dates=["Date"]).sort_values("Date")
    prices = table["Close"].to_numpy("float32")
    windows = sliding_window_view(prices, N_DAYS)[:-1]  # the last window has no day after it
    return windows[..., None].copy(), prices[N_DAYS:]


class StockPrices:
    def suggest(self, trial):
        return {
            "n_layers": trial.suggest_int("lstm.n_layers", 1, 3),
            "units": trial.suggest_int("lstm.units", 8, 128, log=True),
            "dropout": trial.suggest_float("lstm.dropout", 0.0, 0.5, step=0.1),
            "learning_rate": trial.suggest_float("training.learning_rate", 1e-3, 1e-2, log=True),
            "loss": "mse",
            "batch_size": 32,
        }

    def build(self, settings, input_shape, n_outputs):
        import keras  # here, because the supervisor calls suggest and needs no Keras

        layers = [keras.Input(input_shape), keras.layers.BatchNormalization(momentum=0.9)]  # prices in standard units
        for number in range(settings["n_layers"]):
            is_last = number == settings["n_layers"] - 1
            layers += [keras.layers.LSTM(settings["units"], return_sequences=not is_last)]
            layers += [keras.layers.Dropout(settings["dropout"])]
        return keras.Sequential([*layers, keras.layers.Dense(n_outputs)])  # a price in standard units, too
