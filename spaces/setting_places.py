"""Where a setting of an architecture, optimizer, augmentation level or schedule is to be written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunefront.spaces.settings import keys_of
from tunefront.spaces.space import FAMILIES

_USUAL = ("adam", "plain_cnn", "MobileNetV2", "custom", "cosine", "reduce_on_plateau")  # examples, if they fit


def table_of_setting(setting: str, space: Mapping[str, Any]) -> str:
    """The name of a table below [space] that has this setting: of what the space names, where that has it.

    Empty if there is no such setting.

    Args:
        space: The table, as a spec has it.
    """
    chosen = [name for family in FAMILIES for name in _listed(space.get(family))]
    tables = {name: settings for family in FAMILIES.values() for name, settings in family.items()}
    for name in (*chosen, *_USUAL, *tables):
        if setting in keys_of(tables.get(name, {})):
            return name
    return ""


def family_of(name: str) -> str:
    """``"optimizer"`` for ``"adam"``."""
    return next(family for family, members in FAMILIES.items() if name in members)


def _listed(value: Any) -> list[str]:
    names = value if isinstance(value, list) else [value]
    return [name for name in names if isinstance(name, str)]
