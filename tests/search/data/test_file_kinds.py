"""Files among the images that are no images: how they are described, and what to do with them."""

from __future__ import annotations

import io
import zipfile

import pytest

from tunefront.search.data.decoding.decode import BadImageError, Decoding, decode

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.txt", "a")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "is a PDF document: save its pages as PNG"),
        (b"8BPS\x00\x01" + bytes(20), "is a Photoshop file: convert it to JPEG or PNG"),
        (b"\x00\x00\x00\x20ftypisom" + bytes(40), "is a film (MP4 or QuickTime): save the frames to use"),
        (b"\x00\x00\x00\x14ftypqt  " + bytes(40), "is a film (MP4 or QuickTime)"),
        (b"\x1a\x45\xdf\xa3" + bytes(40), "is a film (Matroska or WebM)"),
        (b"RIFF\x24\x00\x00\x00AVI LIST" + bytes(40), "is a film (AVI)"),
        (bytes(128) + b"DICM" + bytes(40), "is a DICOM file: convert it to PNG, or its values belong into arrays"),
        (archive(), "is a ZIP archive: unpack it"),
        (b"\x1f\x8b\x08\x00" + bytes(20), "is compressed with gzip: unpack it"),
        (bytes(10), "holds only zeros, as after a download or copy that was broken off: copy it again"),
        (b"\xff\x0a\xfa\x1f\x41", "is a JPEG XL image, which cannot be read here: convert it"),
        (b"\x00\x00\x00\x0cJXL \x0d\x0a\x87\x0a", "is a JPEG XL image"),
        ("\ufeffhello".encode("utf-16-le"), "is no image, but text"),
        ("hello".encode("utf-16-be"), "is no image, but text"),
        ("naïve, et puis quoi ".encode() * 50, "is no image, but text"),
        (b"a" * 511 + "é".encode(), "is no image, but text"),  # cut within its last letter
        (b"<!DOCTYPE html>\n<HTML><svg>", "is no image, but a web page: download the image again"),
        (b'<?xml version="1.0"?><svg xmlns="x">', "is an SVG drawing: save it as PNG"),
        (b"\x00\x00\x00\x18ftyphevx" + bytes(40), "is a HEIC photo"),
        (b"\x00\x00\x00\x18ftypcrx " + bytes(40), "is a camera's raw file"),
        (POINTER, "is a pointer that Git LFS left in place of the file: run git lfs pull"),
        (b"\x93NUMPY\x01\x00" + bytes(20), 'is a NumPy array: its values belong into arrays: source = "npz"'),
        (b"\x00\x05\x16\x07" + bytes(20), "is a Mac's note about another file"),
        (b"caf\xe9 \x01\x02", "is no image; raw values belong into arrays"),
    ],
)
def test_a_file_that_is_no_image_is_called_by_its_kind(data: bytes, expected: str) -> None:
    with pytest.raises(BadImageError) as caught:
        decode(lambda: data, Decoding(None, 3, "stretch"))
    assert str(caught.value).startswith(expected)
