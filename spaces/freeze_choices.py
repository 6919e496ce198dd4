"""Freeze fractions that leave the same layers trainable and so are one candidate, whichever of them is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tunefront.spaces.architectures import BACKBONE_NAMES
from tunefront.spaces.architectures.backbone_layers import n_learning_frozen
from tunefront.spaces.ranges import Choice, Fixed, FloatRange, IntRange, Range, Value
from tunefront.spaces.space import Space

FREEZE_FRACTION = "freeze_fraction"


def merge_freeze_choices(space: Space) -> tuple[Space, list[str]]:
    """Keep one of several choices of a freeze fraction that train the same layers of a backbone.

    Returns:
        The space, and for each merger a sentence for people.
    """
    notes: list[str] = []
    merged = dict(space.families["architecture"])
    for name, settings in merged.items():
        if name in BACKBONE_NAMES:
            groups = _groups(name, _values(settings[FREEZE_FRACTION]))
            notes += [_describe(name, group) for group in groups if len(group) > 1]
            if any(len(group) > 1 for group in groups):
                kept = [_representative(group) for group in groups]
                choice = Choice(tuple(kept)) if len(kept) > 1 else Fixed(kept[0])
                merged[name] = {**settings, FREEZE_FRACTION: choice}
    return (replace(space, families={**space.families, "architecture": merged}), notes) if notes else (space, [])


def distinct_fractions(backbone: str, fractions: Sequence[float]) -> tuple[list[float], list[str]]:
    """Return the freeze fractions that are different candidates, and a sentence on each merger."""
    groups = _groups(backbone, fractions)
    return [float(_representative(group)) for group in groups], [
        _describe(backbone, group) for group in groups if len(group) > 1
    ]


def is_same_choice(backbone: str, one: Range, other: Range) -> bool:
    """Return whether two ranges of a backbone's freeze fraction leave the same candidates."""
    if one == other:
        return True
    values = _values(one), _values(other)
    cuts = [{n_learning_frozen(backbone, float(value)) for value in found} for found in values]
    return all(values) and cuts[0] == cuts[1]


def same_fraction(backbone: str, wanted: Value, spec_range: Range) -> Value:
    """Return the range's value that trains the same layers as `wanted`; `wanted` itself if the range has none."""
    options = _values(spec_range)
    if isinstance(wanted, bool | str) or not 0 <= wanted <= 1 or wanted in options:
        return wanted
    cut = n_learning_frozen(backbone, wanted)
    return next((option for option in options if n_learning_frozen(backbone, float(option)) == cut), wanted)


def _values(spec_range: Range) -> Sequence[Value]:
    """Return every value of a range; nothing for a range without steps, which has too many."""
    match spec_range:
        case Fixed(value):
            return (value,)
        case Choice(options):
            return options
        case IntRange(low, high):
            return tuple(range(low, high + 1))
        case FloatRange(low, high, step) if step is not None:
            return tuple(round(low + number * step, 12) for number in range(int((high - low) / step + 1e-9) + 1))
    return ()


def _groups(backbone: str, values: Sequence[Value]) -> list[list[Value]]:
    by_cut: dict[tuple[int, ...], list[Value]] = {}
    for value in values:
        by_cut.setdefault(n_learning_frozen(backbone, float(value)), []).append(value)
    return list(by_cut.values())


def _representative(group: Sequence[Value]) -> Value:
    """Return 0 or 1 if the group has it, because these are the clearest (all, or the head alone); else the first."""
    return next((value for value in group if value in (0, 1)), group[0])


def _describe(backbone: str, group: Sequence[Value]) -> str:
    shown = [f"{value:g}" for value in group]
    return (
        f"{backbone}: freeze_fraction {', '.join(shown[:-1])} and {shown[-1]} leave the same layers trainable: "
        f"one candidate, freeze_fraction = {_representative(group):g}"
    )
