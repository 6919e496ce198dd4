"""The blocks of docs/python.md are one script that runs without a guard, and its study has the values of its models."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tunefront.reports.tables.csv_text import csv_text
from tunefront.search.spec.file import read_spec
from tunefront.study import Study, load_study

PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
FEWER = {'"trials": 20': '"trials": 2', "trials=24": "trials=3"}  # so that the test takes seconds

# What a reader would do by hand: how many of the images that validated the study does each model classify rightly?
CHECK = """
import json

from tunefront.search.data.cache import prepare
from tunefront.search.data.sources.digits import DigitsSource

validation = prepare(DigitsSource(source="digits"), seed=1).split("validation")
shares = {}
for number in study.front()["trial"]:
    guessed = study.model(number).predict(validation.images, verbose=0).argmax(axis=1)
    shares[int(number)] = float((guessed == validation.labels).mean())
facts = {
    "shares": shares,
    "shape": probabilities.shape,
    "probabilities": probabilities[0].tolist(),
    "answers": [float(answers[f"p_{digit}"].iloc[0]) for digit in range(10)],
    "chosen": chosen.number,
    "wider": wider,
    "traces": [trace.meta for trace in figure.data if trace.meta],
    "page": str(page),
}
open("facts.json", "w").write(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which the page's script has run, and what it printed."""
    folder = tmp_path_factory.mktemp("page")
    script = "".join(BLOCKS)
    for written, fewer in FEWER.items():
        assert script.count(written) == 1
        script = script.replace(written, fewer)
    # A child process that ran the script again would write another line.
    (folder / "script.py").write_text(f'open("ran.txt", "a").write("ran\\n")\n{script}{CHECK}')
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TUNEFRONT_CACHE": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "ran.txt").read_text() == "ran\n"
    return folder, done.stdout


@pytest.fixture
def study(walked: tuple[Path, str]) -> Study:
    return load_study("from-python", storage=f"sqlite:///{walked[0] / 'tunefront.db'}")


@pytest.fixture
def facts(walked: tuple[Path, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((walked[0] / "facts.json").read_text())
    return found


@pytest.mark.slow
def test_comments_of_the_page_say_what_is_printed(walked: tuple[Path, str]) -> None:
    printed = walked[1].splitlines()
    promised = re.findall(r"print\(error\)  # (.*)", PAGE)
    assert len(promised) == 2
    for text in promised:
        assert any(line.startswith(text.removesuffix(" ...")) for line in printed), text


@pytest.mark.slow
def test_the_same_dictionary_goes_on(study: Study) -> None:
    assert study.trials()["state"].tolist() == ["complete"] * 3


@pytest.mark.slow
def test_models_answer_as_their_trials_did(study: Study, facts: dict[str, Any]) -> None:
    front = study.front()
    assert facts["shares"] == pytest.approx(dict(zip(map(str, front["trial"]), front["accuracy"], strict=True)))
    assert facts["shape"] == [2, 10]
    assert facts["answers"] == pytest.approx(facts["probabilities"], abs=1e-6)  # of a file, and of its pixels


@pytest.mark.slow
def test_frames_have_every_measurement_and_are_those_of_the_files(study: Study, walked: tuple[Path, str]) -> None:
    trials, curves = study.trials(), study.curves()
    assert {"latency_seconds", "peak_bytes", "weight_bytes", "n_parameters", "best_epoch"} <= set(trials.columns)
    for trial in study._results().trials:
        assert set(trial.measurements) <= set(trials.columns)
        for epoch in trial.epochs:
            row = curves[(curves["trial"] == trial.number) & (curves["epoch"] == epoch.epoch)].iloc[0]
            assert {name: row[name] for name in epoch.metrics} == pytest.approx(dict(epoch.metrics))
            assert row["train_seconds"] == epoch.train_seconds
    # The accuracy of a trial is that of its best epoch.
    best = curves.groupby("trial")["val_accuracy"].max()
    assert best.tolist() == pytest.approx(trials["accuracy"].tolist())
    written = {"front": study.front(), "trials": trials, "epochs": curves}
    for name, frame in written.items():
        assert csv_text(frame) == (walked[0] / "report" / f"{name}.csv").read_text()
        assert len(pd.read_csv(walked[0] / "report" / f"{name}.csv")) == len(frame)


@pytest.mark.slow
def test_a_candidate_starts_another_study(study: Study, facts: dict[str, Any]) -> None:
    (given,) = read_spec({**facts["wider"], "trials": 20}).start_parameters()
    parameters = study._results().trials[facts["chosen"]].parameters
    assert given == {**parameters, "optimizer.name": "adam"}


@pytest.mark.slow
def test_figures_and_the_report_are_written(walked: tuple[Path, str], facts: dict[str, Any]) -> None:
    assert (walked[0] / "front.pdf").read_bytes().startswith(b"%PDF")
    assert facts["page"] == "report/report.html"
    assert "front" in facts["traces"]
    assert (walked[0] / "results" / "from-python" / "report.html").exists()
