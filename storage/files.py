"""A file that is replaced at once: whoever reads it meanwhile has the old one or the new one."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, content: str | bytes) -> None:
    """Write `content` in place of what is at `path`, which stays as it is if that fails.

    Several processes may write the same file: one of theirs remains, whole. Links are not followed.
    """
    # Not by tempfile: its files are readable by their owner only, and so would the report be.
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.unlink(missing_ok=True)
        with partial.open("xb") as file:  # only a new one: not what a link leads to
            file.write(content.encode() if isinstance(content, str) else content)
        partial.replace(path)
    except OSError as error:
        if error.filename is None:  # a full disk: writing names no file
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        partial.unlink(missing_ok=True)
