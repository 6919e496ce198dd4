"""The table in which a setting of an architecture, optimizer, augmentation level or schedule belongs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunefront.spaces.settings import keys_of
from tunefront.spaces.space import FAMILIES

_EXAMPLE_NAMES = ("adam", "plain_cnn", "MobileNetV2", "custom", "cosine", "reduce_on_plateau")  # preferred tables


def table_of_setting(setting: str, space: Mapping[str, Any]) -> str:
    """Return the name of a table below [space] that has this setting; empty if no table has it.

    Tables that the space already names come first.

    Args:
        space: The [space] table of a spec.
    """
    chosen = [name for family in FAMILIES for name in _listed(space.get(family))]
    tables = {name: settings for family in FAMILIES.values() for name, settings in family.items()}
    for name in (*chosen, *_EXAMPLE_NAMES, *tables):
        if setting in keys_of(tables.get(name, {})):
            return name
    return ""


def family_of(name: str) -> str:
    """Return the family that a name belongs to: ``"optimizer"`` for ``"adam"``."""
    return next(family for family, members in FAMILIES.items() if name in members)


def _listed(value: Any) -> list[str]:
    names = value if isinstance(value, list) else [value]
    return [name for name in names if isinstance(name, str)]
