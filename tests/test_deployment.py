"""`tunefront deploy` end to end: a study with a trained model, its files, and a script that uses them alone."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.command_here import fork_server_apart, tunefront_here
from tests.search.models.small_models import small_cnn
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.prediction.inputs import find_inputs
from tunefront.search.prediction.model_file import open_model_file
from tunefront.search.prediction.predictor import Predictor
from tunefront.search.spec.study_spec import StudySpec
from tunefront.storage import folder_owner, queue, studies, trials
from tunefront.storage.database.connection import open_store
from tunefront.storage.deployment import deployed
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome

ROOT = Path(__file__).parents[1]
FAST = ("float32", "int8")
__all__ = ["fork_server_apart"]

pytest.importorskip("ai_edge_litert", reason="needs tunefront[litert]")
pytest.importorskip("tflite_micro", reason="needs tunefront[micro]")
pytest.importorskip("onnxruntime", reason="needs tunefront[onnx]")
pytestmark = [pytest.mark.slow, pytest.mark.processes]


@dataclass(frozen=True)
class Deployed:
    """A folder with a study of one complete trial, whose model was deployed."""

    folder: Path
    dataset: Dataset
    outputs: tuple[str, ...]
    times: dict[str, int]  # of the first command's files, in nanoseconds

    @property
    def study(self) -> OpenStudy:
        return open_study(self.folder)

    @property
    def files(self) -> Path:
        return self.folder / "results" / "tiny" / "deployed"


def open_study(folder: Path) -> OpenStudy:
    found = studies.find(open_store(f"sqlite:///{folder / 'tunefront.db'}"), "tiny")
    assert found is not None
    return found


def make_study(folder: Path, keras: Any) -> Dataset:
    """Make a study whose one trial has a model that was trained on the digits by plain Keras."""
    spec = StudySpec.model_validate({"name": "tiny", "trials": 1, "data": {"source": "digits"}, "space": {}})
    dataset = prepare(spec.data, spec.seed)
    model = small_cnn(keras, largest=255)
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    train = dataset.split("train")
    model.fit(np.array(train.images, "float32"), np.array(train.labels), batch_size=32, epochs=8, verbose=0)
    models = folder / "results" / "tiny" / "models"
    models.mkdir(parents=True)
    model.save(models / "trial-0.keras")
    card = {
        "class_names": list(dataset.class_names),
        "positive_class": None,
        "output": "softmax",
        "input": {"shape": [8, 8, 1], "values": "pixels from 0 to 255"},
        "candidate": {"architecture": "plain_cnn", "architecture_settings": {}},
    }
    (models / "trial-0.json").write_text(json.dumps(card))
    store = open_store(f"sqlite:///{folder / 'tunefront.db'}", is_writer=True)
    objectives = list(spec.parsed_objectives().values())
    study = studies.create(
        store,
        "tiny",
        spec.as_json(),
        dataset.facts(),
        [objective.measure.direction for objective in objectives],
        [objective.measure.name for objective in objectives],
    )
    folder_owner.claim(folder / "results" / "tiny", study.record)
    with store.exclusively():
        leased = queue.lease_next(study, 1, "worker", "cpu0")
    assert leased is not None
    measured = {"accuracy": 0.9, "model_bytes": 1e5, "train_seconds": 1.0}
    path = str(models / "trial-0.keras")
    queue.finish(
        study, leased[0], Outcome.COMPLETE, values=list(measured.values()), measurements=measured, model_path=path
    )
    return dataset


@pytest.fixture(scope="module")
def made(keras: Any, fork_server_apart: None, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    folder = tmp_path_factory.mktemp("deployed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEFRONT_CACHE", str(folder / "cache"))
        dataset = make_study(folder, keras)
        first = tunefront_here(folder, "deploy", "tiny", "--variants", ",".join(FAST))
        assert first.returncode == 0, first.stdout
        files = folder / "results" / "tiny" / "deployed"
        times = {path.name: path.stat().st_mtime_ns for path in files.glob("*.tflite")}
        (folder / "times.csv").write_text("trial,variant,latency_seconds\n0,int8,0.004\n0,float32,0.009\n")
        second = tunefront_here(folder, "deploy", "tiny", "--device", "stm32_blue_pill", "--measured", "times.csv")
        assert second.returncode == 0, second.stdout
    return Deployed(folder, dataset, (first.stdout, second.stdout), times)


def test_every_variant_is_made_and_a_second_run_adds_what_is_missing(made: Deployed) -> None:
    assert set(made.times) == {f"trial-0.{name}.tflite" for name in FAST}
    for name, time in made.times.items():
        assert (made.files / name).stat().st_mtime_ns == time  # not made again
    suffixes = [".float32.tflite", ".float16.tflite", ".dynamic.tflite", ".int8.tflite", ".onnx"]
    names = {"float32", "float16", "dynamic", "int8", "onnx"}
    expected = {f"trial-0{suffix}" for suffix in suffixes}
    expected |= {f"trial-0.{name}.{kind}" for name in names for kind in ("json", "md")}
    assert {path.name for path in made.files.iterdir()} == expected
    assert "trial 0: float32, int8\n" in made.outputs[0]
    assert "trial 0: float16, dynamic, onnx\n" in made.outputs[1]


def test_a_script_that_knows_the_json_alone_gets_the_accuracies_of_the_table(made: Deployed, tmp_path: Path) -> None:
    validation = made.dataset.split("validation")
    np.savez(tmp_path / "images.npz", images=validation.images, labels=validation.labels)
    script = [sys.executable, str(ROOT / "examples" / "deployed_accuracy.py"), str(made.files), "images.npz"]
    output = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    found = {line.split()[0]: float(line.split()[1]) for line in output.splitlines() if line.startswith("trial-")}
    table = pd.read_csv(made.folder / "results" / "tiny" / "deployed.csv").set_index("file")
    assert found == {name: pytest.approx(accuracy) for name, accuracy in table.accuracy.items()}
    assert len(found) == 5
    assert min(found.values()) > 0.8


def test_the_table_has_what_plain_keras_and_the_files_say(made: Deployed, keras: Any) -> None:
    table = pd.read_csv(made.folder / "results" / "tiny" / "deployed.csv").set_index("variant")
    validation = made.dataset.split("validation")
    model = keras.models.load_model(made.folder / "results" / "tiny" / "models" / "trial-0.keras")
    chosen = model.predict(np.array(validation.images, "float32"), verbose=0).argmax(axis=1)
    assert table.keras_accuracy.tolist() == [pytest.approx(np.mean(chosen == validation.labels))] * 5
    assert table.n_images.tolist() == [len(validation.labels)] * 5
    for name, row in table.iterrows():
        assert row.file_bytes == (made.files / row.file).stat().st_size, name
    # Multiplications of the two convolutions and of the dense layer; the Rescaling and the batch norm have no kernel.
    assert set(table.macs) == {8 * 8 * 9 * 8 + 2 * 2 * 9 * 8 * 16 + 64 * 10}
    assert table.arena_tensor_bytes.dropna().to_dict() == {"float32": 4096, "int8": 1024}
    arena = table.arena_tensor_bytes + table.arena_structure_bytes
    assert arena.dropna().tolist() == table.arena_bytes.dropna().tolist()
    assert table.measured_latency_seconds.dropna().to_dict() == {"float32": 0.009, "int8": 0.004}
    # Only int8 and float32 run on a board; int8 is smaller and faster there.
    assert table.on_front["int8"]
    assert "tflite-micro runs no models of the kind dynamic" in table.refusal["dynamic"]
    page = (made.folder / "results" / "tiny" / "report.html").read_text()
    assert "stm32_blue_pill: 65.5 kB flash, 20.5 kB RAM (ST DS5319" in page


def test_predict_answers_as_the_table_says(made: Deployed, tmp_path: Path) -> None:
    """The cards that `deploy` writes are all that `predict` needs, for every format."""
    validation = made.dataset.split("validation")
    np.save(tmp_path / "images.npy", np.array(validation.images))
    table = pd.read_csv(made.folder / "results" / "tiny" / "deployed.csv")
    models = {made.files / row.file: row.accuracy for row in table.itertuples()}
    models[made.folder / "results" / "tiny" / "models" / "trial-0.keras"] = table.keras_accuracy[0]
    for path, accuracy in models.items():
        predictor = Predictor(open_model_file(path))
        inputs = find_inputs([str(tmp_path / "images.npy")], predictor.file.card.input)
        chosen = [int(found.answers.argmax()) for found in predictor.predictions(inputs) if found.answers is not None]
        assert np.mean(chosen == validation.labels) == pytest.approx(accuracy), path.name
    assert len(models) == 6


def test_a_card_says_how_to_use_a_file_and_what_it_was_measured_on(made: Deployed) -> None:
    facts = json.loads((made.files / "trial-0.int8.json").read_text())
    assert facts["class_names"] == list(made.dataset.class_names)
    assert (facts["input"]["shape"], facts["input"]["dtype"]) == ([1, 8, 8, 1], "int8")
    assert facts["input"]["scale"] == pytest.approx(1.0)  # pixels of 0 to 255 in 256 steps
    assert facts["measured_on"] == {"split": "validation", "n_images": made.dataset.n_validation}
    assert facts["versions"].keys() >= {"tunefront", "keras", "tensorflow", "ai-edge-litert", "tflite-micro"}
    assert facts["weights"].startswith("trained from scratch")
    card = (made.files / "trial-0.int8.md").read_text()
    assert card.startswith("---\nlibrary_name: litert\npipeline_tag: image-classification\n")
    assert f"{facts['accuracy']:.2%}" in card


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--device", "stm32_blue"], "--device: there is no device 'stm32_blue'. Did you mean 'stm32_blue_pill'?"),
        (["--variants", "int9"], "--variants: there is no variant 'int9'. Did you mean 'int8'?"),
        (["--measured", "nowhere.csv"], "nowhere.csv: it cannot be read"),
    ],
)
def test_a_mistake_ends_in_one_line_and_with_code_2(made: Deployed, arguments: list[str], message: str) -> None:
    done = tunefront_here(made.folder, "deploy", "tiny", *arguments)
    assert done.returncode == 2
    assert message in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_a_study_without_a_kept_model_says_how_to_get_one(made: Deployed, tmp_path: Path) -> None:
    before = made.folder / "results" / "tiny" / "models" / "trial-0.keras"
    away = before.rename(tmp_path / "trial-0.keras")
    try:
        done = tunefront_here(made.folder, "deploy", "tiny")
    finally:
        away.rename(before)
    assert done.returncode == 2
    assert "has no kept model to deploy (trial 0: its model is not on this machine" in done.stdout
    assert "'tunefront confirm tiny' trains its front again here" in done.stdout


def test_what_was_stored_names_the_machine_and_the_runtimes(made: Deployed) -> None:
    found = {variant.variant: variant for variant in deployed.load(made.study)}
    assert found["int8"].machine["n_cpus"] >= 1
    assert found["int8"].versions["ai-edge-litert"]
    assert found["float32"].measures["largest_difference"] < 1e-4
    assert found["float32"].same_class == 1.0


BOARD_SPEC = """
name = "board"
seed = 1
trials = 1

