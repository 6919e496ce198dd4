"""Settings of architectures and optimizers: their default ranges and possible values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tunefront.mistakes import TunefrontError, nearest
from tunefront.printable import shown
from tunefront.spaces.ranges import Choice, Fixed, FloatRange, IntRange, Range, Value, parse_range


class SpaceError(TunefrontError):
    """An impossible space: which key is wrong, and what to write instead."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(key, problem)  # both arguments are needed to pickle the error in another process
        self.key = key
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}"


@dataclass(frozen=True)
class Spelling:
    """Another key that a spec may write instead of a setting's own.

    Attributes:
        read: A function that turns this key's value into one for the setting's own key; it raises ValueError if it
            cannot.
    """

    key: str
    read: Callable[[Any], Any]


@dataclass(frozen=True)
class Setting:
    """A setting of an architecture, optimizer, augmentation level or schedule.

    Attributes:
        default: The range if a spec says nothing.
        allows: A function that tells whether a value is possible.
        allowed: The possible values, in words.
        spelling: Another way to write the setting, if there is one.
    """

    default: Range
    allows: Callable[[Value], bool]
    allowed: str
    spelling: Spelling | None = None


def whole(default: Range, low: int, high: int) -> Setting:
    """Return a setting that takes whole numbers from `low` to `high`."""
    return Setting(
        default,
        lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high,
        f"a whole number from {low} to {high}",
    )


def number(default: Range, above: float, below: float, *, zero: bool = False) -> Setting:
    """Return a setting that takes numbers strictly between `above` and `below`, and zero if `zero` is true."""
    return Setting(
        default,
        lambda value: (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and (above < value < below or (zero and value == 0))
        ),
        f"a number above {above:g} and below {below:g}" + (", or 0" if zero else ""),
    )


def flag(default: Range) -> Setting:
    """Return a setting that is true or false."""
    return Setting(default, lambda value: isinstance(value, bool), "true or false")


def fraction(default: Range) -> Setting:
    """Return a setting that takes numbers from 0 to 1, both included."""
    return Setting(
        default,
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1,
        "a number from 0 to 1",
    )


def share(default: Range) -> Setting:
    """Return a setting that takes numbers above 0, up to and including 1."""
    return Setting(
        default,
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1,
        "a number above 0 and up to 1",
    )


def one_of(default: Range, values: Iterable[Value]) -> Setting:
    """Return a setting that takes one of `values`."""
    known = tuple(values)
    return Setting(default, lambda value: value in known, f"one of {', '.join(str(value) for value in known)}")


def only(value: Value, reason: str) -> Setting:
    """Return a setting that has one possible value here, for a reason that its error tells."""
    return Setting(Fixed(value), lambda other: other == value, f"{value}: {reason}")


def text(default: Range, allowed: str) -> Setting:
    """Return a setting that takes any text; `allowed` says what it means."""
    return Setting(default, lambda value: isinstance(value, str) and value != "", allowed)


def name_of(default: Range, names: Iterable[str], what: str) -> Setting:
    """Return a setting that names one of `names`."""
    known = tuple(names)
    return Setting(default, lambda value: value in known, f"the name of {what}: {', '.join(known)}")


def fixed_values(settings: Mapping[str, Setting]) -> dict[str, Value]:
    """Return the default values of the settings that have a single one."""
    return {name: setting.default.value for name, setting in settings.items() if isinstance(setting.default, Fixed)}


def parse_settings(table: Mapping[str, Any], settings: Mapping[str, Setting], where: str) -> dict[str, Range]:
    """Return a range for each of `settings`: that of `table` if it has one, else the default.

    Raises:
        SpaceError: For an unknown key, a broken range or an impossible value, under `where`.
    """
    own = under_own_names(table, settings, where)
    return {name: _parse_setting(f"{where}.{name}", own.get(name), setting) for name, setting in settings.items()}


def keys_of(settings: Mapping[str, Setting]) -> list[str]:
    """Return every key that a spec may write for these settings."""
    return [*settings, *(setting.spelling.key for setting in settings.values() if setting.spelling)]


def under_own_names(table: Mapping[str, Any], settings: Mapping[str, Setting], where: str) -> dict[str, Any]:
    """Return the table with each setting under its own name, whichever key it was written with.

    Raises:
        SpaceError: For an unknown key, one setting under two keys, or a value that the other key cannot have.
    """
    spellings = {one.spelling.key: (name, one.spelling) for name, one in settings.items() if one.spelling}
    own: dict[str, Any] = {}
    for key, value in table.items():
        if key not in settings and key not in spellings:
            raise SpaceError(f"{where}.{key}", f"there is no such setting. {nearest(key, keys_of(settings))}")
        name, spelling = spellings.get(key, (key, None))
        if spelling is not None and name in table:
            raise SpaceError(f"{where}.{key}", f"it says what {name} says, which is there too: leave one of them out")
        try:
            own[name] = spelling.read(value) if spelling else value
        except ValueError as error:
            raise SpaceError(f"{where}.{key}", str(error)) from None
    return own


def _parse_setting(key: str, value: Any, setting: Setting) -> Range:
    if value is None:
        return setting.default
    try:
        parsed = parse_range(value)
    except ValueError as error:
        raise SpaceError(key, str(error)) from None
    for extreme in extremes(parsed):
        if not setting.allows(extreme):
            raise SpaceError(key, f"{shown(extreme)} is not possible here; it must be {setting.allowed}")
    return parsed


def extremes(spec_range: Range) -> tuple[Value, ...]:
    """Return every choice, or the two ends of an interval."""
    match spec_range:
        case Fixed(value):
            return (value,)
        case Choice(options):
            return options
        case IntRange(low, high) | FloatRange(low, high):
            return (low, high)
