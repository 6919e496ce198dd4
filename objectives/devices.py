"""Devices that models are deployed to: how much flash and RAM each has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_KIB = 1024
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Device:
    """A device's memory. A model's file must fit into the flash, and its arena into the RAM.

    The interpreter's own code, and what else runs there, are not counted: they need room beside the model.

    Attributes:
        source: The public document that has the numbers; empty for a device of the user's own.
    """

    name: str
    flash_bytes: float
    ram_bytes: float
    source: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


# RAM is the largest block that one array can have, not the sum of a chip's banks: an arena is one array.
_ALL_DEVICES = (
    Device("stm32_blue_pill", 64 * _KIB, 20 * _KIB, "ST DS5319, datasheet of the STM32F103C8"),
    Device("arduino_nano_33_ble", 960 * _KIB, 256 * _KIB, "Arduino, boards.txt of ArduinoCore-mbed (nRF52840)"),
    Device("stm32f746g_discovery", 1 * _MIB, 320 * _KIB, "ST DS10916, datasheet of the STM32F746NG"),
    Device("nucleo_h743zi", 2 * _MIB, 512 * _KIB, "ST DS12110, datasheet of the STM32H743ZI: AXI SRAM"),
    Device("raspberry_pi_pico", 2 * _MIB, 256 * _KIB, "Raspberry Pi pico-sdk, memmap_default.ld (RP2040)"),
    Device("raspberry_pi_pico_2", 4 * _MIB, 512 * _KIB, "Raspberry Pi pico-sdk, memmap_default.ld (RP2350)"),
    Device("esp32_devkitc", 4 * _MIB, 160 * _KIB, "Espressif ESP-IDF, memory types of the ESP32: static DRAM"),
    Device("esp32_s3_devkitc_1", 8 * _MIB, 320 * _KIB, "Espressif ESP-IDF, memory.ld of the ESP32-S3: DRAM"),
)
DEVICES: Mapping[str, Device] = {device.name: device for device in _ALL_DEVICES}
