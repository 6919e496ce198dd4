"""A real Slurm cluster of two nodes on this machine, by Debian's packages and without systemd."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo")
_CONFIGURATION = """
ClusterName=test
SlurmctldHost=localhost
SlurmctldPort={controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
SwitchType=switch/none
SlurmctldPidFile={folder}/controller.pid
SlurmdPidFile={folder}/%n.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldLogFile={folder}/controller.log
SlurmdLogFile={folder}/%n.log
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
KillWait=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={first} CPUs=1 RealMemory=2000 State=UNKNOWN
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={second} CPUs=1 RealMemory=2000 State=UNKNOWN
PartitionName=spot Nodes=n1,n2 Default=YES PriorityTier=1 PreemptMode=CANCEL GraceTime=60
PartitionName=high Nodes=n1,n2 PriorityTier=10 PreemptMode=OFF
"""


class SlurmCluster:
    """A running cluster: a partition `spot`, whose jobs are cancelled for those of the partition `high`.

    Attributes:
        state: The folder in which the controller keeps jobs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.state = folder / "state"

    def call(self, *command: str, **environment: str) -> str:
        """Run one of Slurm's programs, and return what it prints."""
        variables = {**os.environ, "SLURM_CONF": str(self._folder / "slurm.conf"), **environment}
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def jobs(self) -> list[str]:
        """Return a line on each job and task that has not ended: its number and state."""
        return self.call("squeue", "--noheader", "--array", "--format=%i %T").splitlines()


@contextlib.contextmanager
def slurm_cluster() -> Iterator[SlurmCluster]:
    """Yield a cluster; skips the test where Slurm is not installed, or needs root."""
    missing = [name for name in _PROGRAMS if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None]
    if missing:
        pytest.skip(f"needs Slurm (Debian: apt-get install slurmctld slurmd slurm-client munge): no {missing[0]}")
    if os.geteuid() != 0:
        pytest.skip("needs root, as which the nodes run here")
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    for name in ("state", "spool-n1", "spool-n2"):
        (folder / name).mkdir()
    controller, first, second = _free_ports(3)
    (folder / "slurm.conf").write_text(
        _CONFIGURATION.format(folder=folder, controller=controller, first=first, second=second)
    )
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    munge = [
        f"--{name}={folder}/munge.{name.split('-')[0]}" for name in ("socket", "pid-file", "log-file", "seed-file")
    ]
    programs = [
        ["munged", "--foreground", "--force", f"--key-file={key}", *munge],
        ["slurmctld", "-D"],
        ["slurmd", "-N", "n1", "-D"],
        ["slurmd", "-N", "n2", "-D"],
    ]
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf"), "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    running: list[subprocess.Popen[bytes]] = []
    try:
        with (folder / "output").open("wb") as output:
            for program in programs:
                running.append(subprocess.Popen(program, env=environment, stdout=output, stderr=output))
                if program[0] == "munged":
                    _await((folder / "munge.socket").exists)
        cluster = SlurmCluster(folder)
        _await(lambda: (folder / "controller.log").exists() and "idle" in _states(cluster))
        yield cluster
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _states(cluster: SlurmCluster) -> str:
    with contextlib.suppress(AssertionError):
        states = cluster.call("sinfo", "--noheader", "--Node", "--partition=spot", "--format=%t").split()
        return "idle" if states == ["idle", "idle"] else ""
    return ""


def _await(is_so: object, seconds: float = 60.0) -> None:
    assert callable(is_so)
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "Slurm does not start"
        time.sleep(0.2)


def _free_ports(n: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
