"""A study of numbers to predict, from its file to its kept model: the example on prices, on a short random walk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import root_mean_squared_error

from tests import example_data
from tests.command_here import fork_server_apart, tunefront_here
from tunefront.search.data.cache import prepare
from tunefront.search.spec.file import read_spec
from tunefront.storage import studies, trials
from tunefront.storage.database.connection import open_store

__all__ = ["fork_server_apart"]

ROOT = Path(__file__).parents[1]
EXAMPLE = (ROOT / "examples" / "stock_prices.toml").read_text()

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    example_data.write_prices(tmp_path / "data" / "stock_prices.csv", 300)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "prices.toml").write_text(
        EXAMPLE.replace("trials = 20", "trials = 2")
        .replace("epochs = 20", "epochs = 2")
        .replace('split = "time"\n', 'split = "time"\nfolds = 2\n')
    )
    return tmp_path


@pytest.mark.usefixtures("fork_server_apart")
def test_an_lstm_on_prices_is_searched_split_by_time_and_kept(keras: Any, folder: Path, monkeypatch: Any) -> None:
    done = tunefront_here(folder, "run", "prices.toml", "--slots", "1")
    assert done.returncode == 0, done.stdout
    assert "Traceback" not in done.stdout
    store = open_store(f"sqlite:///{folder / 'tunefront.db'}")
    study = studies.find(store, "stock_prices")
    assert study is not None
    assert study.record.dataset["task"] == "regression"
    records = trials.load(study)
    complete = [record for record in records if record.state == "complete"]
    assert complete
    for record in complete:
        # Two folds: the mean of both, whose deviation of two values is their half distance times the root of 2.
        first = min(epoch.accuracy for epoch in record.epochs)
        mean, deviation = record.measurements["rmse"], record.measurements["fold_deviation"]
        assert abs(mean - first) == pytest.approx(deviation / np.sqrt(2), rel=1e-6)
        assert {"mae", "r2", "validation_loss"} <= record.measurements.keys()

    monkeypatch.chdir(folder)
    spec = read_spec(folder / "prices.toml")
    dataset = prepare(spec.data, spec.seed)
    kept = [record for record in complete if record.model_path]
    assert kept
    for record in kept:
        path = folder / "results" / "stock_prices" / "models" / f"trial-{record.number}.keras"
        model = keras.models.load_model(path)
        validation = dataset.split("validation")
        answers = model.predict(np.asarray(validation.images), verbose=0)[:, 0].astype(float)
        rmse = root_mean_squared_error(validation.labels.astype(float), answers)
        assert rmse == pytest.approx(min(epoch.accuracy for epoch in record.epochs), rel=1e-3)
        card = json.loads(path.with_suffix(".json").read_text())
        labels = dataset.split("train").labels.astype(float)
        assert card["output"] == "linear"
        assert card["class_names"] == []
        assert card["numbers"] == {
            "unit": "as the labels are",
            "training_mean": pytest.approx(labels.mean()),
            "training_deviation": pytest.approx(labels.std()),
        }


def test_windows_are_followed_by_the_next_day_s_price(folder: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(folder)
    prices = pd.read_csv("data/stock_prices.csv")["Close"].to_numpy("float32")
    spec = read_spec(folder / "prices.toml")
    found = spec.data.find()
    assert np.asarray(found.content).shape == (300 - 32, 32, 1)
    for row in (0, 5, 267):
        assert np.asarray(found.content)[row, :, 0].tolist() == prices[row : row + 32].tolist()
        assert found.labels[row] == prices[row + 32]


@pytest.mark.parametrize(
    ("old", "new", "fragments"),
    [
        ('quality = "rmse"', 'accuracy = "rmse"', ["objectives.accuracy", "quality"]),
        ('task = "regression"\n', "", ["objectives.quality", 'task = "regression"']),
        ("gap = 32", "gap = 200", ["gap = 200"]),
        ("stock_prices.py:load", "stock_prices.py:PATH", ["data.object", "name a function"]),
    ],
)
def test_what_does_not_fit_ends_in_one_line_before_the_first_trial(
    folder: Path, old: str, new: str, fragments: list[str]
) -> None:
    text = (folder / "prices.toml").read_text()
    assert old in text
    (folder / "prices.toml").write_text(text.replace(old, new))
    done = tunefront_here(folder, "data", "prices.toml")
    assert done.returncode == 2
    assert "Traceback" not in done.stdout
    for fragment in fragments:
        assert fragment in done.stdout
