"""The checkpoints of one trial: what they have, and what becomes of a training that cannot write one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.candidates import candidate
from tunefront.search.checkpoints.checkpoint_file import opened_checkpoint
from tunefront.search.checkpoints.trial_folder import newest_whole
from tunefront.search.data.dataset import Dataset
from tunefront.search.spec.training import TrainingTable
from tunefront.spaces.space import Space

TABLE = TrainingTable(epochs=2)
SPACE = Space.from_table({})


@pytest.fixture(autouse=True)
def _always_due(keras: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a checkpoint after every epoch, though these take milliseconds."""
    from tunefront.search.trial.resumption import write_times

    monkeypatch.setattr(write_times, "_WRITES_APART", 0)
    monkeypatch.setattr(write_times, "_LEAST_SECONDS", 0)


def train(
    keras: Any,
    dataset: Dataset,
    folder: Path | None,
    wanted: int = 0,
    tell_problem: Callable[[str], None] = lambda reason: None,
    memory: float = 5e6,
    **settings: Any,
) -> tuple[Any, Any, Any]:
    """Return the training, its checkpoints, and every epoch's validation loss."""
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import Goal
    from tunefront.search.trial.resumption.trial_checkpoints import TrialCheckpoints

    keras.utils.set_random_seed(3)
    chosen = candidate(batch_size=250, **settings)
    trainable = training.build(SPACE, chosen, dataset, TABLE, 3)
    checkpoints = TrialCheckpoints(
        folder, {"seed": "3"}, device="a CPU", memory=lambda: memory, tell_problem=tell_problem
    )
    checkpoints.resume(wanted, trainable)
    losses: list[float] = []

    def note(result: Any) -> bool:
        losses.append(result.metrics["val_loss"])
        return True

    fit(trainable, dataset, TABLE, Goal(), note, seed=3, checkpoints=checkpoints)
    return trainable, checkpoints, losses


def test_a_checkpoint_that_cannot_be_written_costs_a_line(
    keras: Any, digits: Dataset, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    told: list[str] = []
    *_, losses = train(keras, digits, tmp_path / "file" / "trial-1", tell_problem=told.append)
    assert told == ["Not a directory"]  # once, not after every epoch
    assert losses == train(keras, digits, None)[2]
    written = [line for line in capfd.readouterr().err.splitlines() if "checkpoint" in line]
    place = f"Not a directory: '{tmp_path / 'file' / 'trial-1'}'"
    assert [line.partition(": ")[0] for line in written] == [
        "the checkpoint of epoch 1 was not written",
        "the checkpoint of epoch 2 was not written",
    ]
    assert all(place in line for line in written)


def test_a_full_disk_costs_checkpoints_alone(
    keras: Any, digits: Dataset, small_disk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []
    folder, settings = small_disk / "trial-1", {"dense_units": 32}
    *_, losses = train(keras, digits, folder, tell_problem=told.append, architecture_settings=settings)
    assert (len(losses), told) == (2, ["No space left on device"])
    assert "the checkpoint of epoch 2 was not written: [Errno 28] No space left on device" in capfd.readouterr().err
    assert list((small_disk / "trial-1").iterdir()) == []


def test_a_header_has_what_was_used_so_far_by_all_processes(keras: Any, digits: Dataset, tmp_path: Path) -> None:
    train(keras, digits, tmp_path)
    first = newest_whole(tmp_path)
    assert first is not None
    assert (first.epoch, first.n_epochs, first.devices, first.peak_bytes) == (2, 2, ("a CPU",), 5e6)
    assert first.seconds > 0
    assert len(list(tmp_path.iterdir())) == 2
    older = newest_whole(tmp_path, 1)
    assert older is not None
    _, checkpoints, losses = train(keras, digits, tmp_path, wanted=1, memory=3e6)
    assert checkpoints.resumed == older
    assert len(losses) == 1
    second = newest_whole(tmp_path)
    assert second is not None
    assert second.seconds > first.seconds
    assert (second.peak_bytes, checkpoints.peak_bytes) == (5e6, 5e6)  # of the process that took more


def test_a_trial_that_begins_anew_leaves_no_checkpoint_of_before(keras: Any, digits: Dataset, tmp_path: Path) -> None:
    train(keras, digits, tmp_path)
    _, checkpoints, losses = train(keras, digits, tmp_path, wanted=0)
    assert (checkpoints.resumed, checkpoints.reason, len(losses)) == (None, "", 2)
    (tmp_path / "empty").mkdir()
    _, checkpoints, losses = train(keras, digits, tmp_path / "empty", wanted=2)
    assert (checkpoints.reason, len(losses)) == ("there is no whole checkpoint up to epoch 2", 2)


def test_a_part_of_a_checkpoint_can_go_on_with_settings_of_another_candidate(
    keras: Any, digits: Dataset, tmp_path: Path
) -> None:
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.resumption.variables import restore_variables, variable_groups

    old, *_ = train(keras, digits, tmp_path)
    header = newest_whole(tmp_path)
    assert header is not None
    changed = candidate(batch_size=250, optimizer_settings={"learning_rate": 0.0625})
    other = training.build(SPACE, changed, digits, TABLE, 4)
    groups = variable_groups(other)
    with opened_checkpoint(tmp_path, header) as content:
        restore_variables(content, {"model": groups["model"], "optimizer": groups["optimizer"]}, but=["learning_rate"])
    pairs = list(zip(variable_groups(old)["optimizer"], groups["optimizer"], strict=True))
    assert [variable.name for variable, _ in pairs][:2] == ["iteration", "learning_rate"]
    assert float(other.optimizer.learning_rate) == 0.0625
    assert int(other.optimizer.iterations) == 2 * 5
    for before, after in (*pairs[2:], *zip(old.trained.variables, other.trained.variables, strict=True)):
        np.testing.assert_array_equal(before.numpy(), after.numpy())


def test_variables_of_sixteen_bits_come_back(keras: Any, tmp_path: Path) -> None:
    from tunefront.search.checkpoints.checkpoint_file import write_checkpoint
    from tunefront.search.checkpoints.header import CheckpointHeader
    from tunefront.search.trial.resumption.variables import restore_variables, variable_arrays

    values = [1.5, -3.0e38, 0.0078125]
    old = [keras.Variable(values, dtype=kind) for kind in ("bfloat16", "float16", "float32")]
    new = [keras.Variable([0.0, 0.0, 0.0], dtype=variable.dtype) for variable in old]
    header = write_checkpoint(tmp_path, CheckpointHeader(1, 1, {}), {}, variable_arrays({"model": old}))
    with opened_checkpoint(tmp_path, header) as content:
        restore_variables(content, {"model": new})
    for before, after in zip(old, new, strict=True):
        bits = [variable.numpy().tobytes() for variable in (before, after)]
        assert bits[0] == bits[1]
