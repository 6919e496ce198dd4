"""A real Ray cluster of several nodes on this machine, of which a test may kill and add some."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tunefront.search.system.processes import CPUS_VARIABLE

_MARK = "STUB_CLUSTER"  # a variable of all that a node starts
_NODE = {"object_store_memory": 80_000_000, "include_dashboard": False}
_ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
# Ray's own times are half a minute until a node counts as dead.
_HEALTH = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}


class RayCluster:
    """A cluster whose head runs no workers.

    Attributes:
        address: HOST:PORT.
        nodes: Those that run workers, by the name that their processes have as STUB_HOST.
    """

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self.address = str(cluster.address)
        self.nodes: dict[str, Any] = {}

    @property
    def session_folder(self) -> Path:
        """Ray's folder of the cluster's logs and sockets."""
        return Path(self._cluster.head_node.get_session_dir_path())

    def add(self, name: str, n_cpus: int = 1, n_gpus: int = 1, **environment: str) -> None:
        """Add a node; a busy machine may need a second try, because Ray gives up after half a minute."""
        environment = {"STUB_HOST": name, _MARK: self.address, **environment}
        try:
            self.nodes[name] = self._cluster.add_node(num_cpus=n_cpus, num_gpus=n_gpus, env_vars=environment, **_NODE)
        except Exception:  # noqa: BLE001 - Ray raises a plain one
            self.nodes[name] = self._cluster.add_node(num_cpus=n_cpus, num_gpus=n_gpus, env_vars=environment, **_NODE)

    def kill(self, name: str) -> None:
        """End a node and all that it runs as a power cut does: nothing is given back."""
        for child in self.children():
            if environment_of(child).get("STUB_HOST") == name:
                child.kill()
        self._cluster.remove_node(self.nodes.pop(name), allow_graceful=False)

    def children(self) -> list[psutil.Process]:
        """Return the processes that workers have started on any node, and all that these have started."""
        environments = {each: environment_of(each) for each in psutil.process_iter()}
        return [
            process
            for process, environment in environments.items()
            if environment.get(_MARK) == self.address and CPUS_VARIABLE in environment
        ]


@contextlib.contextmanager
def ray_cluster() -> Iterator[RayCluster]:
    """Yield a cluster without nodes but the head, and see that it leaves no process."""
    pytest.importorskip("ray", reason="needs tunefront[ray]")
    from ray.cluster_utils import Cluster

    folder = Path(tempfile.mkdtemp(prefix="r-", dir="/tmp"))  # short, because Ray's sockets lie below it
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _ENVIRONMENT.items():
            patch.setenv(name, value)
        cluster = Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 0, "temp_dir": str(folder), "_system_config": _HEALTH, **_NODE},
        )
        try:
            yield RayCluster(cluster)
        finally:
            cluster.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


def environment_of(process: psutil.Process) -> dict[str, str]:
    """Return the environment that a process began with; nothing if it has ended."""
    with contextlib.suppress(psutil.Error):
        return dict(process.environ())
    return {}
