"""Files of 16 bits a channel: the values they hold, and the pixels that these become."""

from __future__ import annotations

import io
import itertools
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.search.data.pictures import pictures, source
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.decoding.deep_pixels import deep_values, depth_of, to_8_bits

GREY, COLOUR, GREY_AND_ALPHA, COLOUR_AND_ALPHA = 0, 2, 4, 6  # of the PNG specification


def png(values: np.ndarray[Any, Any], colour_type: int = GREY) -> bytes:
    """Return a PNG of 16 bits a channel, every second row with the filter "Sub"; Pillow writes only grey ones."""
    n_channels = values.shape[2] if values.ndim == 3 else 1
    rows = b""
    for number, row in enumerate(values.astype(">u2").reshape(len(values), -1)):
        data = np.frombuffer(row.tobytes(), np.uint8).astype(int)
        data[2 * n_channels :] -= (number % 2) * data[: -2 * n_channels]
        rows += bytes([number % 2]) + (data % 256).astype(np.uint8).tobytes()
    return png_of(rows, (len(values), values.shape[1]), colour_type)


def png_of(rows: bytes, size: tuple[int, int], colour_type: int) -> bytes:
    """Return a PNG of 16 bits a channel, of rows that each begin with the number of their filter."""
    header = struct.pack(">IIBBBBB", size[1], size[0], 16, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def tiff(values: np.ndarray[Any, Any], order: str) -> bytes:
    """Return a TIFF of 16 bits in each of three channels, without compression, in one byte order."""
    height, width, n_channels = values.shape
    data = values.astype(f"{order}u2").tobytes()
    tags = {256: width, 257: height, 258: None, 259: 1, 262: 2, 273: None, 277: n_channels, 278: height, 279: len(data)}
    bits_at = 8 + 2 + 12 * len(tags) + 4
    places = {258: bits_at, 273: bits_at + 2 * n_channels}
    entries = b"".join(
        struct.pack(f"{order}HHII", tag, 3, n_channels, places[tag])
        if tag == 258
        else struct.pack(f"{order}HHII", tag, 4, 1, places[tag] if value is None else value)
        for tag, value in tags.items()
    )
    bits = struct.pack(f"{order}{n_channels}H", *[16] * n_channels)
    start = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    return start + struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + bits + data


def values_of(seed: int, n_channels: int = 0, bits: int = 16, size: tuple[int, int] = (6, 9)) -> np.ndarray[Any, Any]:
    """Return random values of so many bits, including the largest possible one."""
    shape = (*size, n_channels) if n_channels else size
    values = np.random.default_rng(seed).integers(0, 2**bits, shape, dtype=np.uint16)
    values.flat[0] = 2**bits - 1
    return values


def found(data: bytes) -> np.ndarray[Any, Any] | None:
    with Image.open(io.BytesIO(data)) as image:
        return deep_values(image, data)


@pytest.mark.parametrize(
    ("colour_type", "n_channels"), [(GREY, 0), (COLOUR, 3), (GREY_AND_ALPHA, 2), (COLOUR_AND_ALPHA, 4)]
)
def test_all_16_bits_of_a_png_are_read(colour_type: int, n_channels: int) -> None:
    values = values_of(1, n_channels)
    expected = {0: values, 2: values[..., 0]}.get(n_channels, values[..., :3])
    np.testing.assert_array_equal(found(png(values, colour_type)), expected)


@pytest.mark.parametrize("order", ["<", ">"])
def test_all_16_bits_of_a_tiff_of_colours_are_read(order: str) -> None:
    values = values_of(2, 3)
    np.testing.assert_array_equal(found(tiff(values, order)), values)


@pytest.mark.parametrize("compression", [None, "tiff_deflate", "tiff_lzw"])
def test_all_16_bits_of_a_grey_tiff_are_read(compression: str | None) -> None:
    values, buffer = values_of(3), io.BytesIO()
    Image.fromarray(values).save(buffer, "TIFF", compression=compression)
    np.testing.assert_array_equal(found(buffer.getvalue()), values)


def test_deep_images_are_upright() -> None:
    values, buffer = values_of(4), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    Image.fromarray(values).save(buffer, "PNG", exif=exif)
    np.testing.assert_array_equal(found(buffer.getvalue()), np.rot90(values, -1))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "LA"])
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_images_of_8_bits_are_not_deep(mode: str, form: str) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (5, 4)).save(buffer, form)
    assert found(buffer.getvalue()) is None


@pytest.mark.parametrize(
    ("maximum", "depth"),
    [
        (0, 8),
        (255, 8),
        (256, 10),
        (1023, 10),
        (1024, 12),
        (4095, 12),
        (4096, 14),
        (16383, 14),
        (16384, 16),
        (65535, 16),
    ],
)
def test_depth_of_is_the_smallest_that_holds_the_maximum(maximum: int, depth: int) -> None:
    assert depth_of(maximum) == depth


def test_to_8_bits_keeps_the_upper_ones_and_cuts_off_what_is_beyond() -> None:
    values = np.array([0, 15, 16, 4095, 4096, 65535], dtype=np.uint16)
    np.testing.assert_array_equal(to_8_bits(values, 12), [0, 0, 1, 255, 255, 255])
    np.testing.assert_array_equal(to_8_bits(values, 8), [0, 15, 16, 255, 255, 255])
    np.testing.assert_array_equal(to_8_bits(values, 16), values >> 8)


