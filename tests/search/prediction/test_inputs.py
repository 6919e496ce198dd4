"""What may be predicted: found, put in order, and read."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.search.data.pictures import picture, pixels
from tunefront.search.prediction.examples import UnseenExample
from tunefront.search.prediction.inputs import InputError, find_inputs
from tunefront.search.prediction.natural_order import natural_key
from tunefront.search.prediction.prediction_card import InputCard
from tunefront.search.prediction.web_address import AddressError

IMAGES = InputCard(size=(4, 6), channels=3)
ARRAYS = InputCard(shape=(8, 3), values="as the source has them")
TABLE = InputCard.model_validate(
    {"columns": [{"name": "age", "kind": "number"}, {"name": "town", "kind": "category", "categories": ["Rome"]}]}
)


def read(*named: Any, card: InputCard = IMAGES) -> list[UnseenExample]:
    return [example for source in find_inputs([str(name) for name in named], card) for example in source.examples()]


def problems(*named: Any, card: InputCard = IMAGES) -> dict[str, str]:
    return {Path(example.name).name: example.problem for example in read(*named, card=card) if example.problem}


def test_numbers_in_names_count_as_numbers() -> None:
    expected = ["a2/b10.png", "a10/b9.png", "IMG1.png", "img02.png", "img2.png", "img10.png", "img10a.png", "img.png"]
    assert sorted({*expected}, key=natural_key) == expected


def test_files_come_in_order_whether_named_or_found(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        picture(tmp_path / f"img{number}.png", number)
    picture(tmp_path / "sub" / "img3.JPG", 3)
    for name in ("notes.txt", ".hidden.png", "Thumbs.db", "features.npy"):
        (tmp_path / name).write_text("no image")
    (tmp_path / "link.png").symlink_to(tmp_path / "img2.png")
    named = [tmp_path / "img10.png", tmp_path, "http://cam/b.jpg", "http://cam/a.jpg"]
    found = find_inputs([str(name) for name in named], IMAGES)
    names = [os.path.relpath(source.name, tmp_path) for source in found[:-2]]
    assert names == ["img1.png", "img2.png", "img10.png", "link.png", "sub/img3.JPG"]
    assert [source.name for source in found[-2:]] == ["http://cam/b.jpg", "http://cam/a.jpg"]  # as typed
    examples = read(tmp_path)
    assert [example.problem for example in examples] == [""] * 5
    assert all(example.values.shape == (4, 6, 3) for example in examples)
    np.testing.assert_array_equal(examples[1].values, examples[3].values)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("page.png", b"<html>404</html>", "is no image, but a web page: download the image again"),
        ("empty.jpg", b"", "is empty (0 bytes)"),
        ("bomb.pgm", b"P5 100000 100000 255\n\0", "has more than 150,000,000 pixels: make it smaller"),
        ("model.png", b"PK\x03\x04", "is a ZIP archive: unpack it, and name what was in it"),
    ],
)
def test_a_bad_file_has_its_reason(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert problems(tmp_path / name) == {name: why}


def test_pipes_and_dangling_links_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "nothing")
    assert problems(tmp_path / "pipe.png", tmp_path / "link.png") == {
        "pipe.png": "not a file",
        "link.png": "No such file or directory",
    }


def test_names_of_odd_bytes_can_be_printed(tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"a\xff\n\x1b.png")
    Path(os.fsdecode(path)).write_bytes(b"x")
    (source,) = find_inputs([str(tmp_path)], IMAGES)
    assert source.name.endswith("a\\xff\\n\\x1b.png")


@pytest.mark.parametrize(
    ("named", "card", "why"),
    [
        ("nothing.png", IMAGES, "there is no file or folder 'nothing.png' .looked for in "),
        ("", TABLE, "the folder . has no table .* in it"),
        ("", ARRAYS, "the folder . has no array .* in it"),
        ("", IMAGES, "the folder . has no image in it"),
        ("x.txt", ARRAYS, "x.txt: this model takes arrays of shape 8 x 3, no images"),
        ("http://u:hush@cam/a.jpg", TABLE, "^http://cam/a.jpg: this model takes no images"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, card: InputCard, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(InputError, match=why):
        find_inputs([named or "."], card)
    with pytest.raises(AddressError, match="only http and https can"):
        find_inputs(["file:///etc/passwd"], IMAGES)


@pytest.mark.parametrize("text", ["anna:hush@192.168.1.20/x.jpg", "http:/anna:hush@cam/x.jpg", "anna:hu/sh@cam/x.jpg"])
def test_an_address_without_its_beginning_is_asked_for_it_and_not_shown(text: str) -> None:
    with pytest.raises(InputError, match="with a user and a password, write http://") as caught:
        find_inputs([text], IMAGES)
    assert "hu" not in str(caught.value)
    assert "anna" not in str(caught.value)


def test_a_file_may_be_called_like_an_address(tmp_path: Path) -> None:
    picture(tmp_path / "anna:1@home.png", 1)
    assert [example.problem for example in read(tmp_path / "anna:1@home.png")] == [""]


def test_pixels_of_arrays_are_stretched_from_files_and_taken_as_they_are_from_arrays(tmp_path: Path) -> None:
    card = InputCard(shape=(8, 8, 3))
    picture(tmp_path / "a.png", 1, (8, 8))
    picture(tmp_path / "b.png", 1, (30, 50))
    np.save(tmp_path / "c.npy", np.stack([pixels(1), pixels(2)]).astype(np.int64))
    found = {Path(example.name).name: example.values for example in read(tmp_path, card=card)}
    assert list(found) == ["a.png", "b.png", "c.npy[0]", "c.npy[1]"]
    np.testing.assert_array_equal(found["a.png"], pixels(1))
    assert found["b.png"].shape == (8, 8, 3)
    np.testing.assert_array_equal(found["c.npy[1]"], pixels(2))
    assert found["c.npy[1]"].dtype == np.uint8


def test_arrays_of_one_example_or_of_several(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(3, 8, 3))
    np.save(tmp_path / "one.npy", values[0])
    np.save(tmp_path / "several.npy", values)
    np.savez(tmp_path / "named.npz", y=np.arange(3), x=values)
    np.savez(tmp_path / "single.npz", whatever=values[2])
    found = {Path(example.name).name: example.values for example in read(tmp_path, card=ARRAYS)}
    assert list(found) == [f"named.npz[{place}]" for place in range(3)] + ["one.npy"] + [
        f"several.npy[{place}]" for place in range(3)
    ] + ["single.npz"]
    for name, expected in (("named.npz[1]", 1), ("one.npy", 0), ("several.npy[2]", 2), ("single.npz", 2)):
        np.testing.assert_array_equal(found[name], values[expected].astype(np.float32))


def test_grey_arrays_need_no_axis_of_channels_and_scales_become_pixels(tmp_path: Path) -> None:
    grey = pixels(1, (8, 8), 1)[..., 0]
    np.save(tmp_path / "grey.npy", grey)
    np.save(tmp_path / "fractions.npy", np.stack([grey, grey]) / 255)
    names = [tmp_path / "grey.npy", tmp_path / "fractions.npy"]
    plain, scaled = (InputCard.model_validate({"shape": (8, 8, 1), "scale_of_source": scale}) for scale in ("", "0..1"))
    assert problems(*names, card=plain) == {
        "fractions.npy": "has values up to 1, and the model takes pixels from 0 to 255: multiply by 255"
    }
    np.testing.assert_array_equal(read(names[0], card=plain)[0].values, grey[..., None])
    np.testing.assert_allclose(read(names[1], card=scaled)[1].values, grey[..., None], atol=1e-4)
    assert problems(names[0], card=scaled) == {
        "grey.npy": "has values that are not on the scale 0..1, on which those of the training were"
    }


def test_bad_arrays_have_their_reasons(tmp_path: Path) -> None:
    np.save(tmp_path / "shape.npy", np.zeros((5, 4)))
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    np.savez(tmp_path / "two.npz", a=np.zeros(3), b=np.zeros(3))
    (tmp_path / "text.npy").write_text("no array")
    half = np.zeros((2, 8, 3))
    half[1, 3, 2] = np.nan
    np.save(tmp_path / "half.npy", half)
    (tmp_path / "short.npy").write_bytes((tmp_path / "half.npy").read_bytes()[:200])
    os.mkfifo(tmp_path / "pipe.npy")
    named = [str(path) for path in tmp_path.iterdir()]
    found = problems(*named, card=ARRAYS)
    assert found.pop("half.npy[1]").startswith("its array[0, 3, 2] is nan")
    assert found.pop("text.npy").startswith("is no array of NumPy that can be read")
    assert found.pop("short.npy").startswith("is no array of NumPy that can be read")
    assert found.pop("objects.npy").startswith("is no array of NumPy that can be read: Array can't be memory-mapped")
    assert found.pop("pipe.npy").startswith("cannot be read: it is a pipe")
    assert found == {
        "shape.npy": "has shape 5 x 4, and the model takes 8 x 3, or several of them",
        "two.npz": "has the arrays a, b: call the one to use x",
    }


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 8, 3)}",
        f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({10**30}, 8, 3)}}",
        f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({2**40}, 8, 3)}}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 8, 3",
        "(" * 5000,
        "{'descr': '<f8', 'fortran_order': False, 'shape': ('a', 8, 3)}",
    ],
)
def test_a_damaged_header_is_a_bad_row_and_no_end(tmp_path: Path, header: str) -> None:
    values = np.random.default_rng(0).normal(size=(8, 3))
    np.save(tmp_path / "b.npy", values)
    text = header.encode() + b"\n"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + values.tobytes())
    bad, good = read(tmp_path, card=ARRAYS)
    assert bad.problem.startswith("is no array of NumPy that can be read")
    np.testing.assert_array_equal(good.values, values.astype(np.float32))


def test_an_archive_under_the_name_of_an_array_is_told_its_own(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((8, 3)))
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    assert problems(tmp_path, card=ARRAYS) == {
        "a.npy": "is an archive of arrays (.npz) under another name: call it .npz"
    }


def test_rows_of_tables_are_taken_by_the_names_of_their_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('\ufeffgrade; town ;age\n\nA;"Ro;me"; 7.5\nB;NA;\nC;;x\nD;Rome\n', encoding="utf-8")
    examples = read(tmp_path / "a.csv", card=TABLE)
    assert [example.name.partition(": ")[2] for example in examples] == ["line 3", "line 4", "line 5", "line 6"]
    assert examples[0].values == {"age": 7.5, "town": "Ro;me"}
    assert examples[1].values["town"] == ""
    assert np.isnan(examples[1].values["age"])
    assert [example.problem for example in examples[2:]] == [
        "has 'x' in age, which is a column of numbers",
        "has 2 values, and there are 3 columns",
    ]


def test_a_table_without_a_header_has_numbers_for_names(tmp_path: Path) -> None:
    card = InputCard.model_validate({"columns": [{"name": "2", "kind": "number"}, {"name": "1", "kind": "category"}]})
    (tmp_path / "a.csv").write_text("x,1,no\ny,2,yes\n")
    assert [example.values for example in read(tmp_path / "a.csv", card=card)] == [
        {"2": 1.0, "1": "x"},
        {"2": 2.0, "1": "y"},
    ]


@pytest.mark.parametrize("text", ["age,town\n7,Rome,\n8,Oslo,,\n", "age,town,,\n7,Rome\n8,Oslo,\n"])
def test_empty_cells_at_the_ends_of_lines_are_no_columns(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text + "9,Bonn,x,y,z\n10\n")
    examples = read(tmp_path / "a.csv", card=TABLE)
    assert [example.values for example in examples[:2]] == [{"age": 7.0, "town": "Rome"}, {"age": 8.0, "town": "Oslo"}]
    assert [bool(example.problem) for example in examples] == [False, False, True, True]


def test_empty_cells_at_the_ends_of_lines_without_a_header_are_none_either(tmp_path: Path) -> None:
    card = InputCard.model_validate({"columns": [{"name": "1", "kind": "category"}, {"name": "2", "kind": "number"}]})
    (tmp_path / "a.csv").write_text("x,,\ny,2\nz,3,,\n")
    assert [example.values for example in read(tmp_path / "a.csv", card=card)][1:] == [
        {"1": "y", "2": 2.0}, {"1": "z", "2": 3.0},
    ]  # fmt: skip


def test_a_first_line_may_be_longer_than_a_cell_can_be(tmp_path: Path) -> None:
    others = [f"column number {number}" for number in range(8000)]
    assert len(",".join(others)) > csv.field_size_limit()
    lines = [["age", "town", *others], ["7", "Rome", *["0"] * len(others)]]
    for separator in ",;":
        (tmp_path / "a.csv").write_text("\n".join(map(separator.join, lines)))
        assert [example.values for example in read(tmp_path / "a.csv", card=TABLE)] == [{"age": 7.0, "town": "Rome"}]
    (tmp_path / "a.csv").write_text("x" * 140_000 + "\n1\n")
    assert problems(tmp_path, card=TABLE)["a.csv"].startswith("cannot be read as CSV (from line 1 on: field larger")


def test_bad_tables_have_their_reasons(tmp_path: Path) -> None:
    texts = {"a.csv": "aged,town\n1,2\n", "b.csv": "age,town\n", "c.csv": "", "d.csv": 'age,town\n1,"2\n'}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "e.csv").write_bytes(b"age,town\n1,\xff\n")
    found = problems(tmp_path, card=TABLE)
    assert found["a.csv"] == "lacks the column age. Did you mean 'aged'? Known: aged, town"
    assert found["b.csv"] == "has no row below its column names"
    assert found["c.csv"] == "is empty"
    assert found["d.csv"].startswith("cannot be read as CSV (from line 2 on: ")
    assert found["e.csv"].startswith("cannot be read as CSV with UTF-8 text (line 2 has the byte 0xff")
