"""Candidates for tests: settings that a test does not name have the value they are fixed at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunefront.spaces.architectures import ARCHITECTURES
from tunefront.spaces.augmentation.levels import LEVELS
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.ranges import Fixed
from tunefront.spaces.schedules import SCHEDULES
from tunefront.spaces.settings import Setting

TINY = {"n_blocks": 1, "filters": 8, "kernel_size": 3, "dense_units": 0, "dropout": 0.0, "batch_norm": False}


def candidate(**changes: Any) -> Candidate:
    """Return a tiny plain CNN with Adam; `changes` are fields of Candidate, and settings that are added."""
    chosen = {"architecture": "plain_cnn", "augmentation": "none", "schedule": "constant", **changes}
    own = changes.get("architecture_settings", {})
    if chosen["architecture"] == "plain_cnn":
        own = {**TINY, **own}
    return Candidate(
        **{
            "optimizer": "adam",
            "optimizer_settings": {"learning_rate": 0.01},
            "batch_size": 64,
            **chosen,
            "architecture_settings": {**fixed(ARCHITECTURES[chosen["architecture"]].settings), **own},
            "augmentation_settings": {
                **fixed(LEVELS[chosen["augmentation"]]),
                **changes.get("augmentation_settings", {}),
            },
            "schedule_settings": {**fixed(SCHEDULES[chosen["schedule"]]), **changes.get("schedule_settings", {})},
        }
    )


def fixed(settings: Mapping[str, Setting]) -> dict[str, Any]:
    """Return the value of every setting that does not vary by default."""
    return {name: setting.default.value for name, setting in settings.items() if isinstance(setting.default, Fixed)}
