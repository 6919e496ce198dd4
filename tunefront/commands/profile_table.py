"""The profiles of models as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from tunefront.objectives.quantities import format_quantity
from tunefront.search.profiling.profile import Profile

if TYPE_CHECKING:
    from rich.table import Table


def _varying_settings(profiles: Sequence[Profile]) -> list[str]:
    """Return for each profile, as text, its settings that are not the same in all profiles."""
    varying = {
        name
        for found in profiles
        for name, value in found.settings.items()
        if any(other.settings.get(name) != value for other in profiles)
    }
    return [
        ", ".join(
            f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in found.settings.items()
            if name in varying
        )
        for found in profiles
    ]


def profiles_table(profiles: Sequence[Profile], *, is_exact: bool = False) -> Table:
    """Return a table of profiles for people, within 80 columns for usual grids.

    Values that all profiles share stand below the table; columns that are empty for all are left out.

    Args:
        is_exact: Whether counts and bytes are shown to the last digit.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    count = _show_exactly if is_exact else _show_count
    size = _show_exactly if is_exact else partial(format_quantity, unit="bytes")
    texts = {
        "architecture": [found.architecture for found in profiles],
        "settings": _varying_settings(profiles),
        "image": [found.image_size for found in profiles],
        "width": ["" if found.width is None else f"{found.width:g}" for found in profiles],
        "optimizer": [found.optimizer for found in profiles],
    }
    numbers = {
        "freeze": ["" if found.freeze_fraction is None else f"{found.freeze_fraction:g}" for found in profiles],
        "layers": [str(found.n_layers) for found in profiles],
        "weights": [count(found.parameters) for found in profiles],
        "trained": [count(found.trainable_parameters) for found in profiles],
        "bytes": [size(found.weight_bytes) for found in profiles],
        "saved": [size(found.model_bytes) for found in profiles],
        "FLOPs": ["-" if found.flops is None else count(found.flops) for found in profiles],
    }
    same = {name: cells[0] for name, cells in texts.items() if name != "architecture" and len(set(cells)) == 1}
    shown = {name: cells for name, cells in {**texts, **numbers}.items() if name not in same and any(cells)}
    caption = ", ".join(f"{name} {text}" for name, text in same.items() if text)
    table = Table(box=SIMPLE_HEAD, caption=caption or None, caption_justify="left", padding=0, show_edge=False)
    for name in shown:
        is_text = name in texts
        table.add_column(name, justify="left" if is_text else "right", no_wrap=name != "settings", overflow="fold")
    for row in zip(*shown.values(), strict=True):
        table.add_row(*row)
    return table


def _show_exactly(value: float) -> str:
    return f"{round(value):,}"


def _show_count(value: int) -> str:
    scale, name = next(((s, n) for s, n in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if value >= 0.9995 * s), (1.0, ""))
    return f"{value / scale:.3g} {name}".strip()
