"""Where a trial's time goes, as its process tells it, held to the clock of the process at the other end."""

from __future__ import annotations

import time
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import optuna
import pytest

from tunefront.objectives.measures import PART_SECONDS
from tunefront.search.data.cache import prepare
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.launching.slots import Slot
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.trial.messages import Message, TrialTask, answer, receive
from tunefront.search.trial.process import run_trial

pytestmark = [pytest.mark.keras, pytest.mark.timeout(600)]
BUILDING, DESCRIBING, VERDICT = 0.5, 0.25, 0.5  # seconds that are slept where a part is known

SLEEPER = f"""
import time

class Sleeper:
    def suggest(self, trial):
        return {{"learning_rate": 0.01, "batch_size": 256}}

    def build(self, settings, input_shape, n_classes):
        import keras

        @keras.saving.register_keras_serializable()
        class Slow(keras.layers.Flatten):
            def get_config(self):  # asked by whatever describes the model's file, or writes it
                time.sleep({DESCRIBING})
                return super().get_config()

        time.sleep({BUILDING})
        return keras.Sequential([keras.Input(input_shape), Slow(), keras.layers.Dense(n_classes, "softmax")])
"""


def sleeping_task(folder: Path) -> TrialTask:
    (folder / "sleeper.py").write_text(SLEEPER)
    spec = StudySpec.model_validate(
        {
            "name": "parts",
            "data": {"source": "digits"},
            "space": f"{folder / 'sleeper.py'}:Sleeper",
            "training": {"epochs": 3},
        }
    )
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1)).ask()
    return TrialTask(
        number=0,
        spec=spec.as_json(),
        candidate=spec.parsed_space().suggest(trial),
        dataset=prepare(spec.data, spec.seed),
        slot=Slot("cpu0", 1),
        seed=7,
        rungs=(),
        model_path=str(folder / "model.keras"),
        measures_latency=False,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[float, Message]]:
    """Kind -> when a message came, by our clock from before the start of its process, and the last one of that kind."""
    folder = tmp_path_factory.mktemp("parts")
    task = sleeping_task(folder)
    began = time.monotonic()
    child = Launcher(folder / "forkserver.log").start(run_trial, task, folder / "logs" / "trial-0.log")
    found: dict[str, Any] = {"epochs": (0.0, 0.0)}
    while "kept" not in found:
        assert wait([child.connection], 300), "its process is silent"
        message = receive(child.connection)
        assert message.kind != "failed", message.reason
        found[message.kind] = (time.monotonic() - began, message)
        if message.epoch:
            spent = message.epoch["train_seconds"] + message.epoch["validation_seconds"]
            found["epochs"] = (found["epochs"][0] + spent, None)
        if message.kind in ("built", "trained"):
            time.sleep(VERDICT)
            answer(child.connection, go_on=True)
    child.reap()
    return found


def parts_of(message: Message) -> dict[str, float]:
    return {part: message.measurements[name] for part, name in PART_SECONDS.items() if name in message.measurements}


def test_the_seconds_of_each_part_hold_what_was_slept_in_it(told: dict[str, tuple[float, Message]]) -> None:
    built, trained, kept = (parts_of(told[kind][1]) for kind in ("built", "trained", "kept"))
    assert built.keys() == trained.keys() == {"loading", "building", "measuring"}
    assert kept.keys() == {"loading", "building", "measuring", "saving"}
    assert kept["building"] == trained["building"] == built["building"] >= BUILDING
    assert built["measuring"] >= DESCRIBING  # the size of its file
    assert kept["saving"] >= DESCRIBING
    assert kept["measuring"] > trained["measuring"] >= built["measuring"]  # the latency came last
    assert kept["loading"] >= built["loading"] > 0


def test_no_second_is_counted_twice_and_no_verdict_waited_for_is_counted(
    told: dict[str, tuple[float, Message]],
) -> None:
    at_built, built = told["built"]
    at_end, kept = told["kept"]
    assert sum(parts_of(built).values()) <= at_built
    compiling = told["trained"][1].measurements["compile_seconds"]
    n_verdicts = 2
    assert sum(parts_of(kept).values()) + compiling + told["epochs"][0] <= at_end - n_verdicts * VERDICT
