"""Answers of files for runtimes, against the runtimes used by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.search.models.small_models import digit_images, small_cnn
from tests.search.models.test_export import run_plainly
from tests.search.prediction.predictions import answers, predict, write_card
from tunefront.search.prediction.prediction_card import ModelFileError


@dataclass(frozen=True)
class Files:
    """A network of 8 x 8 pixels as files for runtimes."""

    folder: Path
    images: Any


@pytest.fixture(scope="module")
def files(keras: Any, tmp_path_factory: pytest.TempPathFactory) -> Files:
    from tunefront.search.models.export import export
    from tunefront.search.models.variants import VARIANTS

    pytest.importorskip("ai_edge_litert", reason="needs tunefront[litert]")
    folder = tmp_path_factory.mktemp("files")
    images = np.round(digit_images()[0] * (255 / 16)).astype(np.uint8)
    export(small_cnn(keras, largest=255), VARIANTS["int8"], folder / "a.int8.tflite", images[:50])
    sigmoid = small_cnn(keras, n_outputs=1, largest=255)
    export(sigmoid, VARIANTS["float16"], folder / "b.float16.tflite", images[:50])
    return Files(folder, images[100:110])


def test_whole_numbers_of_a_quantized_file_are_probabilities(files: Files) -> None:
    """A file of int8 takes images as files too; its card gives the shape of a batch, and no size of files."""
    model = files.folder / "a.int8.tflite"
    card = {"shape": [1, 8, 8, 1], "dtype": "int8", "values": "pixels from 0 to 255", "scale": 1.0, "zero_point": -128}
    write_card(model, class_names=list("0123456789"), positive_class=None, input=card, output={"shape": [1, 10]})
    expected = run_plainly(model, files.images)
    for place, image in enumerate(files.images):
        Image.fromarray(image[..., 0]).save(files.folder / f"img{place}.png")
    np.save(files.folder / "x.npy", files.images)
    images = [files.folder / f"img{place}.png" for place in range(10)]
    for named in (images, [files.folder / "x.npy"]):
        found = answers(model, *named)
        assert found == pytest.approx(expected, abs=1e-7)
        assert found.sum(axis=1) == pytest.approx(np.ones(10), abs=0.02)


def test_a_file_with_one_output_gives_two_classes(files: Files) -> None:
    model = files.folder / "b.float16.tflite"
    card = {"shape": [1, 8, 8, 1], "dtype": "float32", "values": "pixels from 0 to 255"}
    write_card(model, positive_class="cat", input=card, output={"shape": [1, 1], "values": "probabilities (sigmoid)"})
    np.save(files.folder / "y.npy", files.images)
    assert answers(model, files.folder / "y.npy")[:, :1] == pytest.approx(run_plainly(model, files.images), abs=1e-6)


def test_onnx_answers_as_its_runtime_says(keras: Any, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs tunefront[onnx]")
    from tunefront.search.models.export import export
    from tunefront.search.models.variants import VARIANTS

    images = digit_images()[0][:5]
    model = tmp_path / "trial-1.onnx"
    network = small_cnn(keras)
    network.predict_on_batch(images.astype("float32"))  # the export wants a model that was called
    export(network, VARIANTS["onnx"], model, images)
    card = {"shape": [1, 8, 8, 1], "dtype": "float32", "values": "pixels from 0 to 255"}
    write_card(model, class_names=list("0123456789"), positive_class=None, input=card, output={"shape": [1, 10]})
    np.save(tmp_path / "x.npy", images)
    session = onnxruntime.InferenceSession(str(model))
    plain = session.run(None, {session.get_inputs()[0].name: images.astype("float32")})[0]
    assert answers(model, tmp_path / "x.npy") == pytest.approx(plain, abs=1e-6)
    model.write_bytes(b"no model")
    with pytest.raises(ModelFileError, match="ONNX Runtime cannot load it: "):
        predict(model, tmp_path / "x.npy")
