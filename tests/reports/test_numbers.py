"""Reports of a study that predicts numbers: its quality is an error, of which less is better."""

from __future__ import annotations

import io
import json
import math
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.reports.figures.fronts import pair_figures
from tunefront.reports.figures.learning_curves import learning_curves
from tunefront.reports.page.page import render_page
from tunefront.reports.report_files import write_report
from tunefront.reports.sentences.notes import describe_guessing, describe_marks
from tunefront.reports.status import study_status
from tunefront.reports.study_results import StudyResults
from tunefront.reports.tables.optimizers import optimizers_markdown
from tunefront.reports.tables.terminal import front_table
from tunefront.storage import curves
from tunefront.storage.curves import Epoch
from tunefront.storage.outcomes import Outcome

# Guessing reaches an RMSE of 10, and by luck 9.
DATASET: dict[str, Any] = {
    "source": "houses",
    "task": "regression",
    "n_classes": 0,
    "class_names": [],
    "image_shape": [13],
    "n_train": 300,
    "n_validation": 100,
    "n_test": 80,
    "chances": {
        "rmse": {"score": 10.0, "standard_error": 0.5},
        "mae": {"score": 8.0, "standard_error": 0.5},
        "r2": {"score": 0.0, "standard_error": 0.1},
    },
}
ADAM = {"optimizer.name": "adam", "adam.learning_rate": 0.01}
SGD = {"optimizer.name": "sgd", "sgd.learning_rate": 0.5}


def numbers_study(folder: Path, measure: str = "rmse", **dataset: Any) -> ReportFixture:
    objectives = {**THREE, "accuracy": {"measure": measure}}
    return ReportFixture.make(folder, objectives, n_trials=9, name="houses", dataset={**DATASET, **dataset})


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> ReportFixture:
    """A study of six trials; the front by hand: 1 (least error), 0 (cheaper), and 3 (cheapest, and guesses).

    ======  ======  ======  =====  ========================
    number    rmse  memory   time  what becomes of it
    ======  ======  ======  =====  ========================
         0     4.0    1000    2.0  front
         1     0.5    3000    3.0  front
         2     4.5    1500    2.5  beaten by 0
         3     9.5     500    1.0  front, guesses
         4     7.0     900    0.5  pruned
         5       -       -      -  running, 6.5 so far
    ======  ======  ======  =====  ========================
    """
    made = numbers_study(tmp_path_factory.mktemp("numbers"))
    made.complete(4.0, 1000, 2.0, parameters=ADAM, curve=(8.0, 4.0, 4.2), measurements={"mae": 3.0, "r2": 0.84})
    made.complete(0.5, 3000, 3.0, parameters=SGD, curve=(20.0, 2.5, 0.5))
    made.complete(4.5, 1500, 2.5, parameters=ADAM, curve=(9.0, 5.0, 4.5))
    made.complete(9.5, 500, 1.0, parameters=SGD, curve=(9.9, 9.5, 9.6))
    so_far = {"rmse": 7.0, "model_bytes": 900.0, "train_seconds": 0.5}
    made.end(made.lease(SGD), Outcome.PRUNED, so_far, curve=(8.0, 7.0), reason="epoch 2: stopped")
    running = made.lease(ADAM)
    for number, error in enumerate((6.5, 6.75), start=1):
        curves.append(made.store, running[0], Epoch(number, error, 0.5, 0.1, {"rmse": 6.0, "val_rmse": error}))
    return made


@pytest.fixture(scope="module")
def results(fixture: ReportFixture) -> StudyResults:
    return fixture.results()


def printed(renderable: Any) -> str:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_front_has_the_least_errors_first(results: StudyResults) -> None:
    assert [trial.number for trial in results.front] == [1, 0, 3]
    best = results.best("accuracy")
    assert best is not None
    assert best.number == 1
    assert [trial.number for trial in results.trials if results.is_guessing(trial)] == [3]
    least = results.best("memory")
    assert least is not None
    assert least.number == 0  # trial 3 is smaller, and guesses


def test_tables_for_programs_call_it_quality(fixture: ReportFixture, tmp_path: Path) -> None:
    files = write_report(fixture.results(), tmp_path)
    trials = pd.read_csv(files.trials_csv)
    assert list(trials.columns[:9]) == [
        "trial", "state", "reason", "quality", "memory_bytes", "time_seconds", "on_front", "epochs",
        "no_better_than_guessing",
    ]  # fmt: skip
    assert trials["quality"].tolist() == pytest.approx([4.0, 0.5, 4.5, 9.5, 7.0, math.nan], nan_ok=True)
    assert trials["no_better_than_guessing"].tolist()[:5] == [False, False, False, True, False]
    assert (trials["mae"][0], trials["r2"][0]) == (3.0, 0.84)
    assert pd.read_csv(files.front_csv)["trial"].tolist() == [1, 0, 3]
    epochs = pd.read_csv(files.epochs_csv)
    assert list(epochs.columns[:5]) == ["trial", "epoch", "loss", "rmse", "val_loss"]
    assert "accuracy" not in epochs.columns
    assert epochs[epochs["trial"] == 5]["rmse"].tolist() == [6.0, 6.0]
    assert files.classes_csv is None
    assert not (tmp_path / "classes.csv").exists()


