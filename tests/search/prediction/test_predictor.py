"""Answers of models, against Keras, Pillow and the runtimes used by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.example_data import write_students
from tests.search.data.pictures import pixels, source
from tests.search.models.small_models import digit_images, small_cnn
from tests.search.models.test_export import run_plainly
from tunefront.search.data.cache import prepare
from tunefront.search.prediction.inputs import find_inputs
from tunefront.search.prediction.model_file import open_model_file
from tunefront.search.prediction.prediction_card import ModelFileError
from tunefront.search.prediction.predictor import Prediction, Predictor

SIZE = (12, 10)  # height, width


def write_card(model: Path, **more: Any) -> None:
    model.with_suffix(".json").write_text(json.dumps({"class_names": ["cat", "dog"], "positive_class": "dog", **more}))


def predict(model: Path, *named: Path) -> list[Prediction]:
    predictor = Predictor(open_model_file(model))
    return list(predictor.predictions(find_inputs([str(name) for name in named], predictor.file.card.input)))


def answers(model: Path, *named: Path) -> Any:
    return np.array([prediction.answers for prediction in predict(model, *named)])


def make_model(keras: Any, path: Path, shape: tuple[int, ...], units: int = 2, activation: str = "softmax") -> Any:
    """Save a model with random weights whose answers differ from input to input."""
    keras.utils.set_random_seed(5)
    inputs = keras.Input(shape)
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 64)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(units, activation=activation)(x))
    model.save(path)
    return model


def write_photos(folder: Path, seed: int = 0) -> list[Path]:
    """Write photographs of odd sizes: large and small, turned by EXIF, grey, transparent, of 12 in 16 bits."""
    folder.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels(seed + 1, (37, 53))).save(folder / f"1 odd {seed}.png")
    Image.fromarray(pixels(seed + 2, (53, 31))).save(folder / f"2 turned {seed}.jpg", exif=exif, quality=95)
    Image.fromarray(np.tile(pixels(seed + 3, (40, 30)), (8, 8, 1))).save(folder / f"3 large {seed}.jpg", quality=90)
    Image.fromarray(pixels(seed + 4, (9, 21), 1)[..., 0]).save(folder / f"4 grey {seed}.png")
    Image.fromarray(pixels(seed + 5, (25, 25), 4)).save(folder / f"5 transparent {seed}.png")
    deep = np.random.default_rng(seed).integers(0, 4096, (33, 17)).astype(np.uint16)
    deep[0, 0] = 4095
    Image.fromarray(deep).save(folder / f"6 deep {seed}.png")
    return sorted(folder.iterdir())


def by_hand(path: Path) -> Any:
    """Return the pixels of a file that is stretched, as the README says they are made, without our code."""
    image = Image.open(path)
    if image.mode.startswith("I"):
        upper = (np.asarray(image).astype(int) >> 4).astype(np.uint8)  # the upper 8 of 12 bits
        image = Image.fromarray(upper)
    else:
        image.draft(None, (2 * max(SIZE), 2 * max(SIZE)))
        image = ImageOps.exif_transpose(image)
    height, width = SIZE
    return np.asarray(image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS))


def test_photos_get_the_answers_that_plain_keras_gives_to_pixels_made_by_hand(keras: Any, tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos")
    model = make_model(keras, tmp_path / "a.keras", (*SIZE, 3))
    write_card(tmp_path / "a.keras", input={"size": SIZE, "resize": "stretch", "bit_depth_of_16_bit_files": 12})
    expected = model.predict(np.stack([by_hand(path) for path in photos]), verbose=0)
    assert answers(tmp_path / "a.keras", tmp_path / "photos") == pytest.approx(expected, abs=1e-6)
    assert np.ptp(expected[:, 0]) > 0.05


@pytest.mark.parametrize(("resize", "channels"), [("stretch", 3), ("crop", 1), ("pad", 3)])
def test_files_of_a_dataset_get_the_answers_that_a_trial_gave(
    keras: Any, tmp_path: Path, resize: str, channels: int
) -> None:
    from tunefront.search.trial.batches import predict as predict_as_trials_do

    data = tmp_path / "data"
    for number in range(10):
        write_photos(data / ("cat" if number % 2 else "dog"), 10 * number)
    spec = source(data, image_size=list(SIZE), resize=resize, channels=channels)
    dataset = prepare(spec, seed=1)
    assert dataset.bit_depth == 12
    model = make_model(keras, tmp_path / "a.keras", (*SIZE, channels))
    card = {"size": SIZE, "channels": channels, "resize": resize, "bit_depth_of_16_bit_files": dataset.bit_depth}
    write_card(tmp_path / "a.keras", input=card)
    parts = [predict_as_trials_do(model, dataset.split(name).images, 7) for name in ("train", "validation", "test")]
    expected, found = np.concatenate(parts), answers(tmp_path / "a.keras", data)
    assert len(found) == 60
    order = [np.argsort(each[:, 0]) for each in (expected, found)]
    assert found[order[1]] == pytest.approx(expected[order[0]], abs=1e-6)


@pytest.mark.parametrize("positive", ["cat", "dog"])
def test_one_output_is_the_probability_of_the_positive_class(keras: Any, tmp_path: Path, positive: str) -> None:
    values = pixels(1, (5, 4, 4))
    np.save(tmp_path / "x.npy", values)
    model = make_model(keras, tmp_path / "a.keras", (4, 4, 3), 1, "sigmoid")
    write_card(tmp_path / "a.keras", positive_class=positive, input={"shape": [4, 4, 3]})
    sigmoid = model.predict(values, verbose=0)[:, 0]
    found = answers(tmp_path / "a.keras", tmp_path / "x.npy")
    assert found[:, ["cat", "dog"].index(positive)] == pytest.approx(sigmoid, abs=1e-6)
    assert found.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-6)


def test_a_number_is_what_the_model_answers(keras: Any, tmp_path: Path) -> None:
    series = np.random.default_rng(1).normal(size=(40, 6, 2)).astype(np.float32)  # more than a batch
    np.save(tmp_path / "x.npy", series)
    model = make_model(keras, tmp_path / "a.keras", (6, 2), 1, "linear")
    of_series = {"shape": [6, 2], "values": "as the source has them"}
    write_card(tmp_path / "a.keras", class_names=[], positive_class=None, numbers={}, input=of_series)
    expected = model.predict(series, verbose=0)
    assert answers(tmp_path / "a.keras", tmp_path / "x.npy") == pytest.approx(expected, abs=1e-6)


def test_bad_inputs_lie_between_good_ones_and_the_model_loads_for_good_ones_alone(keras: Any, tmp_path: Path) -> None:
    make_model(keras, tmp_path / "a.keras", (4, 4, 3))
    write_card(tmp_path / "a.keras", input={"size": [4, 4]})
    for number in range(70):
        Image.fromarray(pixels(number, (4, 4))).save(tmp_path / f"{number}.png")
    for number in (0, 31, 32, 69):
        (tmp_path / f"{number}.png").write_text("bad")
    found = predict(tmp_path / "a.keras", tmp_path)
    assert [int(Path(prediction.name).stem) for prediction in found] == list(range(70))
    assert [place for place, prediction in enumerate(found) if prediction.answers is None] == [0, 31, 32, 69]
    (tmp_path / "a.keras").write_bytes(b"no model")
    assert predict(tmp_path / "a.keras", tmp_path / "0.png")[0].problem == "is no image, but text"
    with pytest.raises(ModelFileError, match="a.keras: Keras cannot load it: "):
        predict(tmp_path / "a.keras", tmp_path / "1.png")


def test_an_answer_that_is_no_number_is_told(keras: Any, tmp_path: Path) -> None:
    model = make_model(keras, tmp_path / "a.keras", (4, 4, 3))
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    model.save(tmp_path / "a.keras")
    write_card(tmp_path / "a.keras", input={"shape": [4, 4, 3]})
    np.save(tmp_path / "x.npy", pixels(1, (4, 4)))
    assert predict(tmp_path / "a.keras", tmp_path / "x.npy")[0].problem == (
        "gets an answer from the model that is no number"
    )


@pytest.mark.parametrize(
    ("card", "why"),
    [
        (
            {"input": {"shape": [4, 4, 1]}},
            "takes values of shape 4 x 4 x 3, and the JSON file beside it says 4 x 4 x 1",
        ),
        (
            {"class_names": ["a", "b"], "positive_class": None},
            "has 3 outputs, and the JSON file beside it says 2 classes",
        ),
        ({"numbers": {}}, "has 3 outputs, and the JSON file beside it says one number"),
    ],
)
def test_a_model_that_does_not_fit_its_card_is_refused(
    keras: Any, tmp_path: Path, card: dict[str, Any], why: str
) -> None:
    make_model(keras, tmp_path / "a.keras", (4, 4, 3), 3)
    write_card(tmp_path / "a.keras", **{"input": {"shape": [4, 4, 3]}, **card})
    np.save(tmp_path / "x.npy", pixels(1, (4, 4), card.get("input", {"shape": [3]})["shape"][-1]))
    with pytest.raises(ModelFileError, match=why):
        predict(tmp_path / "a.keras", tmp_path / "x.npy")


def test_a_model_of_a_class_of_one_s_own_answers_and_what_it_cannot_do_is_said(keras: Any, tmp_path: Path) -> None:
    @keras.saving.register_keras_serializable("mine")
    class OwnModel(keras.Model):  # type: ignore[misc]
        def call(self, values: Any) -> Any:
            return keras.ops.softmax(keras.ops.mean(values, axis=(1, 2))[:, :2] / 64)

    values = pixels(1, (3, 4, 4))
    model = OwnModel()
    model.predict_on_batch(values)
    model.save(tmp_path / "a.keras")
    write_card(tmp_path / "a.keras", input={"shape": [4, 4, 3]})
    np.save(tmp_path / "x.npy", values)
    weights = np.exp(values.mean(axis=(1, 2))[:, :2] / 64)
    expected = weights / weights.sum(axis=1, keepdims=True)
    assert answers(tmp_path / "a.keras", tmp_path / "x.npy") == pytest.approx(expected, abs=1e-6)
    write_card(tmp_path / "a.keras", input={"shape": [4]})
    np.save(tmp_path / "y.npy", np.zeros((2, 4)) + 100)
    with pytest.raises(ModelFileError, match="a.keras: the model fails on ") as caught:
        predict(tmp_path / "a.keras", tmp_path / "y.npy")
    assert "\n" not in str(caught.value)


def test_layers_of_one_s_own_need_the_study(keras: Any, tmp_path: Path) -> None:
    class Own(keras.layers.Layer):  # type: ignore[misc]
        def call(self, values: Any) -> Any:
            return values

    inputs = keras.Input((3,))
    keras.Model(inputs, keras.layers.Dense(2)(Own()(inputs))).save(tmp_path / "a.keras")
    write_card(tmp_path / "a.keras", input={"shape": [3], "values": "as the source has them"})
    np.save(tmp_path / "x.npy", np.zeros(3))
    with pytest.raises(ModelFileError, match="need their code: name the study in place of the file") as caught:
        predict(tmp_path / "a.keras", tmp_path / "x.npy")
    assert "\n" not in str(caught.value)


def test_rows_of_a_table_get_the_answers_of_the_stored_values(keras: Any, tmp_path: Path) -> None:
    from tunefront.search.data.encoder import encoder_of, kept_model
    from tunefront.search.data.sources.columns import ColumnsSource

    path = tmp_path / "students.csv"
    write_students(path, 60)
    table = ColumnsSource.model_validate(
        {"source": "columns", "path": str(path), "missing": "fill", "test_fraction": 0.0, "equal_rows": "apart"}
    )
    dataset = prepare(table, 0)
    keras.utils.set_random_seed(1)
    inputs = keras.Input((len(dataset.columns),))
    features = encoder_of(dataset)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, "softmax")(features))
    kept_model(model, dataset).save(tmp_path / "a.keras")
    columns = [{"name": column.name, "kind": column.kind} for column in dataset.columns]
    write_card(
        tmp_path / "a.keras", class_names=list(dataset.class_names), positive_class=None, input={"columns": columns}
    )
    parts = [model.predict(np.array(dataset.split(name).images), verbose=0) for name in ("train", "validation")]
    found, expected = answers(tmp_path / "a.keras", path), np.concatenate(parts)
    assert np.sort(found[:, 0]) == pytest.approx(np.sort(expected[:, 0]), abs=1e-6)
    assert np.ptp(expected[:, 0]) > 0.2
    # A column that the model does not take makes no difference, nor does another order.
    lines = [line.split(",")[::-1] for line in path.read_text().splitlines()]
    path.write_text("".join(";".join(["x", *cells]) + "\n" for cells in lines))
    assert answers(tmp_path / "a.keras", path) == pytest.approx(found, abs=1e-6)


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
