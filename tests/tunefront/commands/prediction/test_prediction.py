"""The command `predict`."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import tunefront
from tests.reports.report_fixture import DATASET, ReportFixture
from tests.search.data.pictures import picture, pixels
from tests.search.prediction.test_download import send, serving
from tests.tunefront.commands.conftest import Run
from tests.tunefront.commands.prediction.small_model import CARD, CLASSES, make_model
from tunefront.approvals import approve
from tunefront.commands.prediction.rows import PredictionFormat, Tally, make_rows
from tunefront.search.prediction.predictor import Prediction
from tunefront.storage import studies


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with three images and one file that is none."""
    for number in (2, 10, 1):
        picture(tmp_path / "photos" / f"img{number}.png", number, (4, 4))
    (tmp_path / "photos" / "img3.png").write_text("<html>")
    return tmp_path / "photos"


def expected_of(model: Any, *seeds: int) -> Any:
    return model.predict(np.stack([pixels(seed, (4, 4)) for seed in seeds]), verbose=0)


def test_a_study_s_model_is_taken_with_its_reason(keras: Any, run: Run, study: ReportFixture, photos: Path) -> None:
    model = make_model(keras, photos.parent / "trial-0.keras")
    code, output, errors = run("predict", "digits", "photos")
    assert (code, errors) == (0, "")
    why, reason, where, head, *rows, summary = output.splitlines()
    assert why == "Take trial 0: accuracy 95.00 ± 2.6 %, memory 80 kB, training time 8 s."
    assert (
        reason
        == "It has the best accuracy: the next, trial 1, has 15.00 points less, and up to 2.6 points may be chance."
    )
    assert where == f"Its model: {photos.parent / 'trial-0.keras'}"
    assert head.split() == ["input", "class", "probability"]
    chosen = {}
    for row, seed in zip(rows, (1, 2, None, 10), strict=True):
        if seed is None:
            assert row == "photos/img3.png   failed: is no image, but a web page: download the image again"
            continue
        shares = expected_of(model, seed)[0]
        best, second, third = np.argsort(-shares)
        others = ", ".join(f"{CLASSES[place]} {100 * shares[place]:.2f} %" for place in (second, third))
        assert row.split("  ")[0] == f"photos/img{seed}.png"
        assert row.endswith(f"{100 * shares[best]:.2f} %  {others}")
        chosen[CLASSES[best]] = chosen.get(CLASSES[best], 0) + 1
    assert summary.startswith("3 answered, 1 failed, in ")
    assert {f"{name} ({count})" for name, count in chosen.items()} == set(
        summary.partition("Classes: ")[2].rstrip(".").split(", ")
    )


def test_python_gets_a_data_frame_of_the_csv_file(keras: Any, run: Run, study: ReportFixture, photos: Path) -> None:
    make_model(keras, photos.parent / "trial-0.keras")
    frame = tunefront.load_study("digits").predict(photos, "photos/img3.png", number=0)
    _, output, _ = run("predict", "digits", str(photos), "photos/img3.png", "--format", "csv")
    printed = pd.read_csv(io.StringIO(output)).replace("'=fox", "=fox")
    assert len(frame) == 5
    pd.testing.assert_frame_equal(frame.fillna({"problem": ""}), printed.fillna({"problem": ""}), rtol=1e-6)


