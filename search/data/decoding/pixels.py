"""The values of all examples as one array: unchanged, or decoded from files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.dataset_files import require_space
from tunefront.search.data.decoding.decode import Decoding
from tunefront.search.data.decoding.deep_pixels import FULL_DEPTH, depth_of
from tunefront.search.data.decoding.processes import decode_all, measure_all
from tunefront.search.data.decoding.reuse import reuse
from tunefront.search.data.examples import DataError, Examples, Progress, some_of
from tunefront.search.data.sources.source import FileSource, Source

DECODED = "decoded.raw"  # in the folder of a dataset that is being prepared: pixels in the order of the files
SKIPPED = "skipped.txt"  # in the folder of a prepared dataset: each file that was left out, and why


@dataclass(frozen=True)
class Pixels:
    """The values of all usable examples.

    Attributes:
        values: Shape (m, ...), with m at least the number of examples.
        rows: The row of each example in `values`.
        examples: The examples without the bad images.
        digests: A digest of each example's values.
        decoding: The settings with which files were decoded; None if the values came as an array.
        deep_maxima: Row in `values` -> the largest value, for examples whose files have 16 bits a channel.
        notes: Counts of what was left out.
    """

    values: NDArray[Any]
    rows: NDArray[np.int64]
    examples: Examples
    digests: Sequence[str]
    notes: dict[str, int]
    decoding: Decoding | None = None
    deep_maxima: Mapping[int, int] = field(default_factory=dict)


def pixels_of(examples: Examples, contents: Sequence[str], source: Source, folder: Path, report: Progress) -> Pixels:
    """Return the values of all examples; decode files into a file in `folder`, unless their pixels are known.

    `contents` are the digests of the encoded files, or of the values where they come as an array.

    Raises:
        DataError: Names every bad image, if the source does not skip them; says if the disk is too small.
    """
    content = examples.content
    if isinstance(content, np.ndarray):
        require_space(folder, content.nbytes)
        return Pixels(content, np.arange(len(content)), examples, contents, {})
    assert isinstance(source, FileSource)  # no other source has encoded files
    decoding = decoding_of(source)
    bad: dict[int, str] = {}
    if decoding.size is None:
        decoding, bad = _measured(content, decoding, examples, report)
        if bad and source.on_bad_image == "error":
            _refuse(bad, examples)
    return _decoded(content, contents, decoding, examples, source, folder, report)


def decoding_of(source: FileSource) -> Decoding:
    """Return the settings with which the files of a source are decoded."""
    size = (source.image_size, source.image_size) if isinstance(source.image_size, int) else source.image_size
    return Decoding(size, source.channels, source.resize)


def _measured(
    reads: Sequence[Callable[[], bytes]], decoding: Decoding, examples: Examples, report: Progress
) -> tuple[Decoding, dict[int, str]]:
    """Return the decoding with the one size that all images have, and the files that are no images."""
    measured = measure_all(dict(enumerate(reads)), decoding, report)
    sizes, bad = measured.sizes, measured.bad
    first_of = {size: row for row, size in reversed(sizes.items())}
    if len(first_of) > 1:
        found = [f"{height} x {width}: {examples.names[row]}" for (height, width), row in sorted(first_of.items())]
        median = int(np.median([min(size) for size in sizes.values()]))
        raise DataError(
            f"data.image_size: the images have {len(found)} sizes (height x width), and models take one: write the "
            f"one to decode them to, as in image_size = {median}:\n{some_of(found)}"
        )
    if not first_of:
        _refuse(bad, examples)
    return Decoding(next(iter(first_of)), decoding.channels, decoding.resize), bad


def _decoded(
    reads: Sequence[Callable[[], bytes]],
    contents: Sequence[str],
    decoding: Decoding,
    examples: Examples,
    source: FileSource,
    folder: Path,
    report: Progress,
) -> Pixels:
    assert decoding.size is not None  # the spec gives it, or it was measured
    shape = (len(reads), *decoding.size, decoding.channels)
    require_space(folder, 2 * int(np.prod(shape)))  # once in the order of files, once in that of splits
    path = folder / DECODED
    digests = reuse(folder.parent, decoding, contents, path, report)
    new = {row: read for row, read in enumerate(reads) if row not in digests}
    decoded = decode_all(new, decoding, path, report)
    digests |= decoded.digests
    if decoded.bad and (source.on_bad_image == "error" or not digests):
        _refuse(decoded.bad, examples)
    if decoded.bad:
        (folder / SKIPPED).write_text("".join(f"{line}\n" for line in _lines(decoded.bad, examples)), encoding="utf-8")
    rows = np.array(sorted(digests), dtype=np.int64)
    with path.open("r+b") as file:
        file.truncate(int(np.prod(shape)))  # bad images at the end have written nothing
    values: NDArray[Any] = np.memmap(path, dtype=np.uint8, mode="r", shape=shape)
    return Pixels(
        values,
        rows,
        examples.take(rows),
        [digests[row] for row in rows.tolist()],
        {'files that are no readable image were left out (on_bad_image = "skip")': len(decoded.bad)},
        decoding,
        decoded.deep_maxima,
    )


def with_bit_depth(pixels: Pixels, is_training: NDArray[np.bool_], folder: Path, report: Progress) -> Pixels:
    """Return the pixels with files of 16 bits a channel scaled by the bits that training images use.

    These files are decoded once more unless all 16 bits are used, because the training examples are known only after
    decoding.

    Args:
        is_training: Whether each example is for training, shape (n,).
    """
    maxima = np.array([pixels.deep_maxima.get(row, -1) for row in pixels.rows.tolist()])
    of_training = maxima[is_training & (maxima >= 0)]
    if pixels.decoding is None or not len(of_training):
        return pixels
    depth = depth_of(int(of_training.max()))
    decoding = replace(pixels.decoding, bit_depth=depth)
    content = pixels.examples.content
    is_deep = np.flatnonzero(maxima >= 0)
    if depth < FULL_DEPTH:
        reads = {int(pixels.rows[place]): content[place] for place in is_deep.tolist()}
        decode_all(reads, decoding, folder / DECODED, report)
    n_beyond = int((maxima >= 2**depth).sum())
    what = f"files of 16 bits a channel use {depth} of them in training, of which the upper 8 are the pixels"
    beyond = f"files of validation or test have values beyond these {depth} bits, which are cut off"
    notes = {**pixels.notes, what: len(is_deep), **({beyond: n_beyond} if n_beyond else {})}
    return replace(pixels, decoding=decoding, notes=notes)


def _lines(bad: dict[int, str], examples: Examples) -> list[str]:
    return [f"{examples.names[row]}: {why}" for row, why in sorted(bad.items())]


def _refuse(bad: dict[int, str], examples: Examples) -> None:
    lines = _lines(bad, examples)
    raise DataError(
        f"data: {len(lines)} of {len(examples)} files are no image that can be used. Repair or remove them, or "
        f'leave them out with on_bad_image = "skip":\n{some_of(lines)}'
    )
