"""Trainings that go on in a new process from a checkpoint: equal to undisturbed ones, to the last digit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from tests.search.trial.resumption.trainings import CASES, WITHOUT, prepare_data
from tunefront.objectives.measures import PART_SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.keras, pytest.mark.timeout(1800)]
CUTS = [(name, cut) for name, case in CASES.items() for cut in case.cuts]
TIMES = {"train_seconds", "validation_seconds", "compile_seconds", "latency_seconds", "peak_bytes"}
TIMES |= set(PART_SECONDS.values())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Mode -> training -> what it told: in a process that nothing disturbs, and in one that goes on from its files."""
    folder = tmp_path_factory.mktemp("trainings")
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEFRONT_CACHE", str(folder / "cache"))
        environment["TUNEFRONT_CACHE"] = str(folder / "cache")
        prepare_data(folder)
        for mode in ("undisturbed", "resumed"):
            command = [sys.executable, "-m", "tests.search.trial.resumption.trainings", mode, str(folder)]
            done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, check=False)
            assert done.returncode == 0, done.stderr
            found[mode] = json.loads((folder / f"{mode}.json").read_text())
    return {**found, "log": done.stderr}


def messages_of(result: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return [message for message in result["messages"] if message["kind"] == kind]


def epochs_of(result: Mapping[str, Any]) -> list[tuple[int, float, dict[str, float]]]:
    """Return each epoch's number, score and metrics, without its times."""
    epochs = [message["epoch"] for message in messages_of(result, "epoch")]
    return [(epoch["epoch"], epoch["accuracy"], epoch["metrics"]) for epoch in epochs]


def measured(result: Mapping[str, Any]) -> dict[str, float]:
    (message,) = messages_of(result, "trained")
    return {name: value for name, value in message["measurements"].items() if name not in TIMES}


@pytest.mark.parametrize("name", WITHOUT)
def test_writing_checkpoints_changes_nothing(trained: Mapping[str, Any], name: str) -> None:
    whole, written = (trained["undisturbed"][f"{name}{which}"] for which in (", without checkpoints", ""))
    assert epochs_of(written) == epochs_of(whole)
    assert measured(written) == measured(whole)
    assert written["model"] == whole["model"] != {}
    told = [message["epoch"] for message in messages_of(written, "checkpoint")]
    assert [one["n_epochs"] for one in told] == list(range(1, written["n_epochs"] + 1))
    assert [one["epoch"] for one in told][: len(epochs_of(whole))] == [number for number, *_ in epochs_of(whole)]
    assert not messages_of(whole, "checkpoint")
    assert not messages_of(written, "resumed")


@pytest.mark.parametrize(("name", "cut"), CUTS)
def test_what_goes_on_in_a_new_process_is_the_same_training(trained: Mapping[str, Any], name: str, cut: int) -> None:
    written, resumed = trained["undisturbed"][name], trained["resumed"][f"{name} {cut}"]
    n_told = min(cut, len(epochs_of(written)))  # with folds only the first one's epochs are told
    assert messages_of(resumed, "resumed") == [
        {
            "kind": "resumed",
            "measurements": {},
            "epoch": {"epoch": n_told},
            "reason": "",
            "answers": {},
            "takes_next": False,
        }
    ]
    assert epochs_of(resumed) == epochs_of(written)[n_told:]
    assert measured(resumed) == measured(written)
    assert resumed["model"] == written["model"]
    assert resumed["checkpoint"] == written["checkpoint"] != {}
    assert resumed["n_epochs"] == written["n_epochs"]
    (old,), (new,) = (messages_of(one, "kept") for one in (written, resumed))
    assert new["answers"] == old["answers"]


def test_a_torn_checkpoint_costs_one_more_epoch(trained: Mapping[str, Any]) -> None:
    written, resumed = trained["undisturbed"]["momentum"], trained["resumed"]["torn"]
    (told,) = messages_of(resumed, "resumed")
    assert (told["epoch"], told["reason"]) == ({"epoch": 1}, "the newest whole checkpoint is of epoch 1")
    assert epochs_of(resumed) == epochs_of(written)[1:]
    assert resumed["checkpoint"] == written["checkpoint"]


@pytest.mark.parametrize(
    ("change", "difference"), [("seed", "seed was 7 and is 8"), ("candidate", "candidate.l2 was 0.0 and is 0.5")]
)
def test_another_training_begins_anew(trained: Mapping[str, Any], change: str, difference: str) -> None:
    result = trained["resumed"][change]
    reason = f"the checkpoint of epoch 2 is of another training: {difference}"
    (told,) = messages_of(result, "resumed")
    assert (told["epoch"], told["reason"]) == ({"epoch": 0}, reason)
    assert result["checkpoint"] == {}  # the other training's are gone
    assert f"begins anew: {reason}" in trained["log"]
