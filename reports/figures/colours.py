"""Colours of figures. They are told apart without colour vision, on light and dark pages, and by shape in print."""

from __future__ import annotations

from collections.abc import Sequence

FRONT_COLOUR = "#2f6fed"
COMPLETE_COLOUR = "#8a94a6"
PRUNED_COLOUR = "rgba(138, 148, 166, 0.6)"
BROKEN_COLOUR = "#d9534f"
# Okabe and Ito's colours without black and yellow, which vanish on dark and on light pages.
LINE_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9")
LINE_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "x", "triangle-down")
_EMPTIEST = 0.1


def blend(ends: Sequence[str], share: float) -> str:
    """Return the colour that lies `share` of the way from the first to the second, both as ``#rrggbb``."""
    start, end = (_channels(colour) for colour in ends)
    mixed = (round(low + (high - low) * share) for low, high in zip(start, end, strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def shade(colour: str, share: float) -> str:
    """Return a colour that is nearly empty for a share of 0 and full for 1."""
    return see_through(colour, _EMPTIEST + (1 - _EMPTIEST) * share)


def see_through(colour: str, opacity: float) -> str:
    """Return a colour ``#rrggbb`` with an opacity, as CSS writes it."""
    return f"rgba({', '.join(map(str, _channels(colour)))}, {opacity:.2f})"


def text_colour_on(background: str) -> str:
    """Return black or white, whichever has the greater contrast to a background: 4.58 at least, by WCAG's formula."""
    luminance = _luminance(background)
    return "#000000" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "#ffffff"


def _luminance(colour: str) -> float:
    shares = (channel / 255 for channel in _channels(colour))
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _channels(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
