"""The parameters that may change during a training: those that leave network, optimizer and batches as they are."""

from __future__ import annotations

# Momentum is not among them: at 0 an optimizer has no variables for it, and near 1 a factor of 1.2 means little.
_SETTINGS = frozenset(
    {
        "learning_rate",
        "weight_decay",
        "label_smoothing",
        "l1",
        "l2",
        "rotation",
        "shift",
        "zoom",
        "shear",
        "randaugment",
        "brightness",
        "contrast",
        "channel_shift",
        "noise",
        "erasing",
        "mixup",
        "cutmix",
    }
)


def is_changeable(parameter: str) -> bool:
    """Return whether a parameter, ``group.name`` or a name of a user's own space, may change during a training."""
    setting = parameter.rpartition(".")[2]
    return setting in _SETTINGS or "dropout" in setting


DESCRIPTION = "learning rates, weight decay, dropout, label smoothing, l1, l2 and strengths of augmentation"
