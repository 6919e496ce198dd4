"""The decoding of one image file to pixels: sizes, channels, orientation, and what is refused."""

from __future__ import annotations

import io
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.search.data.pictures import pixels
from tunefront.search.data.decoding.decode import BadImageError, Decoding, decode, size_of


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def decoded(data: bytes, size: tuple[int, int] | None = None, channels: Any = 3, resize: Any = "stretch") -> np.ndarray:
    return decode(lambda: data, Decoding(size, channels, resize)).pixels


def halves(height: int = 4, width: int = 8) -> np.ndarray:
    """Return a grey image, black on the left and white on the right."""
    values = np.zeros((height, width), np.uint8)
    values[:, width // 2 :] = 255
    return values


# Pixels


def test_decode_gives_the_pixels_that_were_saved() -> None:
    values = pixels(1, (5, 7))
    np.testing.assert_array_equal(decoded(encoded(Image.fromarray(values))), values)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM"])
def test_decode_reads_the_usual_formats(form: str) -> None:
    assert decoded(encoded(Image.fromarray(pixels(1)), form)).shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("mode", "colour", "channels", "expected"),
    [
        ("RGB", (10, 20, 30), 3, [10, 20, 30]),
        ("RGB", (100, 100, 100), 1, [100]),
        ("L", 50, 3, [50, 50, 50]),
        ("L", 50, 1, [50]),
        ("1", 1, 1, [255]),
        ("RGBA", (10, 20, 30, 0), 3, [10, 20, 30]),
        ("LA", (50, 0), 1, [50]),
        ("P", 0, 3, [0, 0, 0]),
        ("I;16", 0x8040, 1, [0x80]),
        ("I;16", 0x8040, 3, [0x80] * 3),
    ],
)
def test_decode_converts_channels(mode: str, colour: Any, channels: int, expected: list[int]) -> None:
    data = encoded(Image.new(mode, (3, 2), colour))
    assert decoded(data, channels=channels).tolist() == [[expected] * 3] * 2


@pytest.mark.parametrize(
    ("resize", "expected"),
    [
        # 4 x 8 pixels, black and white halves, to 4 x 4
        ("stretch", [[0, 0, 255, 255]] * 4),
        ("crop", [[0, 0, 255, 255]] * 4),
        ("pad", [[0] * 4, [0, 0, 255, 255], [0, 0, 255, 255], [0] * 4]),
    ],
)
def test_decode_resizes(resize: str, expected: list[list[int]]) -> None:
    found = decoded(encoded(Image.fromarray(halves())), (4, 4), 1, resize)[..., 0]
    np.testing.assert_allclose(found, expected, atol=40)  # the filter reaches over the edge in the middle


def test_decode_crops_the_middle() -> None:
    values = np.repeat(np.array([[10, 10, 200, 200, 10, 10]], np.uint8), 2, axis=0)
    np.testing.assert_array_equal(decoded(encoded(Image.fromarray(values)), (2, 2), 1, "crop")[..., 0], [[200] * 2] * 2)


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("size", [(1, 500), (500, 1), (3, 3), (1, 1)])
def test_decode_gives_the_size_whatever_the_shape(resize: str, size: tuple[int, int]) -> None:
    assert decoded(encoded(Image.fromarray(pixels(1, size))), (6, 4), 3, resize).shape == (6, 4, 3)


def test_decode_averages_when_it_shrinks() -> None:
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    found = decoded(encoded(Image.fromarray(board.astype(np.uint8))), (4, 4), 1)
    assert abs(found.astype(float) - 127.5).max() < 10


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [(1, lambda v: v), (3, lambda v: v[::-1, ::-1]), (6, lambda v: np.rot90(v, -1)), (8, lambda v: np.rot90(v, 1))],
)
def test_decode_turns_images_as_exif_says(orientation: int, turned: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    values = pixels(1, (4, 6))
    data = encoded(Image.fromarray(values), exif=exif)
    expected = turned(values)
    np.testing.assert_array_equal(decoded(data), expected)
    assert size_of(lambda: data) == expected.shape[:2]


def test_decode_of_a_large_photo_is_near_to_that_of_its_pixels() -> None:
    photo = Image.fromarray(pixels(1, (40, 50))).resize((1000, 800), Image.Resampling.BICUBIC)
    found, whole = (decoded(encoded(photo, form), (24, 32)).astype(float) for form in ("JPEG", "PNG"))
    assert abs(found - whole).mean() < 3


def test_decode_takes_the_first_image_of_a_film() -> None:
    films = [Image.new("L", (3, 3), shade) for shade in (40, 200)]
    assert decoded(encoded(films[0], "GIF", save_all=True, append_images=films[1:]), channels=1).max() == 40


# What is refused


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """Return a PNG of a few bytes whose header claims many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


PHOTO = encoded(Image.fromarray(pixels(1, (64, 64))), "JPEG")


@pytest.mark.parametrize(
    ("data", "fragment"),
    [
        (b"", "is empty (0 bytes)"),
        (b"hello", "is no image, but text"),
        (bytes(range(256)) * 12, "is no image; raw values belong into arrays"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(40), "is a HEIC photo, as telephones make them"),
        (bytes(3000), "holds only zeros, as after a download or copy that was broken off: copy it again"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is a PostScript drawing"),  # would start Ghostscript
        (PHOTO[: len(PHOTO) // 2], "truncated"),
        (PHOTO[:20], ""),
        (encoded(Image.fromarray(pixels(1, (64, 64))))[:200], "truncated"),
        (bomb(), "more than 150,000,000 pixels"),
        (bomb(13_000, 13_000), "more than 150,000,000 pixels"),  # Pillow itself only warns
        (encoded(Image.new("F", (2, 2)), "TIFF"), "floating-point"),
        (encoded(Image.new("I", (2, 2), 70_000), "TIFF"), "more than 16 bits"),
    ],
)
def test_decode_refuses(data: bytes, fragment: str) -> None:
    with pytest.raises(BadImageError) as caught:
        decoded(data, (4, 4))
    assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("data", "fragment"), [(b"", "empty"), (b"hello", "no image"), (bomb(), "more than 150,000,000 pixels")]
)
def test_size_of_refuses_what_the_header_tells(data: bytes, fragment: str) -> None:
    with pytest.raises(BadImageError, match=fragment):
        size_of(lambda: data)


def test_decode_tells_why_a_file_cannot_be_read() -> None:
    def read() -> bytes:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(BadImageError, match="Permission denied"):
        decode(read, Decoding(None, 3, "stretch"))


# As the README says


def readme_block(first_line: str) -> str:
    text = (Path(__file__).parents[4] / "README.md").read_text(encoding="utf-8")
    (block,) = [found for found in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if found.startswith(first_line)]
    return str(block)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize(("height", "width"), [(300, 200), (1600, 1200)])
def test_the_lines_of_the_readme_make_the_same_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orientation: int, height: int, width: int
) -> None:
    smooth = np.asarray(Image.fromarray(pixels(3, (9, 7))).resize((width, height), Image.Resampling.BICUBIC))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(smooth), "JPEG", quality=90, exif=exif)
    (tmp_path / "photo.jpg").write_bytes(data)
    monkeypatch.chdir(tmp_path)
    given: list[np.ndarray] = []

    class Model:
        def predict(self, images: np.ndarray) -> None:
            given.append(images)

    exec(readme_block("import numpy as np\nfrom PIL"), {"model": Model()})
    np.testing.assert_array_equal(given[0][0], decoded(data, (224, 224)))
