"""The examples of Kubernetes: against the schemas of Kubernetes and of Kueue, and for what no schema knows."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.conftest import ROOT
from tunefront.commands.fleet.work import UNFINISHED

_FOLDER = ROOT / "examples/kubernetes"
_KUEUE = Path(__file__).parent / "assets/kueue"


def load(name: str) -> dict[str, dict[str, Any]]:
    """Return the resources of an example by their kind."""
    return {each["kind"]: each for each in yaml.safe_load_all((_FOLDER / name).read_text())}


def kueue_schema(kind: str) -> dict[str, Any]:
    """Return the schema of one of Kueue's resources, which knows all keys that there are."""
    for path in _KUEUE.glob("*.json"):
        stored = json.loads(path.read_text())
        if stored["kind"] == kind:
            schema = _closed(stored["schema"])
            schema["properties"]["apiVersion"]["const"] = stored["apiVersion"]
            schema["properties"]["metadata"] = {"type": "object"}  # Kubernetes has the schema of that
            return schema
    raise KeyError(kind)


def _closed(schema: Any) -> Any:
    if isinstance(schema, dict):
        closed = {key: _closed(value) for key, value in schema.items()}
        if schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
            closed.setdefault("additionalProperties", False)
        return closed
    return [_closed(each) for each in schema] if isinstance(schema, list) else schema


def test_the_queue_is_one_of_kueue() -> None:
    resources = load("queue.yaml")
    assert resources.keys() == {"ResourceFlavor", "ClusterQueue", "LocalQueue"}
    for kind, resource in resources.items():
        jsonschema.validate(resource, kueue_schema(kind))
    cluster, flavor = resources["ClusterQueue"], resources["ResourceFlavor"]["metadata"]["name"]
    (group,) = cluster["spec"]["resourceGroups"]
    assert [each["name"] for each in group["flavors"]] == [flavor]
    assert [each["name"] for each in group["flavors"][0]["resources"]] == group["coveredResources"]
    assert resources["LocalQueue"]["spec"]["clusterQueue"] == cluster["metadata"]["name"]
    named = re.findall(r"kueue.x-k8s.io/queue-name: (\w+)", (_FOLDER / "workers.yaml").read_text())
    assert named == [resources["LocalQueue"]["metadata"]["name"]]
    asked = load("workers.yaml")["Job"]["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
    assert set(asked) <= set(group["coveredResources"])  # Kueue admits no workload that asks for anything else


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("ClusterQueue", ("spec", "queueingStrategy"), "FIFO"),
        ("ClusterQueue", ("spec", "quota"), 3),
        ("ClusterQueue", ("spec", "resourceGroups", 0, "flavors", 0, "resources", 0, "nominalQuota"), "many"),
        ("LocalQueue", ("spec", "clusterqueue"), "tunefront"),
        ("LocalQueue", ("apiVersion",), "kueue.x-k8s.io/v1beta1"),
    ],
)
def test_a_mistake_in_the_queue_is_found(kind: str, path: tuple[str | int, ...], value: object) -> None:
    wrong: Any = copy.deepcopy(load("queue.yaml")[kind])
    place = wrong
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, kueue_schema(kind))


def test_the_workers_are_a_work_queue_that_drains() -> None:
    spec = load("workers.yaml")["Job"]["spec"]
    assert spec["parallelism"] > 1
    assert "completions" not in spec  # with it, every worker would be waited for, and started again
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] >= 60
    ignored = [rule.get("onExitCodes", {}).get("values") for rule in spec["podFailurePolicy"]["rules"]]
    assert [UNFINISHED] in ignored
    (worker,) = spec["template"]["spec"]["containers"]
    assert worker["command"][:2] == ["tunefront", "work"]  # without a shell, which would not pass SIGTERM on
    assert "--until-idle" in worker["command"]


def test_the_password_is_in_files_alone() -> None:
    pods = [load("store.yaml")["StatefulSet"], load("workers.yaml")["Job"]]
    for resource in pods:
        pod = resource["spec"]["template"]["spec"]
        for container in (*pod["containers"], *pod.get("initContainers", [])):
            for variable in container.get("env", []):
                assert "secretKeyRef" not in str(variable), variable
                assert "PASSWORD" not in variable["name"].removesuffix("_FILE") or variable["name"].endswith("_FILE")
            assert "envFrom" not in container
    spec = load("workers.yaml")["Job"]["spec"]["template"]["spec"]
    (copied,) = spec["initContainers"]
    assert copied["command"][:3] == ["install", "-m", "600"]  # the only mode that PostgreSQL's client accepts
    (storage,) = [v["value"] for v in spec["containers"][0]["env"] if v["name"] == "TUNEFRONT_STORAGE"]
    assert storage.endswith(f"?passfile={copied['command'][-1]}")
    store = load("store.yaml")
    port = store["Service"]["spec"]["ports"][0]["port"]
    assert f"@{store['Service']['metadata']['name']}:{port}/" in storage


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["store.yaml", "workers.yaml"])
def test_kubernetes_knows_every_key(name: str) -> None:
    checker = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate, which has 108 MB")
    for resource in load(name).values():
        checker.validate(resource, "1.33", strict=True)
    wrong = copy.deepcopy(next(iter(load(name).values())))
    wrong["spec"]["paralelism"] = 2
    with pytest.raises(checker.ValidationError, match="paralelism"):
        checker.validate(wrong, "1.33", strict=True)
