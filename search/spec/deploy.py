"""The [deploy] of a spec: in which precision models ship, and the device that they must fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import ValidationInfo, field_validator

from tunefront.mistakes import nearest
from tunefront.objectives.devices import DEVICES, Device
from tunefront.objectives.measures import MEASURES
from tunefront.objectives.quantities import Unit, parse_quantity
from tunefront.printable import shown
from tunefront.search.spec.table import Table, is_from_file
from tunefront.spaces.settings import SpaceError


class DeviceTable(Table):
    """A device: the bytes of its flash, which the model's file must fit into, and of its RAM, for the arena."""

    name: str = "own device"
    flash: float
    ram: float

    @field_validator("flash", "ram", mode="before")
    @classmethod
    def _parse(cls, value: Any, info: ValidationInfo) -> float:
        return read_limit(f"deploy.device.{info.field_name}", value, "bytes", is_from_file(info))


class DeployTable(Table):
    """The deployment that a study searches for.

    Attributes:
        precision: The precision of the file that measures of LiteRT and tflite-micro are of.
        device: The device that every candidate must fit; None if there is none.
    """

    precision: Literal["float32", "float16", "dynamic", "int8"] = "float32"
    device: DeviceTable | None = None

    @field_validator("device", mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        device = find_device(value, "deploy.device")
        return DeviceTable(name=device.name, flash=device.flash_bytes, ram=device.ram_bytes)


def find_device(name: str, key: str) -> Device:
    """Return a known device.

    Args:
        key: Where the name stands, for the message: ``deploy.device`` or ``--device``.

    Raises:
        SpaceError: If no device has that name; it names the nearest one.
    """
    if name not in DEVICES:
        raise SpaceError(key, f"there is no device {shown(name)}. {nearest(name, DEVICES)}")
    return DEVICES[name]


def read_limit(key: str, value: Any, unit: Unit, is_file: bool) -> float:
    """Return a limit as a number of its measure's unit; a person must write the unit of bytes and seconds.

    Raises:
        SpaceError: Names the key, the value and how to write it.
    """
    text = str(value).strip()
    is_bare = not isinstance(value, bool) and isinstance(value, str | int | float) and not text[-1:].isalpha()
    if is_file and is_bare and unit in ("bytes", "seconds"):
        example = "16 kB" if unit == "bytes" else "5 ms"
        raise SpaceError(key, f'{shown(value)} has no unit: write it like "{example}"')
    try:
        limit = parse_quantity(value, unit)
    except ValueError as error:
        raise SpaceError(key, str(error)) from None
    if unit != "number" and limit <= 0:
        raise SpaceError(key, f"{shown(value)} excludes everything: give a limit above 0")
    return limit


def read_limits_table(table: Mapping[str, Any], is_file: bool) -> dict[str, float]:
    """Return [limits] as numbers in the units of their measures; a limit that was taken out is None, and left out.

    Raises:
        SpaceError: If there is no such measure, or a limit is no quantity of its unit.
    """
    limits = {}
    for name, value in table.items():
        if name not in MEASURES:
            raise SpaceError(f"limits.{name}", f"there is no measure {shown(name)}. {nearest(name, MEASURES)}")
        if value is not None:
            limits[name] = read_limit(f"limits.{name}", value, MEASURES[name].unit, is_file)
    return limits


def check_deployment(precision: str, measures: Sequence[str]) -> None:
    """Refuse measures that no file of the precision has.

    Raises:
        SpaceError: Names the key and the remedy.
    """
    if "arena_bytes" in measures and precision not in ("float32", "int8"):
        raise SpaceError(
            "deploy.precision",
            f"tflite-micro runs no models of the kind {precision}, so that arena_bytes is not known: write int8 or "
            "float32",
        )