def test_csv_and_lines_of_json_have_every_probability(keras: Any, run: Run, tmp_path: Path, photos: Path) -> None:
    model = make_model(keras, tmp_path / "a.keras")
    (photos / "img1.png").rename(tmp_path / "=1+1.png")
    named = ["a.keras", "=1+1.png", "photos", "--format"]
    expected = expected_of(model, 1, 2, 10)
    code, output, errors = run("predict", *named, "csv")
    assert code == 0
    assert errors.startswith("3 answered, 1 failed")
    header, *rows = csv.reader(io.StringIO(output))
    assert header == ["input", "class", "probability", "p_cat", "p_a dog", "p_=fox", "problem"]
    assert [row[0] for row in rows] == ["'=1+1.png", "photos/img2.png", "photos/img3.png", "photos/img10.png"]
    bad = rows.pop(2)
    assert bad[1:] == ["", "", "", "", "", "is no image, but a web page: download the image again"]
    names = [CLASSES[place] for place in expected.argmax(axis=1)]
    assert [row[1] for row in rows] == [f"'{name}" if name.startswith("=") else name for name in names]
    assert np.array([row[3:6] for row in rows], float) == pytest.approx(expected, abs=1e-6)
    assert [float(row[2]) for row in rows] == pytest.approx(expected.max(axis=1), abs=1e-6)

    code, output, errors = run("predict", *named, "jsonl")
    lines = [json.loads(line) for line in output.splitlines()]
    assert lines.pop(2) == {"input": "photos/img3.png", "problem": bad[6]}
    assert [line["input"] for line in lines] == ["=1+1.png", "photos/img2.png", "photos/img10.png"]
    assert [line["class"] for line in lines] == names
    for line, shares in zip(lines, expected, strict=True):
        assert list(line["probabilities"]) == list(CLASSES)
        assert list(line["probabilities"].values()) == pytest.approx(shares, abs=1e-6)
        assert line["probability"] == max(line["probabilities"].values())


def test_a_mistake_ends_in_one_line_with_code_2(run: Run, study: ReportFixture, photos: Path) -> None:
    (photos.parent / "b.keras").write_bytes(b"a model")
    (photos.parent / "trial-0.json").write_text(json.dumps(CARD))
    wrong = {
        ("digist", "photos"): "has no study 'digist'. Did you mean 'digits'?",
        ("digits", "nothing.png"): "there is no file or folder 'nothing.png'",
        ("digits", "photos", "--trial", "1"): "the model of trial 1 was not kept: only those of the front are",
        ("digits", "photos", "--trial", "9"): "study 'digits' has no trial 9",
        ("b.keras", "photos"): "b.keras: there is no b.json beside it, which says what its outputs mean",
        ("c.keras", "photos"): "there is no file 'c.keras'",
        ("b.keras", "photos", "--trial", "1"): "--trial is for a study",
        ("photos/img1.png", "photos"): "photos/img1.png is neither a study nor a model's file",
        ("http://anna:hush@cam/", "photos"): "the first argument is a study or a model's file, and this is an address",
        ("digits", "ftp://anna:hush@cam/a.png"): "begins with ftp:// cannot be fetched",
        ("digits", "http://anna:hu/sh@cam/a.png"): "has no host or port that can be read",
        ("digits", "photos", "--every", "60s"): "--every is for addresses",
        ("digits", "http://cam/", "--every", "60"): "--every 60: write a time of a second or more with its unit",
        ("digits", "http://cam/", "--every", "soon"): "--every: 'soon' is not a time",
    }
    for arguments, message in wrong.items():
        code, output, errors = run("predict", *arguments)
        assert (code, output) == (2, ""), arguments
        assert message in errors, arguments
        assert len(errors.splitlines()) == 1, arguments
        assert "hush" not in errors


OWN_SPACE = """
import keras

@keras.saving.register_keras_serializable("mine")
class Half(keras.layers.Layer):
    def call(self, values):
        return values / 2

class Space:
    def suggest(self, trial): ...
    def build(self, settings, input_shape, n_outputs): ...
"""


