"""SQLite files on file systems of the network, seen in made lists of mounts."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from tunefront.storage.database.locks import StoreError
from tunefront.storage.database.sqlite_file import check_sqlite_file, network_type

MOUNTS = r"""proc /proc proc rw 0 0
/dev/vda / ext4 rw 0 0
server:/home {folder}/home nfs4 rw,vers=4.2 0 0
/dev/vdb {folder}/home/anna/local ext4 rw 0 0
//nas/share {folder}/my\040files cifs rw 0 0
anna@host: {folder}/away fuse.sshfs rw 0 0
/dev/sdc1 {folder}/stick fuseblk rw 0 0
portal {folder}/doc fuse.portal rw 0 0
host {folder}/sandbox 9p rw 0 0
old {folder}/twice nfs rw 0 0
tmpfs {folder}/twice tmpfs rw 0 0
a line that is cut
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mounts"
    path.write_text(MOUNTS.format(folder=tmp_path))
    return path


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("tunefront.db", ""),
        ("home/tunefront.db", "nfs4"),
        ("home/anna/a.db", "nfs4"),
        ("home/anna/local/a.db", ""),  # a disk within it
        ("home2/a.db", ""),  # begins with the same letters
        ("my files/a.db", "cifs"),
        ("away/deep/er/a.db", "fuse.sshfs"),
        ("stick/a.db", ""),
        ("doc/a.db", ""),
        ("sandbox/a.db", ""),
        ("twice/a.db", ""),  # the later mount hides the earlier
        ("link/a.db", "nfs4"),
    ],
)
def test_network_type_of_a_path(tmp_path: Path, mounts: Path, file: str, expected: str) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "home")
    assert network_type(tmp_path / file, mounts) == expected


def test_no_network_is_seen_where_the_system_does_not_tell(tmp_path: Path) -> None:
    assert network_type(tmp_path, tmp_path / "none") == ""


def test_a_file_on_the_network_is_read_and_not_written(tmp_path: Path, mounts: Path) -> None:
    path = tmp_path / "home/tunefront.db"
    path.parent.mkdir()
    path.touch()
    url = URL.create("sqlite", database=str(path))
    with pytest.raises(StoreError, match=r"\(nfs4\).* several machines write to it.* 'tunefront store start'"):
        check_sqlite_file(url, is_writer=True, mounts=mounts)
    check_sqlite_file(url, is_writer=False, mounts=mounts)
    check_sqlite_file(url, is_writer=True)  # by the real list, it is on a disk of this machine
