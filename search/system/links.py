"""Symbolic links in places where tunefront writes: they are not followed, and the user is told of them.

In a results folder that others can write to, a link with the name of tunefront's next file would redirect that file
over the link's target, wherever it is.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

OUTPUT_FOLDERS = ("logs", "models", "checkpoints", "spool", "tensorboard", "confirmation", "data", "retrained")
_OWN_PREFIXES = ("trial-", ".partial-")  # other files are the user's, and tunefront does not write to them


def refuse_links(out: Path) -> None:
    """Refuse links among the files that a run writes below the results folder `out`, which may itself be a link.

    Raises:
        OSError: Names the first one.
    """
    for name in OUTPUT_FOLDERS:
        refuse_link(out / name)
        for path in sorted((out / name).glob("*")) if (out / name).is_dir() else ():
            if path.name.startswith(_OWN_PREFIXES):
                refuse_links_in(path)


def refuse_links_in(path: Path) -> None:
    """Refuse links at and below `path`, which need not exist.

    Raises:
        OSError: Names the first one.
    """
    refuse_link(path)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            refuse_link(Path(folder) / name)


def refuse_link(path: Path) -> None:
    """Refuse `path`, which need not exist, if it is a link.

    Raises:
        OSError: Names the link.
    """
    if path.is_symlink():
        raise OSError(errno.ELOOP, "this is a link, and links are not followed here: remove it", str(path))
