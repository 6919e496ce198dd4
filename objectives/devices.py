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


_ALL_DEVICES = (
    Device("stm32_blue_pill", 64 * _KIB, 20 * _KIB, "ST DS5319, datasheet of the STM32F103C8"),
    Device("arduino_nano_33_ble", 1 * _MIB, 256 * _KIB, "Arduino ABX00030, datasheet of the Nano 33 BLE (nRF52840)"),
    Device("stm32f746g_discovery", 1 * _MIB, 320 * _KIB, "ST DS10916, datasheet of the STM32F746NG"),
    Device("nucleo_h743zi", 2 * _MIB, 1 * _MIB, "ST DS12110, datasheet of the STM32H743ZI"),
    Device("raspberry_pi_pico", 2 * _MIB, 264 * _KIB, "Raspberry Pi Pico datasheet (RP2040)"),
    Device("raspberry_pi_pico_2", 4 * _MIB, 520 * _KIB, "Raspberry Pi Pico 2 datasheet (RP2350)"),
    Device("esp32_devkitc", 4 * _MIB, 520 * _KIB, "Espressif, datasheets of the ESP32 and the ESP32-WROOM-32E-N4"),
    Device("esp32_s3_devkitc_1", 8 * _MIB, 512 * _KIB, "Espressif, datasheets of the ESP32-S3 and the WROOM-1-N8"),
)
DEVICES: Mapping[str, Device] = {device.name: device for device in _ALL_DEVICES}
