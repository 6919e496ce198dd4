"""[limits] and [deploy]: what they mean, and what is refused in a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tunefront.objectives.devices import DEVICES
from tunefront.search.spec.derived import confirmation_spec, recording_spec
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.file import read_spec
from tunefront.search.spec.study_spec import StudySpec, differences, limit_changes

TEXT = """
name = "small"
data = { source = "digits" }
space = { optimizer = "adam" }
"""
BOARD = '[deploy]\nprecision = "int8"\ndevice = { flash = "64 kB", ram = "16 KiB" }\n'


def read(folder: Path, more: str, stored: dict[str, Any] | None = None) -> StudySpec:
    path = folder / "small.toml"
    path.write_text(TEXT + more)
    return read_spec(path, lambda name: stored)


def test_devices_are_few_and_have_a_source() -> None:
    assert len(DEVICES) <= 8
    for name, device in DEVICES.items():
        assert device.name == name
        assert device.source
        assert 0 < device.ram_bytes < device.flash_bytes


def test_the_documents_have_every_device() -> None:
    text = (Path(__file__).parents[3] / "docs" / "deployment.md").read_text()
    for name, device in DEVICES.items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        sizes = [cell.strip() for cell in row.split("|")[2:4]]
        units = {"KiB": 1024, "MiB": 1024**2}
        numbers = [int(size.split()[0]) * units[size.split()[1]] for size in sizes]
        assert numbers == [device.flash_bytes, device.ram_bytes], name


def test_limits_are_read_with_their_units(tmp_path: Path) -> None:
    spec = read(tmp_path, '[limits]\nmodel_bytes = "50 kB"\nrecall = "60 %"\nmacs = "2 M"\nlatency_seconds = "5 ms"\n')
    assert spec.limits == {"model_bytes": 50_000, "recall": 0.6, "macs": 2e6, "latency_seconds": 0.005}
    assert spec.deployment_measures == ["macs"]
    found = {one.measure.name: (one.at_least, one.at_most) for one in spec.extra_limits()}
    assert found == {"recall": (0.6, None), "macs": (None, 2e6), "latency_seconds": (None, 0.005)}
    assert spec.parsed_objectives()["memory"].at_most == 50_000
    assert StudySpec.from_json(spec.as_json()).as_json() == spec.as_json()


def test_a_device_is_a_limit_on_the_file_and_on_the_arena(tmp_path: Path) -> None:
    spec = read(tmp_path, BOARD)
    found = {one.measure.name: one.at_most for one in spec.extra_limits()}
    assert found == {"litert_bytes": 64_000, "arena_bytes": 16 * 1024}
    assert spec.deployment_measures == ["litert_bytes", "arena_bytes"]
    known = read(tmp_path, '[deploy]\ndevice = "stm32_blue_pill"\n')
    assert {one.measure.name: one.at_most for one in known.extra_limits()} == {
        "litert_bytes": 65_536,
        "arena_bytes": 20_480,
    }
    assert StudySpec.from_json(known.as_json()).as_json() == known.as_json()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("[limits]\narena_bytes = 16000\n", 'limits.arena_bytes: 16000 has no unit: write it like "16 kB"'),
        ('[limits]\nlitert_latency_seconds = "5"\n', "limits.litert_latency_seconds: '5' has no unit"),
        ('[limits]\narena_bytes = "16 ms"\n', "limits.arena_bytes: '16 ms' is not a size"),
        (
            '[limits]\narena_byte = "16 kB"\n',
            "limits.arena_byte: there is no measure 'arena_byte'. Did you mean 'arena_bytes'?",
        ),
        ('[limits]\nmodel_bytes = "0 kB"\n', "limits.model_bytes: '0 kB' excludes everything"),
        ('[deploy]\nprecision = "int4"\n', "deploy.precision: 'int4' is not possible"),
        ('[deploy]\ndevice = "stm32"\n', "deploy.device: there is no device 'stm32'. Did you mean 'stm32_blue_pill'?"),
        ('[deploy]\ndevice = { flash = 64000, ram = "16 kB" }\n', "deploy.device.flash: 64000 has no unit"),
        ('[deploy]\ndevice = { flash = "64 kB" }\n', "deploy.device.ram: this key is missing"),
        ('[deploy]\nprecision = "float16"\n[limits]\narena_bytes = "9 kB"\n', "deploy.precision: tflite-micro runs no"),
        ('[objectives]\ntime = "macs"\n', "objectives.time: 'macs' is a count"),
        ('[training]\nprecision = "int8"\n', "training.precision"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(tmp_path: Path, more: str, message: str) -> None:
    with pytest.raises(SpecError) as raised:
        read(tmp_path, more)
    assert message in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_limits_and_the_device_may_change_and_the_precision_may_not(tmp_path: Path) -> None:
    stored = read(tmp_path, BOARD + '[limits]\nmacs = "2 M"\n').as_json()
    given = read(tmp_path, '[deploy]\nprecision = "int8"\n[limits]\nmacs = "1 M"\nrecall = 0.5\n', stored).as_json()
    assert differences(stored, given) == []
    assert limit_changes(stored, given) == [
        "limits.macs: the study has 2000000.0, the spec 1000000.0",
        "limits.recall: the study has nothing, the spec 0.5",
        'deploy.device: the study has {"name": "own device", "flash": 64000.0, "ram": 16384.0}, the spec nothing',
    ]
    gone = read(tmp_path, BOARD, stored).as_json()
    assert gone["limits"] == {}
    assert limit_changes(stored, gone) == ["limits.macs: the study has 2000000.0, the spec nothing"]
    other = read(tmp_path, BOARD.replace("int8", "float32"), stored).as_json()
    assert differences(stored, other) == ['deploy.precision: the study has "int8", the spec "float32"']


def test_a_study_of_an_older_tunefront_goes_on(tmp_path: Path) -> None:
    older = {key: value for key, value in read(tmp_path, "").as_json().items() if key not in ("limits", "deploy")}
    given = read(tmp_path, "", older).as_json()
    assert differences(older, given) == limit_changes(older, given) == []


def test_what_records_and_confirms_a_search_drops_all_limits_and_keeps_the_precision(tmp_path: Path) -> None:
    spec = read(tmp_path, BOARD + '[limits]\nmacs = "2 M"\n[objectives]\nmemory = "litert_bytes"\n')
    for derived in (confirmation_spec(spec, 3), recording_spec(spec, 3, 0, 1, None)):
        assert derived.extra_limits() == []
        assert not any(one.has_limit for one in derived.parsed_objectives().values())
        assert (derived.deploy.precision, derived.deployment_measures) == ("int8", ["litert_bytes"])