def folder_of(top: Path, bits: dict[str, int], colour: bool = False) -> Path:
    """Write ``images/SPLIT/CLASS/N.png``, four of each of two classes, of so many bits in each split."""
    top = top / "images"
    for number, (split, name, row) in enumerate(itertools.product(bits, "ab", range(4))):
        path = top / split / name / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(values_of(number, 3 if colour else 0, bits[split]), COLOUR if colour else GREY))
    return top


@pytest.mark.parametrize("colour", [False, True], ids=["grey", "colour"])
@pytest.mark.parametrize("bits", [8, 10, 12, 13, 16])
def test_files_are_scaled_by_the_training_split(tmp_path: Path, bits: int, colour: bool) -> None:
    # Validation and test use one bit more, which must neither change the scale nor wrap around.
    beyond = min(bits + 1, 16)
    splits = {"train": bits, "validation": beyond, "test": beyond}
    dataset = prepare(source(folder_of(tmp_path, splits, colour), channels=3 if colour else 1), seed=1)
    depth = {8: 8, 10: 10, 12: 12, 13: 14, 16: 16}[bits]
    assert dataset.bit_depth == depth
    for first, split in zip((0, 8, 16), splits, strict=True):
        for row, image in enumerate(dataset.split(split).images):
            deep = values_of(first + row, 3 if colour else 0, splits[split])
            expected = np.minimum(deep >> (depth - 8), 255)
            np.testing.assert_array_equal(image, expected if colour else expected[..., np.newaxis])
    assert any(f"use {depth} of them in training" in what for what in dataset.notes)


def test_other_files_beside_deep_ones_stay_as_they_are(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"train": 12, "validation": 12, "test": 12})
    for name, value in (("a", 41), ("b", 42)):
        Image.fromarray(np.full((6, 9), value, np.uint8)).save(folder / "train" / name / "z.png")
    images = prepare(source(folder, channels=1), seed=1).split("train").images
    assert sorted(int(image.max()) for image in images) == [41, 42, *[255] * 8]


def test_equal_deep_files_are_copies_whatever_they_are_scaled_by(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"": 8})
    (folder / "a" / "copy.png").write_bytes((folder / "a" / "0.png").read_bytes())
    dataset = prepare(source(folder, channels=1, validation_fraction=0.25, test_fraction=0.25), seed=1)
    # At 16 bits all of these images are black, and would be copies of each other.
    assert dataset.notes["examples are exact copies of others"] == 1
    assert len(np.unique(dataset.split("train").images, axis=0)) > 1


def test_deep_files_are_not_reused_at_another_scale(tmp_path: Path) -> None:
    dark = prepare(source(folder_of(tmp_path, {"train": 8, "validation": 8, "test": 8}), channels=1), seed=1)
    (tmp_path / "images" / "train" / "a" / "bright.png").write_bytes(png(values_of(99, bits=16)))
    bright = prepare(source(tmp_path / "images", channels=1), seed=1)
    assert (dark.bit_depth, bright.bit_depth) == (8, 16)
    assert dark.split("test").images.max() == 255
    assert bright.split("test").images.max() == 0


def test_a_dataset_without_deep_files_has_no_depth(tmp_path: Path) -> None:
    dataset = prepare(source(pictures(tmp_path / "images")), seed=1)
    assert dataset.bit_depth is None
    assert Dataset.read(Path(dataset.folder)).bit_depth is None


@pytest.mark.parametrize("colour_type", [COLOUR, GREY_AND_ALPHA], ids=["colour", "grey and alpha"])
def test_images_of_several_strips_are_read_whole_and_upright(colour_type: int) -> None:
    values = values_of(5, {COLOUR: 3, GREY_AND_ALPHA: 2}[colour_type], size=(1100, 1001))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    data = png(values, colour_type)
    chunk = b"eXIf" + exif.tobytes().removeprefix(b"Exif\x00\x00")
    written = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    data = data[:33] + written + data[33:]  # behind the header
    expected = np.rot90(values if colour_type == COLOUR else values[..., 0], -1)
    read = found(data)
    assert read is not None
    np.testing.assert_array_equal(read, expected)
    np.testing.assert_array_equal(to_8_bits(read, 12), np.minimum(expected >> 4, 255))


_PEAK = """
import sys
from tunefront.search.data.decoding.decode import Decoding, decode

def peak():
    return 1024 * next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

for name in sys.argv[1:]:
    data = open(name, "rb").read()
    before = peak()
    decode(lambda: data, Decoding((8, 8), 3, "stretch"))
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the largest memory is told by Linux alone")
def test_a_small_file_that_claims_many_pixels_takes_few_bytes_for_each(tmp_path: Path) -> None:
    for name, side in (("small", 9), ("large", 2500)):
        (tmp_path / name).write_bytes(png_of(bytes((1 + 6 * side) * side), (side, side), COLOUR))
    assert (tmp_path / "large").stat().st_size < 100_000
    command = [sys.executable, "-c", _PEAK, str(tmp_path / "small"), str(tmp_path / "large")]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert int(found) / 2500**2 < 20  # its own six, and four for each copy that Pillow has
