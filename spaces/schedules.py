"""Learning-rate schedules a study can choose from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunefront.spaces.candidate import Settings, Task
from tunefront.spaces.ranges import Fixed
from tunefront.spaces.settings import Setting, fraction, number, one_of, whole

_WARM_UP: Mapping[str, Setting] = {"warm_up_epochs": number(Fixed(0.0), above=0, below=10_000, zero=True)}
# What `reduce_on_plateau` can monitor -> the task that measures it, and how Keras compares it.
_MONITORS: Mapping[str, tuple[Task | None, str]] = {
    "loss": (None, "min"),
    "val_loss": (None, "min"),
    "val_accuracy": ("classification", "max"),
    "val_rmse": ("regression", "min"),
    "val_mae": ("regression", "min"),
    "val_r2": ("regression", "max"),
}

SCHEDULES: Mapping[str, Mapping[str, Setting]] = {
    "constant": _WARM_UP,
    # The rate falls to `minimum` times its first value (SGDR without restarts, arXiv 1608.03983).
    "cosine": {**_WARM_UP, "minimum": fraction(Fixed(0.0))},
    # The rate is multiplied by `factor` when what is monitored has not improved for `patience` epochs.
    "reduce_on_plateau": {
        "monitor": one_of(Fixed("val_loss"), _MONITORS),
        "factor": number(Fixed(0.1), above=0, below=1),
        "patience": whole(Fixed(5), 1, 10_000),
        "cooldown": whole(Fixed(0), 0, 10_000),
        "minimum": number(Fixed(0.0), above=0, below=1, zero=True),
    },
}


def monitor_problem(monitor: str, task: Task) -> str:
    """Say why a schedule cannot monitor a score with this task, and what to write; empty if it can."""
    fitting = [name for name, (measured_by, _) in _MONITORS.items() if measured_by in (None, task)]
    if monitor in fitting or monitor not in _MONITORS:
        return ""
    return f'{monitor} is not measured with task = "{task}": write one of {", ".join(fitting)}'


def monitor_mode(monitor: str) -> str:
    """Return how Keras compares what is monitored: ``max`` where more is better, else ``min``."""
    return _MONITORS[monitor][1]


def build_learning_rate(name: str, settings: Settings, learning_rate: float, steps_per_epoch: int, epochs: int) -> Any:
    """Build the learning rate that an optimizer takes: a number, or a Keras schedule over steps.

    ``reduce_on_plateau`` starts from the number itself; a callback of the training lowers it.
    """
    from keras.optimizers import schedules

    warm_up_steps = round(float(settings.get("warm_up_epochs", 0.0)) * steps_per_epoch)
    if name == "cosine":
        return schedules.CosineDecay(
            0.0 if warm_up_steps else learning_rate,
            decay_steps=max(epochs * steps_per_epoch - warm_up_steps, 1),
            alpha=float(settings["minimum"]),
            warmup_target=learning_rate if warm_up_steps else None,
            warmup_steps=warm_up_steps,
        )
    if warm_up_steps:
        return schedules.PolynomialDecay(0.0, decay_steps=warm_up_steps, end_learning_rate=learning_rate)
    return learning_rate
