"""Settings that change nothing beside the values of others, so that two candidates may differ in them and be one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tunefront.spaces.architectures import BACKBONE_NAMES, BASELINE_NAMES
from tunefront.spaces.architectures.blocks import LAST_OVERRIDDEN, OVERRIDE_SETTINGS
from tunefront.spaces.augmentation.levels import LEVELS
from tunefront.spaces.candidate import Settings
from tunefront.spaces.ranges import Fixed
from tunefront.spaces.space import Space

IsIdle = Callable[[Settings], bool]  # of complete settings


def _without(*names: str) -> IsIdle:
    """Return the rule of a setting that has an effect only if one of these others is not 0."""
    return lambda settings: not any(settings[name] for name in names)


def _is_pool_idle(settings: Settings, block: int = 0) -> bool:
    """Return whether a block does not pool; with 0 for its number, whether no block does."""
    blocks = [block] if block else range(1, int(settings["n_blocks"]) + 1)
    return all(int(settings.get(f"pool_size_{one}", 0) or settings["pool_size"]) == 1 for one in blocks)


def _of_block(name: str, block: int) -> IsIdle:
    is_of_pool = name in ("pool_stride", "pool_padding")
    return lambda settings: block > int(settings["n_blocks"]) or (is_of_pool and _is_pool_idle(settings, block))


_PLAIN_CNN: Mapping[str, IsIdle] = {
    "filters_growth": lambda settings: settings["n_blocks"] == 1,
    "batch_norm_after": _without("batch_norm"),
    "pool_stride": _is_pool_idle,
    "pool_padding": _is_pool_idle,
    "dense_batch_norm": _without("dense_units", "dense_units_2", "dense_units_3"),
    **{
        name: _of_block(name.removesuffix(f"_{block}"), block)
        for block in range(2, LAST_OVERRIDDEN + 1)
        for name in OVERRIDE_SETTINGS
        if name.endswith(f"_{block}")
    },
}
_MLP: Mapping[str, IsIdle] = {
    "units_growth": lambda settings: int(settings["n_layers"]) < 2,
    **dict.fromkeys(("units", "activation", "batch_norm", "dropout"), _without("n_layers")),
}
_MOVING = ("shift", "rotation", "zoom", "shear", "randaugment")  # what leaves an area of an image to fill

# Architecture, optimizer or augmentation level -> its settings that may be idle.
IDLE: Mapping[str, Mapping[str, IsIdle]] = {
    **dict.fromkeys(("plain_cnn", *BASELINE_NAMES), _PLAIN_CNN),
    **{name: {"fine_tuning_rate": _without("head_epochs")} for name in BACKBONE_NAMES},
    "mlp": _MLP,
    "sgd": {"nesterov": _without("momentum")},
    **{level: {"fill": _without(*_MOVING)} for level, settings in LEVELS.items() if settings},
}


class IdleParameters:
    """The parameters of a space that change nothing in some of its candidates; most spaces have none."""

    def __init__(self, space: Space) -> None:
        groups = {name: ranges for family in space.families.values() for name, ranges in family.items()}
        self._fixed = {
            group: {name: found.value for name, found in ranges.items() if isinstance(found, Fixed)}
            for group, ranges in groups.items()
        }
        self._rules = {
            f"{group}.{name}": (group, is_idle)
            for group, ranges in groups.items()
            for name, is_idle in IDLE.get(group, {}).items()
            if not isinstance(ranges[name], Fixed)
        }

    def left_out(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a candidate's parameters without those that change nothing beside the others.

        One is kept if that depends on parameters that are not there.
        """
        idle = {name for name in self._rules.keys() & parameters.keys() if self._is_idle(name, parameters)}
        return {name: value for name, value in parameters.items() if name not in idle} if idle else parameters

    def _is_idle(self, name: str, parameters: Mapping[str, Any]) -> bool:
        group, is_idle = self._rules[name]
        start = f"{group}."
        drawn = {one.removeprefix(start): value for one, value in parameters.items() if one.startswith(start)}
        try:
            return is_idle({**self._fixed[group], **drawn})
        except KeyError:  # what it depends on is still to be drawn
            return False
