"""Trainable shares: the other way to write freeze fractions, as "90 %" of a backbone that is trained."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tunefront.spaces.ranges import Fixed, FloatRange, IntRange, parse_range
from tunefront.spaces.settings import Spelling

_NAMES = {"all": 1.0, "top": 0.0}  # Top: the head alone
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


def freeze_fraction_of(trainable: Any) -> Any:
    """Return what ``freeze_fraction`` has to be for this share to be trained: 1 - share, of each value.

    Args:
        trainable: As a spec writes it: a share, a list of shares, or ``{low, high, step}``. A share is a number from
            0 to 1, a text such as ``"90 %"``, ``"All"`` or ``"Top"``.

    Raises:
        ValueError: If it is none of these; the message shows how to write it.
    """
    if isinstance(trainable, list):
        shares = [_share(value) for value in trainable]
        parse_range(shares)  # in the words of what was written
        return [_rest(share) for share in shares]
    return _mirrored(trainable) if isinstance(trainable, Mapping) else _rest(_share(trainable))


def _mirrored(interval: Mapping[str, Any]) -> Any:
    is_number = {"low", "high", "step"}
    parsed = parse_range({key: _share(value) if key in is_number else value for key, value in interval.items()})
    if isinstance(parsed, Fixed):
        return _rest(float(parsed.value))
    assert isinstance(parsed, FloatRange | IntRange)  # of a mapping
    if parsed.log:
        raise ValueError("a trainable share has no log scale: write freeze_fraction = { low, high, log = true }")
    if parsed.step is None:
        return {"low": _rest(parsed.high), "high": _rest(parsed.low)}
    # Steps count from the lowest share, and may not end at `high`; the mirrored ones count from the highest.
    n_steps = int((parsed.high - parsed.low) / parsed.step + 1e-9)
    highest = parsed.low + n_steps * parsed.step
    return {"low": _rest(highest), "high": _rest(parsed.low), "step": parsed.step}


def _share(value: Any) -> float:
    if isinstance(value, str):
        percent = _PERCENT.fullmatch(value.strip())
        share = float(percent[1]) / 100 if percent else _NAMES.get(value.strip().lower(), -1.0)
    else:
        share = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else -1.0
    if not 0 <= share <= 1:
        raise ValueError(
            f'{value!r} is no trainable share: write a percentage such as "90 %", a number from 0 to 1, "All", or '
            '"Top", which trains the head alone'
        )
    return share


def _rest(share: float) -> float:
    return round(1 - share, 12)  # 1 - 0.9 is not quite 0.1


TRAINABLE = Spelling("trainable", freeze_fraction_of)
