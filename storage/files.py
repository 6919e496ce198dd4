"""Files of results: their endings, and their replacement at once.

A reader sees the old content or the new content, never a part.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

# Endings of the files beside a kept model that have more than the store: its answers to each example, of images a
# picture of the worst ones.
PREDICTIONS, WORST = ".predictions.npz", ".worst.png"


def replace_file(path: Path, content: str | bytes, *, is_durable: bool = False) -> None:
    """Write `content` in place of the file at `path`; if that fails, the old file stays as it is.

    If several processes write the same file, the whole content of one of them remains. Links are not followed.

    Args:
        is_durable: Whether to wait until the disk has it, so that it survives a power cut.
    """
    # tempfile makes files that only their owner can read, so a report written with it could not be shared.
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.unlink(missing_ok=True)
        with partial.open("xb") as file:  # "x" refuses an existing file, so a link is not followed
            file.write(content.encode() if isinstance(content, str) else content)
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)
        if is_durable:
            sync(path.parent)
    except OSError as error:
        if error.filename is None:  # when the disk is full, the error of writing names no file
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        partial.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until the disk has a file's content, or a folder's names, as far as the system can tell."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot do so for folders
            raise
    finally:
        os.close(descriptor)
