"""A candidate: one sampled choice of everything that may vary. Plain values, no Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, Literal

from tunefront.printable import shown
from tunefront.spaces.ranges import Value

Settings = Mapping[str, Value]
Task = Literal["classification", "regression"]  # as in `objectives`, which this package does not import
NUMBER_LOSSES = ("mse", "mae", "huber")

EPOCHS_PARAMETER = "training.epochs"  # the name in the store of a candidate's own number of epochs, where it varies


@dataclass(frozen=True)
class Candidate:
    """The choices that one trial trains.

    Attributes:
        architecture: Name of the architecture; `architecture_settings` are its own.
        optimizer: Name of the optimizer; `optimizer_settings` hold at least ``learning_rate``.
        augmentation: Name of the augmentation level; `augmentation_settings` say what it does.
        batch_size: Images a training step.
        schedule: Name of the learning-rate schedule.
        image_size: Height and width in pixels to which the model resizes; 0 leaves the data's size.
        steps_per_epoch: Batches an epoch; 0 is one pass over the training images.
        label_smoothing: Share of each label that is spread over all classes, 0 to below 1.
        l1: Penalty on the kernels' absolute values.
        l2: Penalty on the kernels' squares.
        class_weights: ``none``, or ``balanced``: each class counts alike, however many images it has.
        output: ``softmax``, or ``sigmoid``: one unit, for two classes; or ``linear``: one number.
        loss: ``cross_entropy``, or of a number ``mse``, ``mae`` or ``huber``.
        epochs: The epochs of its whole training; 0 if its space does not say.
        later: First epoch -> the candidate that the training goes on with from there, in the order of epochs. They
            differ in settings alone that leave network, optimizer and batches as they are.
    """

    architecture: str
    architecture_settings: Settings
    optimizer: str
    optimizer_settings: Settings
    augmentation: str = "none"
    batch_size: int = 32
    augmentation_settings: Settings = field(default_factory=dict)
    schedule: str = "constant"
    schedule_settings: Settings = field(default_factory=dict)
    image_size: int = 0
    steps_per_epoch: int = 0
    label_smoothing: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    class_weights: str = "none"
    output: str = "softmax"
    loss: str = "cross_entropy"
    epochs: int = 0
    later: tuple[tuple[int, Candidate], ...] = ()

    def at(self, epoch: int) -> Candidate:
        """Return the candidate that an epoch trains, counted from 1: this one, or one of the later ones."""
        return next((one for first, one in reversed(self.later) if first <= epoch), self)

    def for_task(self, task: Task) -> Candidate:
        """Return the candidate with the output and the loss that its task has where nothing else was chosen.

        Raises:
            ValueError: If something was chosen that the task does not have; it names what, and the remedy.
        """
        if task == "classification":
            if self.output == "linear" or self.loss != "cross_entropy":
                raise ValueError(
                    f"output = {self.output!r} and loss = {self.loss!r}, and classes have 'softmax' or 'sigmoid' and "
                    "'cross_entropy': for numbers to predict write task = \"regression\" in [data]"
                )
            return self
        for key, value, other in (
            ("output", self.output, "sigmoid"),
            ("class_weights", self.class_weights, "balanced"),
            ("label_smoothing", bool(self.label_smoothing), True),
        ):
            if value == other:
                raise ValueError(
                    f'{key}, which is about classes, and task = "regression" predicts numbers: leave it out'
                )
        loss = "mse" if self.loss == "cross_entropy" else self.loss
        if loss not in NUMBER_LOSSES:
            raise ValueError(f"loss = {loss!r}, which is none of numbers to predict. Known: {', '.join(NUMBER_LOSSES)}")
        return replace(self, output="linear", loss=loss)

    def summary(self, parameters: Settings) -> str:
        """Return the candidate as a line for people: ``plain_cnn, adam, batch 32, learning_rate=0.001, ...``.

        Args:
            parameters: The sampled values by full name; what is fixed in the study is not shown.
        """
        what = f"{self.architecture}, {self.optimizer}, batch {self.batch_size}, augmentation {self.augmentation}"
        size = f", {self.image_size} px" if self.image_size else ""
        own = {name.partition(".")[2]: value for name, value in parameters.items() if name not in _SHOWN}
        return f"{what}{size}" + (f", {_show(own)}" if own else "")


_SHOWN = ("architecture.name", "optimizer.name", "augmentation.level", "training.batch_size", "image.size")


def _show(settings: Settings) -> str:
    return ", ".join(
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}" for name, value in settings.items()
    )


_WHOLE_FIELDS = ("batch_size", "steps_per_epoch")


def with_whole_numbers(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of a candidate with counts as ints, such as 64.0 as 64.

    Raises:
        ValueError: If a count is no whole number.
    """
    found = dict(fields)
    for name in _WHOLE_FIELDS:
        value = found.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, Real) or not float(value).is_integer():
            raise ValueError(f"{name} = {shown(value)}, which is no whole number")
        if name in found:
            found[name] = int(float(value))
    return found
