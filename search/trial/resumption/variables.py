"""All variables of a candidate that is trained: as arrays of a checkpoint, and from there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from tunefront.search.checkpoints.checkpoint_file import CheckpointContent
from tunefront.search.trial.trainable import Trainable

_AUGMENTATION = "augmentation"
Groups = Mapping[str, Sequence[Any]]


def variable_groups(trainable: Trainable) -> dict[str, list[Any]]:
    """Return group -> its variables, in an order that is the same in every process.

    ``model`` has the weights, trainable or not, and the states of its seed generators, such as those of dropout;
    ``augmentation`` the states of those of the layers before it; ``optimizer`` what it adds up, its count of steps and,
    unless a schedule gives it, its learning rate.
    """
    model = list(trainable.model.variables)
    known = {id(variable) for variable in model}
    return {
        "model": model,
        _AUGMENTATION: [variable for variable in trainable.trained.variables if id(variable) not in known],
        "optimizer": list(trainable.optimizer.variables),
    }


def described(trainable: Trainable) -> list[list[Any]]:
    """Return name and shape of each of the model's variables, as JSON data.

    Keras counts up the names of layers in a process, and a second fold's are others in the process that goes on with
    it. So numbers in names are left out.
    """
    return [
        [re.sub(r"_\d+(?=/|$)", "", variable.path), list(variable.shape)]
        for variable in variable_groups(trainable)["model"]
    ]


def variable_arrays(groups: Groups, prefix: str = "") -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the variables' values one after another, under the names by which :func:`restore_variables` finds them."""
    for group, variables in groups.items():
        for place, variable in enumerate(variables):
            array = variable.numpy()
            # A file has no name for a type that NumPy was taught, such as bfloat16: its bits are kept as integers.
            own = array.dtype.isbuiltin == 1
            yield f"{prefix}{group}/{place}", array if own else array.view(f"u{array.dtype.itemsize}")


def restore_variables(content: CheckpointContent, groups: Groups, prefix: str = "", but: Collection[str] = ()) -> None:
    """Give variables the values that they have in a checkpoint, where those of these groups must be alike.

    A checkpoint of a training on stored views has no ``augmentation``, because nothing was drawn: where a machine
    cannot store views, these layers then begin with their seeds.

    Args:
        groups: Some of :func:`variable_groups`, such as ``model`` alone.
        but: Names of variables that are left as they are, such as ``learning_rate``.
    """
    names = set(content.names())
    for group, variables in groups.items():
        if group == _AUGMENTATION and f"{prefix}{group}/0" not in names:
            continue
        for place, variable in enumerate(variables):
            if variable.name not in but:
                array, kind = content.array(f"{prefix}{group}/{place}"), variable.numpy().dtype
                variable.assign(array if array.dtype == kind else array.view(kind))
