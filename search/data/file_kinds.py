"""The kinds of files that are no images, recognized by their first bytes, and what to do with them."""

from __future__ import annotations

import codecs

_N_START_BYTES = 512  # bytes
_HEIF_BRANDS = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1")
)
_LFS_POINTER = b"version https://git-lfs"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ARRAYS_HINT = 'its values belong into arrays: source = "npz"'
_UNPACKING_HINT = "unpack it, and name what was in it"
_FRAMES_HINT = "save the frames to use as JPEG or PNG"
_CONVERSION_HINT = "convert it to JPEG or PNG"
_BEGINNINGS: tuple[tuple[int, bytes, str], ...] = (  # offset, bytes there, what it is and what to do
    (0, b"%PDF", "is a PDF document: save its pages as PNG"),
    (0, b"%!PS", "is a PostScript drawing: save it as PNG"),
    (0, b"8BPS", f"is a Photoshop file: {_CONVERSION_HINT}"),
    (0, b"\xff\x0a", f"is a JPEG XL image, which cannot be read here: {_CONVERSION_HINT}"),
    (0, b"\x00\x00\x00\x0cJXL ", f"is a JPEG XL image, which cannot be read here: {_CONVERSION_HINT}"),
    (0, b"v/1\x01", f"is an OpenEXR image of floating-point values: {_ARRAYS_HINT}"),
    (0, b"FUJIFILMCCD-RAW", f"is a camera's raw file: {_CONVERSION_HINT}"),
    (128, b"DICM", f"is a DICOM file: convert it to PNG, or {_ARRAYS_HINT}"),
    (344, b"n+1\x00", f"is a NIfTI volume: {_ARRAYS_HINT}"),
    (0, b"SIMPLE  =", f"is a FITS file: {_ARRAYS_HINT}"),
    (0, b"\x93NUMPY", f"is a NumPy array: {_ARRAYS_HINT}"),
    (0, b"\x89HDF", f"is an HDF5 file: {_ARRAYS_HINT}"),
    (0, b"PK\x03\x04", f"is a ZIP archive: {_UNPACKING_HINT}"),
    (0, b"PK\x05\x06", "is an empty ZIP archive: make it again"),
    (0, b"\x1f\x8b", f"is compressed with gzip: {_UNPACKING_HINT}"),
    (0, b"7z\xbc\xaf\x27\x1c", f"is a 7z archive: {_UNPACKING_HINT}"),
    (0, b"Rar!", f"is a RAR archive: {_UNPACKING_HINT}"),
    (257, b"ustar", f"is a TAR archive: {_UNPACKING_HINT}"),
    (0, b"\x1a\x45\xdf\xa3", f"is a film (Matroska or WebM): {_FRAMES_HINT}"),
    (8, b"AVI LIST", f"is a film (AVI): {_FRAMES_HINT}"),
    (0, b"\x00\x00\x01\x00", f"is a Windows icon: {_CONVERSION_HINT}"),
    (0, b"\x00\x05\x16\x07", "is a Mac's note about another file, and no image: remove it"),
)


def describe_kind(data: bytes) -> str:
    """Describe a whole file of at least one byte, in words that follow its name, and say what to do with it."""
    if not data.strip(b"\0"):
        return "holds only zeros, as after a download or copy that was broken off: copy it again"
    if is_lfs_pointer(data):
        return "is a pointer that Git LFS left in place of the file: run git lfs pull"
    if data[4:8] == b"ftyp":
        return _describe_media(data[8:12])
    for offset, beginning, what in _BEGINNINGS:
        if data.startswith(beginning, offset):
            return what
    return _describe_text(data[:_N_START_BYTES])


def is_lfs_pointer(data: bytes) -> bool:
    """Return whether the bytes are a Git LFS pointer, which stands for a file that was not downloaded."""
    return data.startswith(_LFS_POINTER)


def is_utf16(data: bytes) -> bool:
    """Return whether the bytes are UTF-16 text, with or without a byte-order mark."""
    start = data[:_N_START_BYTES]
    if start.startswith(_UTF16_MARKS):
        return True
    halves = (start[::2], start[1::2])
    return any(
        len(zeros) > 1 and not zeros.strip(b"\0") and b"\0" not in letters and _is_utf8(letters)
        for letters, zeros in (halves, halves[::-1])
    )


def _describe_media(brand: bytes) -> str:
    """Describe a file of the MP4 family by its brand."""
    if brand in _HEIF_BRANDS:
        return "is a HEIC photo, as telephones make them, which cannot be read here: convert it to JPEG"
    if brand in (b"avif", b"avis"):
        return f"is a damaged AVIF image, or one that the installed Pillow cannot read: {_CONVERSION_HINT}"
    if brand == b"crx ":
        return f"is a camera's raw file: {_CONVERSION_HINT}"
    return f"is a film (MP4 or QuickTime): {_FRAMES_HINT}"


def _describe_text(start: bytes) -> str:
    if not (is_utf16(start) or _is_utf8(start)):
        return 'is no image; raw values belong into arrays: source = "npz"'
    if b"<html" in start.lower():
        return "is no image, but a web page: download the image again"
    return "is an SVG drawing: save it as PNG" if b"<svg" in start.lower() else "is no image, but text"


def _is_utf8(start: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(start)  # tolerates a last character that is cut in two
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter in "\t\n\r\f\ufeff" for letter in text)