[objectives]
accuracy = "accuracy"
memory = "litert_bytes"
time = "litert_latency_seconds"

[deploy]
precision = "int8"
device = { flash = "256 kB", ram = "16 kB" }

[data]
source = "digits"

[space]
architecture = "plain_cnn"
optimizer = "adam"
augmentation = "none"
batch_size = 64

[space.plain_cnn]
n_blocks = 1
filters = [8, 512]
kernel_size = 3
dense_units = 0
dropout = 0.0
batch_norm = true

[space.adam]
learning_rate = 0.003

[training]
epochs = 1

[[start]]
plain_cnn = { filters = 512 }

[[start]]
plain_cnn = { filters = 8 }
"""


@pytest.mark.usefixtures("fork_server_apart")
def test_a_board_refuses_before_training_and_gets_what_it_was_told(tmp_path: Path) -> None:
    (tmp_path / "board.toml").write_text(
        BOARD_SPEC.replace("trials = 1", "trials = 2").replace("epochs = 1", "epochs = 2")
    )
    done = tunefront_here(tmp_path, "run", "board.toml", "--slots", "1")
    study = studies.find(open_store(f"sqlite:///{tmp_path / 'tunefront.db'}"), "board")
    assert study is not None, done.stdout
    large, *others = trials.load(study)
    assert (large.state, others[0].state) == ("refused", "complete"), done.stdout
    small = next(trial for trial in others if trial.model_path)  # latency alone may have kept one off the front
    assert large.reason.startswith("arena_bytes ")
    assert large.reason.endswith("breaks its limit of at most 16 kB")
    assert len(large.epochs) == 0
    assert large.measurements["arena_bytes"] > 16_000
    assert small.is_feasible

    made = tunefront_here(tmp_path, "deploy", "board", "--variants", "int8")
    assert made.returncode == 0, made.stdout
    found = {one.trial: one for one in deployed.load(study)}[small.number]
    assert deployed.load_device(study) == {"name": "own device", "flash_bytes": 256e3, "ram_bytes": 16e3, "source": ""}
    # What the trial told of its file is what the file is.
    assert found.measures["file_bytes"] == pytest.approx(small.measurements["litert_bytes"], rel=0.01)
    assert found.measures["arena_bytes"] == small.measurements["arena_bytes"]
    assert small.measurements["arena_tensor_bytes"] < small.measurements["arena_bytes"] <= 16_000
