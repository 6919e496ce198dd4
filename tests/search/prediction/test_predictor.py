"""Answers of Keras's models, against Keras and Pillow used by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.example_data import write_students
from tests.search.data.pictures import pixels, source
from tests.search.prediction.predictions import answers, make_model, predict, write_card
from tunefront.search.data.cache import prepare
from tunefront.search.prediction.prediction_card import ModelFileError

SIZE = (12, 10)  # height, width


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
