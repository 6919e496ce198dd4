"""A model's file and the card beside it, checked before anything loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunefront.search.data.decoding.decode import Decoding
from tunefront.search.models.extras import MissingExtraError
from tunefront.search.prediction.model_file import is_model_name, open_model_file
from tunefront.search.prediction.prediction_card import ModelFileError, PredictionCard, read_card

SIZED = {"shape": [4, 6, 3], "size": [4, 6], "channels": 3, "resize": "pad", "bit_depth_of_16_bit_files": 12}


def card(**more: Any) -> PredictionCard:
    return PredictionCard.model_validate({"class_names": ["cat", "dog"], **more})


def test_the_card_of_each_format_is_found(tmp_path: Path) -> None:
    for name in ("trial-3.keras", "trial-3.int8.tflite", "trial-3.onnx"):
        (tmp_path / name).write_bytes(b"model")
    for place, name in enumerate(("trial-3.json", "trial-3.int8.json", "trial-3.onnx.json")):
        (tmp_path / name).write_text(json.dumps({"class_names": ["cat", f"dog {place}"]}))
    names = {path.suffix: read_card(path).class_names[1] for path in tmp_path.glob("*[!n]")}
    assert names == {".keras": "dog 0", ".tflite": "dog 1", ".onnx": "dog 2"}
    (tmp_path / "trial-3.onnx.json").unlink()
    assert read_card(tmp_path / "trial-3.onnx").class_names[1] == "dog 0"


def test_inputs_are_what_the_card_says() -> None:
    assert card(input=SIZED).input.decoding == Decoding((4, 6), 3, "pad", 12)
    exported = card(input={**SIZED, "shape": [1, 4, 6, 3], "dtype": "int8"}).input
    assert exported.example_shape == (4, 6, 3)
    assert card(input={"size": [4, 6], "channels": 1}).input.example_shape == (4, 6, 1)
    arrays = card(input={"shape": [8, 8, 1], "values": "pixels from 0 to 255"}).input
    assert arrays.decoding == Decoding((8, 8), 1, "stretch")
    assert card(input={"shape": [8, 8, 5]}).input.decoding is None
    assert card(input={"shape": [8, 8, 1], "values": "as the source has them"}).input.decoding is None


def test_outputs_beyond_the_classes_have_names_too() -> None:
    assert card(n_outputs=4).names == ("cat", "dog", "(output 2)", "(output 3)")
    assert card(output={"shape": [1, 3]}).names == ("cat", "dog", "(output 2)")
    assert card(output={"shape": [1, 1]}).names == ("cat", "dog")
    assert card(class_names=[], numbers={"unit": "as the labels are"}).names == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[]", "valid dictionary"),
        ("{}", "class_names must name two classes or more"),
        ('{"class_names": ["a", "a"]}', "names a class twice"),
        ('{"class_names": ["a", "b"], "positive_class": "c"}', "positive_class is 'c', which is none of class_names"),
        ('{"class_names": ["a", "b"], "input": {"size": [0, 3]}}', "input.size.0: "),
        ('{"class_names": ["a", "b"], "input": {"resize": "blur"}}', "input.resize: "),
    ],
)
def test_a_card_that_does_not_say_enough_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "a.keras").write_bytes(b"model")
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ModelFileError, match=why) as caught:
        open_model_file(tmp_path / "a.keras")
    assert "a.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_of_somebody_else_is_refused_with_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "a.keras").write_bytes(b"model")
    with pytest.raises(ModelFileError, match="there is no a.json beside it, .* write one, such as (.*)$") as caught:
        open_model_file(tmp_path / "a.keras")
    advice = str(caught.value).partition("such as ")[2]
    (tmp_path / "a.json").write_text(advice)
    assert open_model_file(tmp_path / "a.keras").card.input.decoding == Decoding((224, 224), 3, "stretch")


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"model")
    with pytest.raises(ModelFileError, match=r"a.h5 is none of .keras, .tflite, .onnx: save the model with"):
        open_model_file(tmp_path / "a.h5")
    with pytest.raises(ModelFileError, match="there is no file .*b.keras"):
        open_model_file(tmp_path / "b.keras")
    (tmp_path / "c.keras").mkdir()
    with pytest.raises(ModelFileError, match="c.keras cannot be read: it is a folder"):
        open_model_file(tmp_path / "c.keras")
    assert [is_model_name(name) for name in ("a.keras", "x/b.TFLITE", "c.h5", "digits", "v1.2")] == [True] * 3 + [
        False
    ] * 2


def test_a_missing_runtime_is_named_before_anything_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.onnx").write_bytes(b"model")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"a.onnx needs another package: pip install 'tunefront\[onnx\]'"):
        open_model_file(tmp_path / "a.onnx")
