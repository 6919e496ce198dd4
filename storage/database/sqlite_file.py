"""The file of an SQLite storage: refused where it cannot be, or where other machines would write to it too."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

MOUNTS = Path("/proc/mounts")
# File systems of several machines. SQLite's readers and writers share memory, which only one machine's processes can,
# and locks that such systems keep within a machine, or lose: two machines at once would break the file. Shares of one
# machine with its own guests (9p, virtiofs) are none: sandboxes have their whole disk there.
_NETWORK_TYPES = {
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "gfs2",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "orangefs",
    "panfs",
    "smb3",
    "smbfs",
    "wekafs",
}
_NETWORK_PROGRAMS = {  # behind FUSE, where the type is such as fuse.sshfs
    "ceph",
    "davfs",
    "gcsfuse",
    "glusterfs",
    "goofys",
    "juicefs",
    "mount-s3",
    "rclone",
    "s3fs",
    "sshfs",
}
_ESCAPE = re.compile(r"\\([0-7]{3})")  # blanks and the like in the names of mount points


def network_type(path: Path, mounts: Path = MOUNTS) -> str:
    """Return the type of the network's file system that a path is on; empty if it is on none, or nobody can see.

    Args:
        mounts: A file like /proc/mounts.
    """
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:  # not every system tells
        return ""
    real = path.resolve()
    found, found_depth = "", -1
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(_ESCAPE.sub(lambda match: chr(int(match.group(1), 8)), fields[1]))
        # Of two that are mounted at the same place, the later one hides the earlier.
        if real.is_relative_to(point) and len(point.parts) >= found_depth:
            found, found_depth = fields[2], len(point.parts)
    program = found.removeprefix("fuse.")
    return found if found in _NETWORK_TYPES or (program != found and program in _NETWORK_PROGRAMS) else ""


def check_sqlite_file(url: URL, *, is_writer: bool, mounts: Path = MOUNTS) -> None:
    """Refuse the file of an SQLite URL if it cannot be opened, or for a writer be made. Other URLs pass.

    On a network's file system a file may be read, so that results of an older tunefront can be had from there.

    Raises:
        StoreError: Says why, and what to do.
    """
    # Imported here, because trial processes ask which disks are a network's, and load no database.
    from tunefront.storage.database.locks import StoreError
    from tunefront.storage.database.passwords import masked

    if url.get_backend_name() != "sqlite":
        return
    if not url.database or url.database == ":memory:":
        raise StoreError(
            "--storage sqlite:// keeps the study in memory, where no other process can see it. "
            "Name a file: sqlite:///tunefront.db"
        )
    path, shown = Path(url.database), masked(str(url))
    if not path.parent.is_dir():
        raise StoreError(f"--storage {shown}: there is no folder {str(path.parent)!r}. Make it, or name another file")
    if is_writer and not os.access(path if path.exists() else path.parent, os.W_OK):
        raise StoreError(f"--storage {shown}: there is no permission to write there. Name another file")
    if path.is_dir():
        raise StoreError(f"--storage {shown}: this is a folder. Name a file in it: {shown}/tunefront.db")
    if path.exists() and not path.is_file():
        raise StoreError(f"--storage {shown}: this is a pipe or a device. Name a file")
    if not is_writer and not path.is_file():
        raise StoreError(
            f"--storage {shown}: there is no such file. Start a study with "
            "'tunefront run SPEC', or name its storage with --storage or TUNEFRONT_STORAGE"
        )
    network = network_type(path, mounts) if is_writer else ""
    if network:
        raise StoreError(
            f"--storage {shown}: {path.resolve().parent} is on a file system of the network ({network}), where an "
            "SQLite file breaks when several machines write to it. Start a server for all of them with "
            "'tunefront store start', or name a file on a disk of this machine: --storage sqlite:////var/tmp/tunefront.db"
        )
