"""The front of deployed variants, by cases worked out by hand, and what the report shows of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tests.reports.report_fixture import ReportFixture
from tests.storage.deployment.test_deployed import VARIANT
from tunefront.reports.deployment.deployed_front import DeployedFront, find_deployed_front, load_deployed_front
from tunefront.reports.deployment.figures import deployed_figures
from tunefront.reports.deployment.tables import deployed_frame
from tunefront.reports.publish import publish
from tunefront.storage.deployment import deployed
from tunefront.storage.deployment.deployed import DeployedVariant

BOARD = {"name": "board", "flash_bytes": 5000, "ram_bytes": 4000, "source": "a datasheet"}


def variant(trial: int, name: str, accuracy: float, n_bytes: int, micros: float, **more: float) -> DeployedVariant:
    runtime = "onnx" if name == "onnx" else "litert"
    measures = {"file_bytes": n_bytes, f"{runtime}_latency_seconds": micros * 1e-6, **more}
    file = f"trial-{trial}.{name}.tflite"
    return replace(VARIANT, trial=trial, variant=name, accuracy=accuracy, file=file, measures=measures, notes={})


# trial 1's int8 is the smallest, its float32 the most accurate, trial 2's float32 the fastest; the others are beaten.
VARIANTS = [
    variant(2, "float32", 0.95, 9000, 10, arena_bytes=4500),
    variant(1, "onnx", 0.97, 9000, 50),
    variant(1, "float32", 0.98, 8000, 30, arena_bytes=9000),
    variant(1, "int8", 0.97, 3000, 20, arena_bytes=3000),
    variant(2, "int8", 0.95, 4000, 20, arena_bytes=2000),
]


def members(front: DeployedFront) -> set[tuple[int, str]]:
    return set(front.members)


def test_the_front_is_over_all_variants_of_all_models() -> None:
    found = find_deployed_front(VARIANTS, None)
    assert members(found) == {(1, "int8"), (1, "float32"), (2, "float32")}
    assert [(one.trial, one.variant) for one in found.variants] == [
        (1, "float32"),
        (1, "int8"),
        (1, "onnx"),
        (2, "float32"),
        (2, "int8"),
    ]


def test_confirmed_models_come_first() -> None:
    found = find_deployed_front([*VARIANTS, replace(VARIANTS[3], trial=7, training=2)], None)
    assert (found.variants[0].trial, found.variants[0].variant) == (7, "int8")


def test_what_is_refused_is_never_on_the_front() -> None:
    refused = replace(VARIANTS[3], accuracy=1.0, refusal="61.00 % agree", file="")
    found = find_deployed_front([*VARIANTS[:3], refused, VARIANTS[4]], None)
    assert members(found) == {(1, "float32"), (2, "float32"), (2, "int8")}
    assert found.why_not(refused) == "61.00 % agree"


def test_a_device_compares_arenas_of_what_fits() -> None:
    found = find_deployed_front(VARIANTS, BOARD)
    assert members(found) == {(1, "int8"), (2, "int8")}  # of 3000 and 2000 bytes of arena
    reasons = {(one.trial, one.variant): found.why_not(one) for one in found.variants}
    assert reasons[1, "float32"] == "its file of 8 kB is above 5 kB"
    assert reasons[1, "onnx"] == "its arena is not known"
    assert reasons[1, "int8"] == reasons[2, "int8"] == ""
    larger = find_deployed_front(VARIANTS, {**BOARD, "flash_bytes": 9000})
    assert larger.why_not(VARIANTS[0]) == "its arena of 4.5 kB is above 4 kB"


def test_latencies_of_the_device_replace_those_of_this_machine() -> None:
    timed = [
        variant(1, "int8", 0.97, 3000, 20, measured_latency_seconds=0.5),
        variant(2, "int8", 0.95, 4000, 10, measured_latency_seconds=0.6),
        variant(3, "int8", 0.99, 1000, 5),
    ]
    found = find_deployed_front(timed, None)
    assert members(found) == {(1, "int8")}  # trial 3 was not measured on the device
    assert found.is_measured
    assert found.latency(timed[1]) == 0.6


def test_the_frame_has_a_row_for_each_variant() -> None:
    refused = replace(VARIANTS[3], trial=4, accuracy=None, same_class=None, file="", refusal="no", measures={})
    frame = deployed_frame(find_deployed_front([*VARIANTS, refused], None)).set_index(["trial", "variant"])
    row = frame.loc[(1, "int8")]
    assert (row["file_bytes"], row["arena_bytes"], row["latency_seconds"]) == (3000, 3000, pytest.approx(20e-6))
    assert row["accuracy_drop"] == pytest.approx(0.98 - 0.97)
    assert frame.loc[(1, "onnx"), "latency_seconds"] == pytest.approx(50e-6)
    assert frame["on_front"].to_dict()[1, "int8"]
    assert not frame["on_front"].to_dict()[1, "onnx"]
    assert frame.loc[(4, "int8"), "refusal"] == "no"
    assert frame.loc[(4, "int8"), ["accuracy", "file_bytes"]].isna().all()


def test_figures_show_what_is_on_offer_and_mark_the_front() -> None:
    found = find_deployed_front([*VARIANTS, replace(VARIANTS[3], trial=4, refusal="no")], None)
    figures = deployed_figures(found)
    memory = {trace.name: trace for trace in figures["deployed-memory"].data}
    assert list(memory["int8"].x) == [3000, 4000]
    assert list(memory["int8"].y) == [0.97, 0.95]
    assert memory["int8"].marker.size == (12, 7)
    latency = {trace.name: trace for trace in figures["deployed-latency"].data}
    assert list(latency["onnx"].x) == pytest.approx([50e-6])
    assert deployed_figures(None) == {}


def test_a_report_has_a_section_and_a_table_of_what_was_deployed(tmp_path: Path, any_folder: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.9, 1000, 1.0)
    assert load_deployed_front(fixture.study) is None
    without = publish(fixture.study, any_folder / "without")
    assert without.files.deployed_csv is None
    assert "writes the models as files for LiteRT and ONNX" in without.files.report_html.read_text()
    for one in [*VARIANTS, replace(VARIANTS[0], trial=3, file="", refusal="<b>61 %</b> agree")]:
        deployed.save(fixture.study, one)
    deployed.save_device(fixture.study, {**BOARD, "flash_bytes": 10_000, "ram_bytes": 10_000})
    published = publish(ReportFixture(fixture.study).study, any_folder / "with")
    page = published.files.report_html.read_text()
    assert '<section id="deployed">' in page
    assert "board: 10 kB flash, 10 kB RAM (a datasheet)" in page
    assert "&lt;b&gt;61 %&lt;/b&gt; agree" in page
    assert "<b>61 %</b> agree" not in page
    assert 'id="deployed-memory"' in page
    assert published.files.deployed_csv is not None
    frame = pd.read_csv(published.files.deployed_csv)
    assert len(frame) == len(published.as_json()["deployed"]) == 6
    assert frame[frame.on_front].variant.tolist() == ["float32", "int8", "float32", "int8"]