def test_a_study_s_own_layers_are_found_by_its_code_which_is_said(
    keras: Any, run: Run, study: ReportFixture, photos: Path
) -> None:
    folder = photos.parent
    (folder / "mine.py").write_text(OWN_SPACE)
    spec = {**study.record.spec, "name": "own", "space": "mine.py:Space"}
    names = ["accuracy", "model_bytes", "train_seconds"]
    own = ReportFixture(studies.create(study.store, "own", spec, DATASET, ["maximize", "minimize", "minimize"], names))
    own.complete(0.95, 80_000, 8.0, model_path=str(folder / "own.keras"))
    namespace: dict[str, Any] = {}
    exec(OWN_SPACE, namespace)
    inputs = keras.Input((4, 4, 3))
    halves = namespace["Half"]()(keras.layers.GlobalAveragePooling2D()(inputs))
    keras.Model(inputs, halves).save(folder / "own.keras")
    (folder / "own.json").write_text(json.dumps(CARD))
    keras.saving.get_custom_objects().clear()
    code, _, errors = run("predict", "own", "photos/img2.png")
    assert (code, len(errors.splitlines())) == (2, 1)
    assert f"study 'own': it runs the code of {folder / 'mine.py'}, which was not approved on this machine" in errors
    code, _, _ = run("predict", "own", "photos/img2.png", "--allow-own-code")
    assert code == 0
    approve([folder / "mine.py"], [])
    code, output, _ = run("predict", "own", "photos/img2.png", "--format", "jsonl")
    assert code == 0
    shares = json.loads(output)["probabilities"].values()
    assert list(shares) == pytest.approx(pixels(2, (4, 4)).mean(axis=(0, 1)) / 2, rel=1e-6)
    code, output, _ = run("predict", "own", "photos/img2.png")
    assert "this study runs the code of mine.py:Space" in output
    keras.saving.get_custom_objects().clear()
    code, _, errors = run("predict", "own.keras", "photos/img2.png")
    assert code == 2
    assert "need their code: name the study in place of the file" in errors


def test_keras_does_not_load_where_nothing_can_be_answered(photos: Path) -> None:
    folder = photos.parent
    (folder / "a.keras").write_bytes(b"a model")
    (folder / "a.json").write_text(json.dumps(CARD))
    script = (
        "import sys; from tunefront.commands import app\n"
        "sys.argv = ['tunefront', 'predict', 'a.keras', 'photos/img3.png']\n"
        "try:\n    app.main()\nfinally:\n    print({'keras', 'tensorflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stdout.splitlines()[-2].startswith("0 answered, 1 failed, in ")
    assert done.stdout.splitlines()[-1] == "set()"


def test_interrupted_it_says_what_was_done(keras: Any, run: Run, tmp_path: Path) -> None:
    make_model(keras, tmp_path / "a.keras")
    picture(tmp_path / "photo.png", 1, (4, 4))

    def camera(handler: BaseHTTPRequestHandler) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        send(handler, 500)

    with serving(camera) as port:
        code, output, _ = run("predict", "a.keras", f"http://127.0.0.1:{port}/")
    assert code == 130
    assert output.splitlines()[-1].startswith("0 answered, 0 failed, in ")


def test_numbers_are_shown_in_their_unit() -> None:
    found = [
        Prediction("a.npy", np.array([1234.5678901])),
        Prediction("b", problem="is bad"),
        Prediction("c", np.array([-2.0])),
    ]
    lines = {}
    tally = Tally()
    for form in PredictionFormat:
        rows = make_rows(form, (), 5, has_time=False)
        lines[form.value] = [rows.head(), *(rows.row(each, "") for each in found)]
    for each in found:
        tally.add(each, ())
    assert lines["table"] == ["input  number", "a.npy  1234.57", "b      failed: is bad", "c      -2"]
    assert lines["csv"] == ["input,number,problem", "a.npy,1234.56789,", "b,,is bad", "c,-2.0,"]
    assert lines["jsonl"][1:3] == ['{"input": "a.npy", "number": 1234.56789}', '{"input": "b", "problem": "is bad"}']
    assert tally.describe(2.0, 1.5) == (
        "2 answered, 1 failed, in 2.0 s (1.5 s to load the model). Mean 616.284, from -2 to 1234.57."
    )


def test_an_image_may_be_named_by_a_link(keras: Any, run: Run, tmp_path: Path, photos: Path) -> None:
    model = make_model(keras, tmp_path / "a.keras")
    (tmp_path / "link.png").symlink_to(photos / "img2.png")
    (tmp_path / "folder").symlink_to(photos)
    Image.fromarray(pixels(2, (4, 4))).save(photos / "img3.png")
    code, output, _ = run("predict", "a.keras", "link.png", "folder", "--format", "jsonl")
    found = [json.loads(line) for line in output.splitlines()]
    assert code == 0
    assert [one["input"] for one in found] == [*(f"folder/img{n}.png" for n in (1, 2, 3, 10)), "link.png"]
    assert list(found[-1]["probabilities"].values()) == pytest.approx(expected_of(model, 2)[0], abs=1e-6)
