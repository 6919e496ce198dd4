"""Replacing a file at once: a reader sees the old content or the new content, never a part."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, content: str | bytes) -> None:
    """Write `content` in place of the file at `path`; if that fails, the old file stays as it is.

    If several processes write the same file, the whole content of one of them remains. Links are not followed.
    """
    # tempfile makes files that only their owner can read, so a report written with it could not be shared.
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.unlink(missing_ok=True)
        with partial.open("xb") as file:  # "x" refuses an existing file, so a link is not followed
            file.write(content.encode() if isinstance(content, str) else content)
        partial.replace(path)
    except OSError as error:
        if error.filename is None:  # when the disk is full, the error of writing names no file
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        partial.unlink(missing_ok=True)
