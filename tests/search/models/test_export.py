"""Exports of small networks, against the runtimes used directly and against Keras."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.search.models.small_models import digit_images, small_cnn, trained_cnn
from tunefront.search.models.agreement import compare_answers
from tunefront.search.models.calibration import calibration_rows
from tunefront.search.models.file_measures import FileMeasures, RuntimeRefusalError, measure_file
from tunefront.search.models.variants import VARIANTS

litert = pytest.importorskip("ai_edge_litert.interpreter", reason="needs tunefront[litert]")


@dataclass(frozen=True)
class Exported:
    """A trained network, its probabilities for the last 597 digits, and its files."""

    model: Any
    images: Any
    labels: Any
    probabilities: Any
    folder: Path

    def path(self, variant: str) -> Path:
        return self.folder / f"model{VARIANTS[variant].suffix}"


@pytest.fixture(scope="module")
def exported(keras: Any, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    from tunefront.search.models.export import export

    images, labels = digit_images()
    model = trained_cnn(keras)
    rows = calibration_rows(labels[:1200], seed=0)
    probabilities = model.predict(images[1200:].astype("float32"), verbose=0)
    found = Exported(model, images[1200:], labels[1200:], probabilities, tmp_path_factory.mktemp("exported"))
    for name, variant in VARIANTS.items():
        if name != "onnx":
            export(model, variant, found.path(name), images[rows])
    return found


def run_plainly(path: Path, images: Any) -> Any:
    """Return a file's probabilities for images by the interpreter's own functions."""
    interpreter = litert.Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    answers = []
    for image in images:
        values = image[None].astype("float32")
        if taken["dtype"] is np.int8:
            scale, zero = taken["quantization"]
            values = np.clip(np.round(values / scale + zero), -128, 127).astype(np.int8)
        interpreter.set_tensor(taken["index"], values)
        interpreter.invoke()
        output = interpreter.get_tensor(given["index"])[0]
        if given["dtype"] is np.int8:
            output = given["quantization"][0] * (output.astype(float) - given["quantization"][1])
        answers.append(output)
    return np.array(answers)


@pytest.mark.parametrize("name", ["float32", "float16", "dynamic", "int8"])
def test_a_file_answers_as_keras_and_as_the_plain_interpreter_say(exported: Exported, name: str) -> None:
    found = measure_file(exported.path(name), "litert", exported.images)
    assert found.answers == pytest.approx(run_plainly(exported.path(name), exported.images), abs=1e-7)
    assert compare_answers(exported.probabilities, found.answers, VARIANTS[name]).refusal == ""
    assert found.n_bytes == len(exported.path(name).read_bytes())
    assert 0 < found.latency_seconds <= found.latency_p95_seconds < 1
    assert 1e5 < found.peak_bytes < 1e9
    assert found.arena is None


def test_smaller_precisions_have_smaller_files(exported: Exported) -> None:
    sizes = [exported.path(name).stat().st_size for name in ("float32", "float16", "dynamic", "int8")]
    assert sizes == sorted(sizes, reverse=True)
    n_weights = sum(int(np.prod(weight.shape)) for weight in exported.model.trainable_weights)
    assert sizes[0] > 4 * n_weights
    assert sizes[1] < sizes[0] - n_weights  # two bytes less for each weight, and a few more layers


def test_int8_is_int8_in_and_out_and_the_others_take_floats(exported: Exported) -> None:
    for name, dtype in (("float32", np.float32), ("dynamic", np.float32), ("int8", np.int8)):
        interpreter = litert.Interpreter(str(exported.path(name)))
        ends = [*interpreter.get_input_details(), *interpreter.get_output_details()]
        assert [end["dtype"] for end in ends] == [dtype, dtype], name
    # Pixels of the digits go from 0 to 16, and the calibration images have both ends.
    scale, zero = litert.Interpreter(str(exported.path("int8"))).get_input_details()[0]["quantization"]
    assert (scale, zero) == (pytest.approx(16 / 255), -128)


def test_the_arena_is_that_of_the_values_and_of_the_interpreters_records(exported: Exported) -> None:
    pytest.importorskip("tflite_micro", reason="needs tunefront[micro]")
    found: dict[str, FileMeasures] = {}
    for name in ("float32", "int8"):
        found[name] = measure_file(exported.path(name), "micro", exported.images[:20])
        difference = np.abs(found[name].answers - exported.probabilities[:20]).max()
        assert difference < {"float32": 1e-6, "int8": 0.03}[name]
    arenas = {name: one.arena for name, one in found.items()}
    # The widest place is the batch normalization: 8 x 8 x 8 values come in, and as many go out.
    assert arenas["int8"] is not None
    assert arenas["float32"] is not None
    assert arenas["int8"].tensor_bytes == 2 * 8 * 8 * 8
    assert arenas["float32"].tensor_bytes == 4 * 2 * 8 * 8 * 8
    assert 1000 < arenas["int8"].structure_bytes < 10_000


def test_the_interpreters_own_words_say_why_it_refuses_a_file(exported: Exported) -> None:
    pytest.importorskip("tflite_micro", reason="needs tunefront[micro]")
    with pytest.raises(RuntimeRefusalError, match="tflite-micro does not run it: .*Hybrid models are not supported"):
        measure_file(exported.path("dynamic"), "micro", exported.images[:1])


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.tflite").write_bytes(b"no model")
    with pytest.raises(RuntimeRefusalError, match="LiteRT does not run it: "):
        measure_file(tmp_path / "broken.tflite", "litert", np.zeros((1, 8, 8, 1), np.uint8))


def test_onnx_answers_as_keras(exported: Exported) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs tunefront[onnx]")
    from tunefront.search.models.export import export

    path = exported.path("onnx")
    export(exported.model, VARIANTS["onnx"], path, exported.images[:1])
    found = measure_file(path, "onnx", exported.images)
    assert compare_answers(exported.probabilities, found.answers, VARIANTS["onnx"]).refusal == ""
    session = onnxruntime.InferenceSession(str(path))
    plain = session.run(None, {session.get_inputs()[0].name: exported.images.astype("float32")})[0]
    assert found.answers == pytest.approx(plain, abs=1e-6)


def test_a_network_of_half_precision_is_exported_in_float32(exported: Exported, keras: Any, tmp_path: Path) -> None:
    from tunefront.search.models.export import ExportRefusalError, export
    from tunefront.search.models.model_copies import float32_copy

    half = small_cnn(keras, policy="mixed_float16")
    half.set_weights(exported.model.get_weights())
    with pytest.raises(ExportRefusalError, match="cannot export it as float32"):
        export(half, VARIANTS["float32"], tmp_path / "half.float32.tflite", exported.images[:1])
    copied = float32_copy(half)
    assert float32_copy(exported.model) is exported.model
    export(copied, VARIANTS["float32"], tmp_path / "whole.float32.tflite", exported.images[:1])
    answers = run_plainly(tmp_path / "whole.float32.tflite", exported.images[:50])
    assert answers == pytest.approx(exported.probabilities[:50], abs=1e-5)


@pytest.mark.parametrize("name", ["float32", "int8"])
def test_a_random_copy_is_as_large_as_the_trained_network(keras: Any, tmp_path: Path, name: str) -> None:
    from tunefront.search.models.export import export
    from tunefront.search.models.model_copies import randomize

    images = digit_images()[0][:50]
    sizes = {}
    for kind in ("trained", "random", "fresh"):
        keras.utils.clear_session()  # names of layers stand in the file
        model = trained_cnn(keras) if kind == "trained" else small_cnn(keras)
        if kind == "random":
            randomize(model, seed=1)
        export(model, VARIANTS[name], tmp_path / f"{kind}.tflite", images)
        sizes[kind] = (tmp_path / f"{kind}.tflite").stat().st_size
    assert sizes["random"] == pytest.approx(sizes["trained"], rel=0.01)
    assert sizes["fresh"] < 0.97 * sizes["trained"]  # equal constants are stored once


def test_all_weights_of_a_random_copy_are_drawn(keras: Any) -> None:
    from tunefront.search.models.model_copies import randomize

    model, same = small_cnn(keras), small_cnn(keras)
    randomize(model, seed=1)
    randomize(same, seed=1)
    for one, other in zip(model.get_weights(), same.get_weights(), strict=True):
        assert len(np.unique(one)) == one.size  # no two are equal
        assert one.tolist() == other.tolist()
        assert one.ndim > 1 or (one > 0).all()  # a variance is positive
