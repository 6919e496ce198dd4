"""Ranges: the values a parameter may have, how a spec writes them, and how they are sampled."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import optuna

from tunefront.printable import shown

Value = bool | int | float | str

_MAX_STEPS = 100_000  # between low and high: more steps make no difference, and take minutes to list


@dataclass(frozen=True)
class Fixed:
    """A single value: nothing to sample, no parameter in the store."""

    value: Value

    def suggest(self, trial: optuna.Trial, name: str) -> Value:
        return self.value


@dataclass(frozen=True)
class Choice:
    """A choice of several values without an order."""

    options: tuple[Value, ...]

    def suggest(self, trial: optuna.Trial, name: str) -> Value:
        chosen = trial.suggest_categorical(name, self.options)
        assert chosen is not None  # a Choice holds no None
        return chosen


@dataclass(frozen=True)
class IntRange:
    """Whole numbers from `low` to `high`, both included, in steps or on a log scale."""

    low: int
    high: int
    step: int = 1
    log: bool = False

    def suggest(self, trial: optuna.Trial, name: str) -> int:
        return trial.suggest_int(name, self.low, self.high, step=self.step, log=self.log)


@dataclass(frozen=True)
class FloatRange:
    """Numbers from `low` to `high`, both included, in steps or on a log scale."""

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def suggest(self, trial: optuna.Trial, name: str) -> float:
        return trial.suggest_float(name, self.low, self.high, step=self.step, log=self.log)


Range = Fixed | Choice | IntRange | FloatRange


def parse_range(value: Any) -> Range:
    """Read a range as a spec writes it: a value, a list of choices, or ``{low, high, step, log}``.

    Raises:
        ValueError: If it is none of these; the message shows how to write it.
    """
    if isinstance(value, bool | int | float | str):
        return Fixed(value)
    if isinstance(value, list):
        return _parse_choices(value)
    if isinstance(value, Mapping):
        return _parse_interval(value)
    raise ValueError(f"{shown(value)} is neither a value, a list of choices nor {{ low = ..., high = ... }}")


def write_range(spec_range: Range) -> Any:
    """Write a range as a spec does: :func:`parse_range` reads the same range from it, also through JSON."""
    match spec_range:
        case Fixed(value):
            return value
        case Choice(options):
            return list(options)
        case IntRange(low, high, step, log):
            return _write_interval(low, high, None if step == 1 else step, log)
        case FloatRange(low, high, float_step, log):
            return _write_interval(low, high, float_step, log)


def _write_interval(low: float, high: float, step: float | None, log: bool) -> dict[str, Any]:
    return {"low": low, "high": high} | ({} if step is None else {"step": step}) | ({"log": True} if log else {})


def _parse_choices(values: list[Any]) -> Range:
    if not values:
        raise ValueError("the list is empty: give at least one value to choose from")
    for value in values:
        if not isinstance(value, bool | int | float | str):
            raise ValueError(f"{shown(value)} is not a number, text, true or false")
    # Values are compared with their types, because True == 1 in Python but not in a spec.
    if len({(type(value), value) for value in values}) < len(values):
        raise ValueError(f"{shown(values)} names a value twice")
    return Fixed(values[0]) if len(values) == 1 else Choice(tuple(values))


def _parse_interval(value: Mapping[str, Any]) -> Range:
    unknown = set(value) - {"low", "high", "step", "log"}
    if unknown or not {"low", "high"} <= set(value):
        raise ValueError(
            f"{shown(dict(value))} is not a range: write {{ low = 0.1, high = 1.0 }}, "
            "with step = ... or log = true if wanted"
        )
    low, high, step, log = value["low"], value["high"], value.get("step"), value.get("log", False)
    for name, number in (("low", low), ("high", high), ("step", step)):
        if number is not None and (isinstance(number, bool) or not isinstance(number, int | float)):
            raise ValueError(f"{name} = {shown(number)} is not a number")
        if number is not None and not math.isfinite(number):
            raise ValueError(f"{name} = {number} is not a finite number")
    if not isinstance(log, bool):
        raise ValueError(f"log = {shown(log)} is neither true nor false")
    if low > high:
        raise ValueError(f"low = {low} is above high = {high}: exchange them")
    if log and (low <= 0 or step is not None):
        raise ValueError("a log scale needs low above 0 and no step")
    if step is not None and step <= 0:
        raise ValueError(f"step = {step} must be above 0")
    if low == high:
        return Fixed(low)
    if all(isinstance(number, int) for number in (low, high, step) if number is not None):
        return IntRange(low, high, step or 1, log)
    if step is not None and step < (high - low) / _MAX_STEPS:
        raise ValueError(f"step = {step} makes more than {_MAX_STEPS:,} values: write a larger one, or leave it out")
    return FloatRange(float(low), float(high), step, log)
