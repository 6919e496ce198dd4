"""Symbolic links where tunefront writes files of its own: they are not followed, and the user is told of them.

In a results folder that others can write to, a link named like our next file would have it written over the link's
target, wherever that is.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

OUTPUT_FOLDERS = ("logs", "models", "tensorboard")
_OWN_PREFIXES = ("trial-", ".partial-")  # what else is there is the user's, and is not written to


def refuse_links(out: Path) -> None:
    """Look for links among what a run writes below the results folder `out`, which may itself be one.

    Raises:
        OSError: Names the first one.
    """
    for name in OUTPUT_FOLDERS:
        refuse_link(out / name)
        for path in sorted((out / name).glob("*")) if (out / name).is_dir() else ():
            if path.name.startswith(_OWN_PREFIXES):
                refuse_links_in(path)


def refuse_links_in(path: Path) -> None:
    """Look for links at and below `path`, which need not exist.

    Raises:
        OSError: Names the first one.
    """
    refuse_link(path)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            refuse_link(Path(folder) / name)


def refuse_link(path: Path) -> None:
    """Look whether `path`, which need not exist, is a link.

    Raises:
        OSError: Names it.
    """
    if path.is_symlink():
        raise OSError(errno.ELOOP, "this is a link, and links are not followed here: remove it", str(path))
