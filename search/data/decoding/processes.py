"""The decoding of many image files, in several processes if that is worth starting them."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tunefront.search.data.decoding.decode import BadImageError, Decoding, decode, size_of
from tunefront.search.data.examples import DataError, Progress
from tunefront.search.system.child_environment import child_environment
from tunefront.search.system.processes import end_with_parent, n_cpus

_N_WORTH_PROCESSES = 200  # images; for fewer, starting processes costs more than it saves
_N_CHUNK = 32

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Decoded:
    """The outcome of decoding some files.

    Attributes:
        digests: A digest of the pixels of each decoded row, or of the values at full depth if they have 16 bits.
        bad: Row -> why it could not be decoded.
        deep_maxima: The largest value of each row that has 16 bits a channel.
    """

    digests: dict[int, str] = field(default_factory=dict)
    bad: dict[int, str] = field(default_factory=dict)
    deep_maxima: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """The height and width of each row that is an image, and why other rows are none."""

    sizes: dict[int, tuple[int, int]]
    bad: dict[int, str]


@dataclass(frozen=True)
class Chunk:
    """Some files, and the rows of the file at `path` that their pixels go to."""

    rows: Sequence[int]
    reads: Sequence[Callable[[], bytes]]
    decoding: Decoding
    path: str


def decode_all(reads: Mapping[int, Callable[[], bytes]], decoding: Decoding, path: Path, report: Progress) -> Decoded:
    """Decode the file of every row into `path`, raw uint8 of shape (n, height, width, channels).

    Rows of bad files, and rows that are not in `reads`, stay as they are.

    Raises:
        DataError: If a decoding process dies.
    """
    whole = Decoded()
    for part in _in_processes(decode_chunk, _chunks(reads, decoding, str(path)), len(reads)):
        whole.digests.update(part.digests)
        whole.bad.update(part.bad)
        whole.deep_maxima.update(part.deep_maxima)
        report("decoding images", len(whole.digests) + len(whole.bad), len(reads))
    return whole


def measure_all(reads: Mapping[int, Callable[[], bytes]], decoding: Decoding, report: Progress) -> Measured:
    """Read the sizes of all files.

    Raises:
        DataError: If a decoding process dies.
    """
    whole = Measured({}, {})
    for part in _in_processes(measure_chunk, _chunks(reads, decoding, ""), len(reads)):
        whole.sizes.update(part.sizes)
        whole.bad.update(part.bad)
        report("reading the sizes of images", len(whole.sizes) + len(whole.bad), len(reads))
    return whole


def decode_chunk(chunk: Chunk) -> Decoded:
    """Decode some files, and write their pixels."""
    decoded = Decoded()
    # Pixels are written, because on a full disk a mapped file would end the process with SIGBUS.
    descriptor = os.open(chunk.path, os.O_WRONLY)
    try:
        for row, read in zip(chunk.rows, chunk.reads, strict=True):
            try:
                picture = decode(read, chunk.decoding)
            except BadImageError as error:
                decoded.bad[row] = str(error)
                continue
            pixels = picture.pixels.tobytes()
            os.pwrite(descriptor, pixels, row * len(pixels))
            if picture.deep:
                decoded.deep_maxima[row] = picture.deep.maximum
            digest = picture.deep.digest if picture.deep else hashlib.blake2b(pixels, digest_size=16).hexdigest()
            decoded.digests[row] = digest
    finally:
        os.close(descriptor)
    return decoded


def measure_chunk(chunk: Chunk) -> Measured:
    """Read the sizes of some files."""
    sizes: dict[int, tuple[int, int]] = {}
    bad: dict[int, str] = {}
    for row, read in zip(chunk.rows, chunk.reads, strict=True):
        try:
            sizes[row] = size_of(read)
        except BadImageError as error:
            bad[row] = str(error)
    return Measured(sizes, bad)


def _chunks(reads: Mapping[int, Callable[[], bytes]], decoding: Decoding, path: str) -> list[Chunk]:
    rows = list(reads)
    parts = [rows[first : first + _N_CHUNK] for first in range(0, len(rows), _N_CHUNK)]
    return [Chunk(part, [reads[row] for row in part], decoding, path) for part in parts]


def _in_processes(function: Callable[[Chunk], _Result], chunks: Sequence[Chunk], n_images: int) -> Iterator[_Result]:
    if n_images < _N_WORTH_PROCESSES or n_cpus() == 1:
        yield from map(function, chunks)
        return
    # A fork would copy the caller, which may have Keras with all its threads. The caller's fork server may have Keras
    # loaded too, which decoders do not need. So the processes are spawned.
    context = multiprocessing.get_context("spawn")
    with child_environment(), ProcessPoolExecutor(min(n_cpus(), len(chunks)), context, _begin) as pool:
        try:
            for future in as_completed([pool.submit(function, chunk) for chunk in chunks]):
                yield future.result()
        except BrokenProcessPool:
            raise DataError(
                "a process that decodes images was killed: most likely the machine ran out of memory. "
                "Close what else uses memory, or make the largest images smaller"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the parent ends this process
    end_with_parent()