def test_tables_for_people_show_numbers_in_the_labels_unit(results: StudyResults, fixture: ReportFixture) -> None:
    text = " ".join(printed(front_table(results)).split())
    assert "trial quality memory time" in text
    assert "1 0.5 3 kB 3 s" in text
    assert "3 9.5 * 500 B 1 s" in text
    status = printed(study_status(fixture.study).render())
    assert "quality so far" in status
    assert "6.5" in status.split("quality so far")[1].splitlines()[1]
    front = study_status(fixture.study).as_json()["front_trials"]
    assert [(found["trial"], found["quality"]) for found in front] == [(1, 0.5), (0, 4.0), (3, 9.5)]


def test_optimizers_are_ranked_by_the_least_error(results: StudyResults) -> None:
    lines = optimizers_markdown(results).splitlines()
    assert lines[2] == "Of each optimizer the complete trial with the best rmse: validation rmse and loss by epoch."
    assert lines[6:] == ["| sgd | 2 | 1 | 20, 1 |", "| adam | 2 | 0 | 8, 1 |"]


def test_sentences_say_which_way_is_better(results: StudyResults, tmp_path: Path) -> None:
    markdown = write_report(results, tmp_path).front_md.read_text()
    assert "300 examples to train, 100 to validate, numbers to predict" in markdown
    assert "Wanted: low RMSE, low memory, low training time." in markdown
    assert "| trial | quality (rmse, less is better) | memory (model_bytes)" in markdown.replace("\\_", "_")
    assert describe_marks(results) == (
        "* no better than guessing: not two standard errors (1) below the rmse 10 of always answering the mean of the "
        "labels."
    )


@pytest.mark.parametrize(
    ("measure", "scores", "expected"),
    [
        (
            "rmse",
            (9.5, 30.0),
            "the mean of the labels, which has rmse 10, and by luck down to 9; the best one has 9.5.",
        ),
        ("mae", (7.5, 9.0), "the median of the labels, which has mae 8, and by luck down to 7; the best one has 7.5."),
        ("r2", (-3.0, 0.1), "the mean of the labels, which has r2 0, and by luck up to 0.2; the best one has 0.1."),
        ("rmse", (8.9, 30.0), ""),
        ("r2", (-3.0, 0.3), ""),
    ],
)
def test_that_nothing_was_learnt_is_said(
    tmp_path: Path, measure: str, scores: tuple[float, ...], expected: str
) -> None:
    made = numbers_study(tmp_path, measure)
    for score in scores:
        made.complete(score, 1000, 2.0)
    text = describe_guessing(made.results())
    assert expected in text
    assert bool(text) == bool(expected)
    assert not text or "none of 2 trials is better than always answering" in text


def test_so_few_examples_that_no_error_is_small_enough(tmp_path: Path) -> None:
    made = numbers_study(tmp_path, chances={"rmse": {"score": 1.0, "standard_error": 0.6}})
    made.complete(0.25, 1000, 2.0)
    text = describe_guessing(made.results())
    assert "and by luck down to 0; the best one has 0.25." in text
    assert text.endswith("So few validation examples cannot tell: give more of them.")


def test_figures_have_errors_on_a_log_scale_where_they_differ_much(results: StudyResults) -> None:
    figures = {name: json.loads(figure.to_json()) for name, figure in pair_figures(results).items()}
    axis = figures["memory-accuracy"]["layout"]["yaxis"]
    assert axis["title"]["text"] == "quality (rmse, less is better)"
    assert axis["type"] == "log"
    assert dict(zip(axis["tickvals"], axis["ticktext"], strict=True))[0.5] == "0.5"
    assert figures["memory-accuracy"]["layout"]["title"]["text"] == "Quality against memory"
    steps = next(trace for trace in figures["memory-accuracy"]["data"] if trace.get("name") == "best of the two")
    assert (steps["x"], steps["y"]) == ([500, 1000, 3000], [9.5, 4.0, 0.5])
    learning = json.loads(learning_curves(results).to_json())
    assert learning["layout"]["title"]["text"] == "Quality by epoch"
    assert learning["layout"]["yaxis"]["type"] == "log"
    front = next(trace for trace in learning["data"] if trace["meta"] == "front")
    assert "%{y:.4~r}" in front["hovertemplate"]


def test_errors_that_differ_little_and_r2_are_on_a_linear_scale(tmp_path: Path) -> None:
    for measure, scores in (("rmse", (4.0, 5.0)), ("r2", (0.9, 0.1))):
        folder = tmp_path / measure
        folder.mkdir()
        made = numbers_study(folder, measure)
        for number, score in enumerate(scores):
            made.complete(score, 1000 - number, 2.0)
        axis = json.loads(pair_figures(made.results())["memory-accuracy"].to_json())["layout"]["yaxis"]
        assert "type" not in axis
        assert axis["tickformat"] == ".4~r"
    assert axis["title"]["text"] == "quality (r2)"


def test_the_page_speaks_of_quality_and_examples(results: StudyResults, tmp_path: Path) -> None:
    page = render_page(results, tmp_path).split("<script nonce")[0]
    assert "Take trial 1" in page
    assert "Quality is that of 100 validation examples" in page
    assert "small differences mean nothing" in page
    choose = page.split('<section id="front">')[1].split("</section>")[0]
    assert not re.search(r"(?<!\+)\b\d+ %", choose)  # no shares but what costs are above the least
    people = page.split("<summary>The spec</summary>")[0].replace("-accuracy", "")  # the names of figures in scripts
    assert "ccura" not in people
