"""Workers on a real Ray cluster of three nodes, whose trials train nothing."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.search.fleet.ray_cluster import RayCluster, ray_cluster
from tests.search.fleet.stub_work import make_fixture
from tunefront.search.fleet.ray_connection import RayClusterError, connect
from tunefront.search.fleet.ray_workers import RayRequest, RayWorkers, ray_workers
from tunefront.search.fleet.study_watch import StudyWatch, stored_ending
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import studies
from tunefront.storage.attempts import Attempt, read_attempts

pytestmark = [pytest.mark.processes, pytest.mark.server]
_STUB = str(Path(__file__).with_name("stub_work.py"))
_WAIT_SECONDS = 120.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with ray_cluster() as made:
        made.add("anna")
        made.add("berta")
        yield made


def request(cluster: RayCluster, folder: Path, n_trials: int, epoch_seconds: float, n_workers: int) -> RayRequest:
    arguments = (_STUB, str(folder), f"sqlite:///{folder / 'tunefront.db'}", str(n_trials), str(epoch_seconds))
    return RayRequest(cluster.address, n_workers, 1, 1, arguments)


def look_until(workers: RayWorkers, is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        workers.look()
        time.sleep(0.1)


def machines_at_work(watch: StudyWatch) -> set[str]:
    """Return the machines whose workers run a trial, of which each has one slot."""
    names = [re.fullmatch(r"(\w+)-\d+ cpu0", slot.name) for slot in watch.snapshot().slots]
    return {name[1] for name in names if name}


def test_a_trial_goes_on_elsewhere_when_its_node_dies_and_is_given_back_when_workers_are_drained(
    cluster: RayCluster, tmp_path: Path
) -> None:
    observer = make_fixture(tmp_path, f"sqlite:///{tmp_path / 'tunefront.db'}", 1000, 0.4)
    watch = StudyWatch(observer.study, observer.spec)
    lines: list[str] = []

    def attempts() -> dict[int, list[Attempt]]:
        with observer.store.engine.connect() as connection:
            return read_attempts(connection, observer.study.study_id)

    def lost() -> list[tuple[int, str]]:
        return [(number, each.worker_id) for number, of in attempts().items() for each in of if each.ending == "lost"]

    with ray_workers(request(cluster, tmp_path, 1000, 0.4, n_workers=2), lines.append) as workers:
        workers.start()
        look_until(workers, lambda: len(watch.snapshot().slots) == 2)
        assert machines_at_work(watch) == {"anna", "berta"}
        cluster.kill("anna")
        cluster.add("carla")
        look_until(workers, lambda: bool(lost()) and attempts()[lost()[0][0]][-1].ending == "complete")
        look_until(workers, lambda: machines_at_work(watch) == {"berta", "carla"})
    assert cluster.children() == []

    # No other node can tell that the killed one is dead: its trial was tried again because its lease had expired.
    hosts = {worker.worker_id: worker.host for worker in studies.list_workers(observer.study)}
    ((number, worker_id),) = lost()
    assert hosts[worker_id] == "anna"
    assert hosts[attempts()[number][-1].worker_id] in ("berta", "carla")
    ended = {trial.number for trial in observer.trials() if trial.state == "complete"}
    given_back = [trial for trial in observer.trials() if trial.number not in ended]
    assert {(trial.state, trial.parts[-1].ending) for trial in given_back} <= {("waiting", "returned")}
    assert {line.split(":")[0] for line in watch.news()} == {f"trial {each}" for each in ended}
    assert not any("nice" in line for line in lines)  # see RAY_worker_niceness in ray_cluster.py


@pytest.mark.chaos
def test_workers_come_back_when_processes_die_and_more_start_when_nodes_join(
    cluster: RayCluster, tmp_path: Path
) -> None:
    observer = make_fixture(tmp_path, f"sqlite:///{tmp_path / 'tunefront.db'}", 30, 0.4)
    with ray_workers(request(cluster, tmp_path, 30, 0.4, n_workers=3), print) as workers:
        workers.start()
        look_until(workers, lambda: observer.counts().running == 2)
        assert workers.n_running == 2
        cluster.add("dora")
        look_until(workers, lambda: workers.n_running == 3 and observer.counts().running == 3)
        for _ in range(3):
            # Each time the process of an actor is killed, and nothing else: its child must not go on without it.
            child = next(each for each in cluster.children() if _STUB in each.cmdline())
            actor = child.parent()
            assert actor is not None
            actor.kill()
            child.wait(_WAIT_SECONDS)
            look_until(workers, lambda: workers.n_running == 3)
        for name in list(cluster.nodes)[:2]:
            cluster.kill(name)
        cluster.add("emil")
        look_until(workers, lambda: workers.is_over)
    assert cluster.children() == []
    assert observer.states() == ["complete"] * 30
    assert stored_ending(observer.study, observer.spec) is Ending.DONE
    cluster.add("fritz")


@pytest.mark.chaos
def test_two_workers_share_a_gpu_when_each_takes_half_of_it(cluster: RayCluster, tmp_path: Path) -> None:
    note = (
        "import json, os, sys, time\n"
        "folder = sys.argv[1]\n"
        "open(f'{folder}/{os.getpid()}', 'w').write(json.dumps(dict(os.environ)))\n"
        "while len(os.listdir(folder)) < 2: time.sleep(0.1)"  # one that ends would end the other one's wait for a place
    )
    asked = RayRequest(cluster.address, 2, 0.5, 1, ("-c", note, str(tmp_path)))
    with ray_workers(asked, print) as workers:
        workers.start()
        look_until(workers, lambda: workers.is_over)
    environments = [json.loads(path.read_text()) for path in tmp_path.iterdir()]
    assert [each["CUDA_VISIBLE_DEVICES"] for each in environments] == ["0", "0"]
    assert [each["TUNEFRONT_CPUS"] for each in environments] == ["1", "1"]
    assert not any({"OMP_NUM_THREADS", "PYTHONBREAKPOINT"} & each.keys() for each in environments)


@pytest.mark.chaos
def test_a_worker_that_ray_puts_behind_other_programs_is_told(cluster: RayCluster) -> None:
    cluster.add("gerda", n_cpus=8, RAY_worker_niceness="7")
    lines: list[str] = []
    asked = RayRequest(cluster.address, 2, 0, 4, ("-c", "import os; assert os.nice(0) == 7"))
    with ray_workers(asked, lines.append) as workers:
        workers.start()
        look_until(workers, lambda: workers.is_over)
    assert sum("at nice 7, behind all others" in line for line in lines) == 1


def test_a_mistake_is_told_once_when_no_worker_can_work(cluster: RayCluster, tmp_path: Path) -> None:
    lines: list[str] = []
    asked = RayRequest(cluster.address, 1, 0, 1, ("-c", "import sys; print('tunefront: no such store'); sys.exit(2)"))
    with ray_workers(asked, lines.append) as workers:
        workers.start()
        look_until(workers, lambda: workers.is_over)
        assert workers.mistake == "tunefront: no such store"
    assert sum("no such store" in line for line in lines) == 1


@pytest.mark.chaos
def test_a_worker_with_trials_left_starts_again_but_not_while_its_study_is_paused(cluster: RayCluster) -> None:
    lines: list[str] = []
    asked = RayRequest(cluster.address, 1, 0, 1, ("-c", "import sys; print('trials are left'); sys.exit(75)"))

    def n_ends() -> int:
        return sum("ended by exit code 75: trials are left" in line for line in lines)

    with ray_workers(asked, lines.append) as workers:
        workers.start()
        look_until(workers, lambda: n_ends() == 2)
        for _ in range(60):  # longer than the pause before the next start
            workers.look(may_start=False)
            time.sleep(0.1)
        assert n_ends() == 2
        look_until(workers, lambda: n_ends() == 3)


def test_a_file_of_sqlite_is_refused_when_the_cluster_has_several_nodes(cluster: RayCluster) -> None:
    asked = RayRequest(cluster.address, 1, 0, 1, ("-c", ""), is_local=True)
    with (
        pytest.raises(RayClusterError, match="nodes, and a file of SQLite cannot be shared"),
        ray_workers(asked, print),
    ):
        pass


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1:1", "nobody answers there"),
        ("ray://127.0.0.1:10001", "run this command on one of its machines"),
        ("head", "give auto, or the HOST:PORT"),
    ],
)
def test_an_address_is_refused_when_no_cluster_is_there(address: str, expected: str) -> None:
    pytest.importorskip("ray", reason="needs tunefront[ray]")
    with pytest.raises(RayClusterError, match=expected):
        connect(address)


def test_a_token_that_this_machine_lacks_is_one_line(tmp_path: Path) -> None:
    """Ray looks for it before it connects, and reads its variables when it is imported: so in a process of its own."""
    pytest.importorskip("ray", reason="needs tunefront[ray]")
    code = (
        "from tunefront.mistakes import TunefrontError\n"
        "from tunefront.search.fleet.ray_connection import connect\n"
        "try:\n    connect('127.0.0.1:{}')\nexcept TunefrontError as error:\n    print(error)\n"
    )
    environment = {**os.environ, "RAY_AUTH_MODE": "token", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with socket.create_server(("127.0.0.1", 0)) as server:  # somebody must answer there
        port = server.getsockname()[1]
        command = [sys.executable, "-c", code.format(port)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"--ray 127.0.0.1:{port}: RAY_AUTH_MODE=token is set, and there is no token on this machine")
