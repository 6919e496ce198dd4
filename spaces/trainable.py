"""Trainable shares, another way to write freeze fractions: "90 %" of a backbone is trained."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tunefront.spaces.ranges import Fixed, FloatRange, IntRange, parse_range
from tunefront.spaces.settings import Spelling

_NAMES = {"all": 1.0, "top": 0.0}  # "top" trains the head alone
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


def freeze_fraction_of(trainable: Any) -> Any:
    """Return the ``freeze_fraction`` with which these shares are trained: 1 - share for each value.

    Args:
        trainable: The value in a spec: a share, a list of shares, or ``{low, high, step}``. A share is a number from
            0 to 1, a text such as ``"90 %"``, ``"All"`` or ``"Top"``.

    Raises:
        ValueError: If it is none of these; the message shows how to write it.
    """
    if isinstance(trainable, list):
        shares = [_share(value) for value in trainable]
        parse_range(shares)  # its errors quote what was written
        return [_frozen_share(share) for share in shares]
    return _mirrored(trainable) if isinstance(trainable, Mapping) else _frozen_share(_share(trainable))


def _mirrored(interval: Mapping[str, Any]) -> Any:
    is_number = {"low", "high", "step"}
    parsed = parse_range({key: _share(value) if key in is_number else value for key, value in interval.items()})
    if isinstance(parsed, Fixed):
        return _frozen_share(float(parsed.value))
    assert isinstance(parsed, FloatRange | IntRange)  # a mapping gives no other range
    if parsed.log:
        raise ValueError("a trainable share has no log scale: write freeze_fraction = { low, high, log = true }")
    if parsed.step is None:
        return {"low": _frozen_share(parsed.high), "high": _frozen_share(parsed.low)}
    # Steps count from the lowest share and may end below `high`. Mirrored steps count from the highest share.
    n_steps = int((parsed.high - parsed.low) / parsed.step + 1e-9)
    highest = parsed.low + n_steps * parsed.step
    return {"low": _frozen_share(highest), "high": _frozen_share(parsed.low), "step": parsed.step}


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


def _frozen_share(share: float) -> float:
    return round(1 - share, 12)  # 1 - 0.9 is not quite 0.1


TRAINABLE = Spelling("trainable", freeze_fraction_of)
