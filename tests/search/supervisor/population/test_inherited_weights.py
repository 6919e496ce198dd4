"""A member that goes on with the weights of one of another machine, against plain Keras, to the last digit."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.candidates import candidate
from tunefront.search.data.dataset import Dataset
from tunefront.search.spec.training import TrainingTable
from tunefront.search.supervisor.population.inheritance import keep_turn, settle, take_over, turns_of
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.space import Space
from tunefront.storage.artifacts.artifact_store import bring, fetch
from tunefront.storage.artifacts.folder import FolderArtifacts
from tunefront.storage.population.stages import Stage

SPACE = Space.from_table({})
TABLE = TrainingTable.model_validate({"epochs": 5, "keep_weights": "last"})
DONOR, MEMBER = 3, 8  # seeds


def with_rate(rate: float, decay: float) -> Candidate:
    settings = {"learning_rate": rate, "weight_decay": decay, "momentum": 0.9}
    return candidate(optimizer="sgd", optimizer_settings=settings, batch_size=512, steps_per_epoch=2)


def train(
    keras: Any, dataset: Dataset, chosen: Candidate, seed: int, folder: Path, identity: dict[str, str], resumed: int
) -> tuple[Any, Any]:
    """Train as a trial does, and keep its turn after two epochs; return the trainable and the timer."""
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import Goal
    from tunefront.search.trial.resumption.trial_checkpoints import TrialCheckpoints

    def goes_on(header: Any) -> bool:
        keep_turn(folder, header, folder.parent / "turns")
        return True

    keras.utils.set_random_seed(seed)
    trainable = training.build(SPACE, chosen, dataset, TABLE, seed)
    checkpoints = TrialCheckpoints(folder, identity, turns=(2,), goes_on=goes_on)
    checkpoints.resume(resumed, trainable)
    assert (checkpoints.resumed is not None, checkpoints.reason) == (bool(resumed), "")
    goal = Goal("accuracy", 1)
    timer, _ = fit(trainable, dataset, TABLE, goal, lambda result: True, seed=seed, checkpoints=checkpoints)
    return trainable, timer


def train_plainly(keras: Any, dataset: Dataset, donor: Candidate, heir: Candidate) -> list[Any]:
    """Train one model of plain Keras: two epochs as the donor, three as its heir, which has another order of images."""
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.batches import Batches

    keras.utils.set_random_seed(DONOR)
    model = training.build(SPACE, donor, dataset, TABLE, DONOR).trained
    train = dataset.split("train")
    for chosen, seed, first, last in ((donor, DONOR, 0, 2), (heir, MEMBER, 2, 5)):
        model.optimizer.learning_rate = chosen.optimizer_settings["learning_rate"]
        model.optimizer.weight_decay = chosen.optimizer_settings["weight_decay"]
        model.make_train_function(force=True)
        batches = Batches(train.images, train.labels, 512, 2, seed)
        model.fit(
            batches, shuffle=False, initial_epoch=first, epochs=last, callbacks=[batches.epoch_counter], verbose=0
        )
    return [*model.get_weights(), *(keras.ops.convert_to_numpy(one) for one in model.optimizer.variables)]


def test_an_heir_equals_a_training_that_changes_settings_and_order_after_the_donors_epochs(
    keras: Any, digits: Dataset, tmp_path: Path
) -> None:
    donor, perturbed = with_rate(0.05, 0.01), with_rate(0.06, 0.008)
    course = [Stage(1, {"sgd.learning_rate": 0.05}), Stage(3, {"sgd.learning_rate": 0.06}, weights_of=0)]
    own, heir = tmp_path / "anna/trial-0", tmp_path / "bert/trial-1"
    whole, _ = train(keras, digits, donor, DONOR, own, {"seed": "3"}, 0)
    turns = fetched_turns(tmp_path)
    header = next(turns_of(turns, 2), None)  # the donor itself has gone on since
    assert header is not None
    take_over(turns, header, heir, {"seed": "8"}, course)
    settle(heir, course)
    inherited, timer = train(keras, digits, replace(donor, later=((3, perturbed),)), MEMBER, heir, {"seed": "8"}, 2)
    found = [
        *inherited.model.get_weights(),
        *(keras.ops.convert_to_numpy(one) for one in inherited.optimizer.variables),
    ]
    expected = train_plainly(keras, digits, donor, perturbed)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((a != b).any() for a, b in zip(whole.model.get_weights(), inherited.model.get_weights(), strict=True))
    # The heir's seconds are those of its whole chain: two epochs of the donor's, and three of its own.
    assert len(timer.state()["train"]) == 5
    assert timer.state()["train"][:2] == _seconds_of(turns, header)


def fetched_turns(folder: Path) -> Path:
    """Bring the turn of anna's machine to artifacts, and to bert's from there."""
    place = FolderArtifacts(folder / "artifacts")
    place.prepare()
    (turn,) = (folder / "anna/turns").iterdir()
    digest = hashlib.sha256(turn.read_bytes()).hexdigest()
    bring(place, digest, turn.stat().st_size, turn)
    (folder / "bert/turns").mkdir(parents=True)
    fetch(place, digest, folder / "bert/turns" / turn.name)
    return folder / "bert/turns"


def _seconds_of(folder: Path, header: Any) -> list[float]:
    from tunefront.search.checkpoints.checkpoint_file import opened_checkpoint

    with opened_checkpoint(folder, header) as content:
        seconds: list[float] = content.state["timer"]["train"]
    return seconds
