"""Pixels of earlier prepared datasets, so that only new files are decoded when files or splits change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.dataset import UNREADABLE_ARRAY
from tunefront.search.data.decoding.decode import Decoding
from tunefront.search.data.decoding.digests import digest
from tunefront.search.data.examples import Progress

_DECODING = "decoding.json"
_CONTENTS = "contents.npy"
_VERSION = 2  # of the decoding: pixels of an earlier version are not reused


def write_origins(folder: Path, decoding: Decoding, contents: Sequence[str]) -> None:
    """Write down how the images of a dataset were decoded, and the digest of each image's file.

    Images whose digest is empty are decoded anew for every dataset.
    """
    np.save(folder / _CONTENTS, np.array(contents, dtype="S32"))
    (folder / _DECODING).write_text(json.dumps(_described(decoding)))


def reuse(cache: Path, decoding: Decoding, contents: Sequence[str], path: Path, report: Progress) -> dict[int, str]:
    """Copy the pixels of files that were decoded before in the same way into `path`, in the format of decoding.

    Returns:
        The digest of the pixels of every row that was copied.
    """
    rows_of: dict[bytes, list[int]] = {}
    for row, content in enumerate(contents):
        rows_of.setdefault(content.encode(), []).append(row)
    digests: dict[int, str] = {}
    with path.open("wb") as file:
        for images, known in _matching_images(cache, decoding):
            for place, content in enumerate(known.tolist()):
                for row in rows_of.pop(content, []):
                    pixels = images[place].tobytes()
                    file.seek(row * len(pixels))
                    file.write(pixels)
                    digests[row] = digest(pixels)
                    if len(digests) % 100 == 0:
                        report("copying what was decoded before", len(digests), len(contents))
    return digests


def _matching_images(cache: Path, decoding: Decoding) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.bytes_]]]:
    """Yield images decoded in the same way, and the digests of their files; skip what is broken or vanishes."""
    wanted = _described(decoding)
    for path in sorted(cache.glob(f"*/{_DECODING}")):
        if path.parent.name.startswith("."):  # an unfinished dataset
            continue
        try:
            if json.loads(path.read_text()) == wanted:
                images = np.load(path.parent / "images.npy", mmap_mode="r")
                contents = np.load(path.parent / _CONTENTS)
                if len(images) == len(contents):
                    yield images, contents
        except UNREADABLE_ARRAY:
            continue


def _described(decoding: Decoding) -> dict[str, Any]:
    """Return the settings that pixels depend on, as JSON data; no bit depth, because deep files are not reused."""
    facts = {name: value for name, value in asdict(decoding).items() if name != "bit_depth"}
    return {**facts, "size": list(decoding.size or ()), "version": _VERSION}
