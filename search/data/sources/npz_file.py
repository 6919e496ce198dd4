"""Arrays of a .npz file, whose headers are first checked against the size of the file and the free memory.

NumPy itself trusts a header and allocates as much memory as it states. For a file that it cannot read, it advises to
let the file run code.
"""

from __future__ import annotations

import lzma
import math
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
import psutil
from numpy.lib import format as npy
from numpy.typing import NDArray

from tunefront.search.data.examples import DataError, read_error, reading_problem
from tunefront.search.system.regular_files import open_file

READING_ERRORS = (  # errors of reading a damaged archive or header
    *(OSError, EOFError, ValueError, TypeError, RuntimeError, NotImplementedError, OverflowError),
    *(MemoryError, RecursionError),  # from Python's parser, for a header that is nested too deep
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, tokenize.TokenError),
)
_ZIP, _NPY = b"PK", b"\x93NUMPY"
_MAX_HEADER_BYTES = 10_000  # NumPy's own limit, which NumPy checks only after reading the header


def check_npz(path: Path, is_wanted: Callable[[str], bool]) -> None:
    """Check that the file is there and that its wanted arrays can be read; read headers only.

    Raises:
        DataError: Names the file and what is wrong.
    """
    with _opened(path) as archive:
        n_bytes = sum(_promised_bytes(archive, name, path) for name in _names(archive) if is_wanted(name))
    free = psutil.virtual_memory().available
    if n_bytes > free:
        raise DataError(
            f"data.path: {path}: its arrays take {n_bytes / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB of memory are free: "
            "write fewer examples or smaller ones, or image files instead of arrays"
        )


def read_npz(path: Path, is_wanted: Callable[[str], bool]) -> dict[str, NDArray[Any]]:
    """Return the wanted arrays by their names, without reading others.

    Raises:
        DataError: Names the file and what is wrong.
    """
    check_npz(path, is_wanted)
    with _opened(path) as archive:
        arrays = {}
        for name in filter(is_wanted, _names(archive)):
            try:
                with archive.open(f"{name}.npy") as member:
                    arrays[name] = npy.read_array(member, allow_pickle=False)
            except READING_ERRORS as error:
                raise _unreadable(path, f"its array {name}: {reading_problem(error)}") from None
            if not _is_text(arrays[name]):
                raise _unreadable(path, f"its array {name} has characters in it that there are not")
        return arrays


def array_names(path: Path) -> list[str]:
    """Return the names of all arrays in the file."""
    with _opened(path) as archive:
        return _names(archive)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        file = open_file(path)
        first = file.read(len(_NPY))
        if first == _NPY:
            raise DataError(f"data.path: {path} is one array: write a .npz with numpy.savez(path, x=..., y=...)")
        if not first.startswith(_ZIP):
            raise _unreadable(path, "it does not begin as one" if first else "it is empty")
        return _OwningZip(file)
    except OSError as error:
        raise read_error(path, error) from None
    except READING_ERRORS as error:
        raise _unreadable(path, reading_problem(error)) from None


class _OwningZip(zipfile.ZipFile):
    """A zip archive that closes the file it was given."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        super().__init__(file)

    def close(self) -> None:
        super().close()
        self._file.close()


def _names(archive: zipfile.ZipFile) -> list[str]:
    return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]


def _promised_bytes(archive: zipfile.ZipFile, name: str, path: Path) -> int:
    """Return the bytes that an array takes according to its header."""
    member = archive.getinfo(f"{name}.npy")
    try:
        with archive.open(member) as file:
            shape, dtype = _read_header(file)
            n_left = member.file_size - file.tell()
    except READING_ERRORS as error:
        raise _unreadable(path, f"its array {name}: {reading_problem(error)}") from None
    if dtype.hasobject:
        raise DataError(
            f"data.path: {path}: {name} is one of arrays of objects, which are refused because reading them would run "
            "code: give it a type of numbers or texts"
        )
    n_bytes = math.prod(shape) * int(dtype.itemsize)
    if n_bytes != n_left:
        raise _unreadable(path, f"its array {name} promises {n_bytes:,} bytes, and has {n_left:,}")
    return n_bytes


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], Any]:
    version = npy.read_magic(file)
    start = file.tell()
    n_bytes = int.from_bytes(file.read(2 if version == (1, 0) else 4), "little")
    if n_bytes > _MAX_HEADER_BYTES:
        raise ValueError(f"its header promises {n_bytes:,} bytes, and has at most {_MAX_HEADER_BYTES:,}")
    file.seek(start)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read_header(file)
    return shape, dtype


def _is_text(array: NDArray[Any]) -> bool:
    """Return whether texts hold valid characters, because NumPy takes any number for one. True for other arrays."""
    if array.dtype.kind != "U" or not array.dtype.itemsize:
        return True
    codes = np.ascontiguousarray(array).reshape(-1).view(array.dtype.byteorder.replace("=", "") + "u4")
    return not ((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes < 0xE000))).any()


def _unreadable(path: Path, why: str) -> DataError:
    return DataError(f"data.path: {path} cannot be read as a .npz file ({why}): write it again with numpy.savez")
