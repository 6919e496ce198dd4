from __future__ import annotations

import pytest

from tunefront.search.spec.devices import DEVICES, find_device
from tunefront.spaces.settings import SpaceError


def test_devices_are_few_and_have_a_source() -> None:
    assert len(DEVICES) <= 8
    for name, device in DEVICES.items():
        assert device.name == name
        assert device.source
        assert 0 < device.ram_bytes < device.flash_bytes
    blue_pill = find_device("stm32_blue_pill", "deploy.device")
    assert (blue_pill.flash_bytes, blue_pill.ram_bytes) == (64 * 1024, 20 * 1024)


def test_the_nearest_name_is_given_when_a_device_is_unknown() -> None:
    with pytest.raises(
        SpaceError, match="deploy.device: there is no device 'raspberry'. Did you mean 'raspberry_pi_pico'"
    ):
        find_device("raspberry", "deploy.device")
