"""The choice among files for runtimes, against cases worked by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.reports.confirmation.confirmation_fixture import confirmation_of, load, search, train
from tests.reports.report_fixture import ReportFixture
from tests.storage.deployment.test_deployed import VARIANT
from tunefront.objectives.devices import Device
from tunefront.reports.selection.files import device_limits, options_for, with_files
from tunefront.reports.selection.limits import read_limit
from tunefront.reports.selection.options import Options, find_options
from tunefront.reports.selection.selection import Selection, choose
from tunefront.reports.selection.sentences import (
    describe_alternatives,
    describe_certainty,
    describe_choice,
    describe_no_choice,
    describe_why,
)
from tunefront.storage.deployment import deployed
from tunefront.storage.deployment.deployed import DeployedVariant

BOARD = Device("board", 5000, 4000)
TINY = Device("tiny", 5000, 1500)


def variant(trial: int, name: str, accuracy: float, n_bytes: int, micros: float, **more: float) -> DeployedVariant:
    runtime = "onnx" if name == "onnx" else "litert"
    measures = {"file_bytes": n_bytes, f"{runtime}_latency_seconds": micros * 1e-6, **more}
    return replace(
        VARIANT, trial=trial, training=None, variant=name, accuracy=accuracy, file=f"trial-{trial}.{name}", refusal="",
        split="validation", n_images=288, measures=measures, notes={}, machine={"cpu": "AMD EPYC"},
    )  # fmt: skip


VARIANTS = [
    variant(0, "float32", 0.95, 80_000, 30, arena_bytes=9000),
    variant(0, "int8", 0.89, 4000, 20, arena_bytes=3000),  # what 8 bits lose
    variant(0, "onnx", 0.95, 90_000, 5),
    variant(1, "float32", 0.94, 9000, 50, arena_bytes=4500),
    variant(1, "int8", 0.93, 3000, 40, arena_bytes=2000),
    variant(2, "int8", 0.99, 100, 1, arena_bytes=100),  # of a model that guesses
    replace(variant(1, "float16", 0.99, 100, 1), refusal="61 % agree", file=""),
]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> ReportFixture:
    made = ReportFixture.make(tmp_path_factory.mktemp("files"))
    made.complete(0.95, 80_000, 8.0, measurements={"litert_latency_seconds": 1.0, "recall": 0.9})
    made.complete(0.94, 40_000, 6.0)
    made.complete(0.34, 1000, 0.1)
    for each in VARIANTS:
        deployed.save(made.study, each)
    return made


def options_of(study: ReportFixture, *names: str, device: Device | None = None) -> Options:
    return options_for(study.study, find_options(study.results()), names, device)[0]


def chosen(study: ReportFixture, *at_most: str, device: Device | None = None) -> Selection:
    options = options_of(study, *(text.partition("=")[0] for text in at_most), device=device)
    limits = [*(device_limits(device) if device else []), *(read_limit(t, options, is_upper=True) for t in at_most)]
    choice = choose(options, limits)
    assert choice is not None
    return choice


@pytest.mark.parametrize("names", [(), ("memory",), ("accuracy", "time"), ("latency_seconds",), ("weight_bytes",)])
def test_names_that_are_of_no_file_choose_among_models(study: ReportFixture, names: tuple[str, ...]) -> None:
    assert [option.name for option in options_of(study, *names).members] == ["trial 0", "trial 1"]


@pytest.mark.parametrize("name", ["file_bytes", "litert_latency_seconds", "arena_bytes", "macs"])
def test_a_measure_of_files_chooses_among_them(study: ReportFixture, name: str) -> None:
    found = options_of(study, "memory", name).members
    assert [option.name for option in found] == [
        "trial 0 as float32",
        "trial 0 as int8",
        "trial 0 as onnx",
        "trial 1 as float32",
        "trial 1 as int8",
    ]
    first = found[0]
    # Of the file, and not the second that an untrained copy took in the search; the training's costs stay.
    assert first.value("litert_latency_seconds") == pytest.approx(30e-6)
    assert (first.value("litert_bytes"), first.value("train_seconds")) == (80_000, 8.0)
    assert first.value("recall") != first.value("recall")  # the Keras model's, so unknown of the file


@pytest.mark.parametrize(
    ("at_most", "expected"),
    [
        # Two standard errors of 0.95 on 288 images are 2.6 points, so that 0.94 and 0.93 are as good.
        (("file_bytes=1MB",), (1, "int8")),  # the least bytes; costs ln(3)..ln(90), ln(5)..ln(50)
        (("litert_latency_seconds=35us",), (0, "float32")),  # alone within 2.6 points: int8 is 6 below
        (("onnx_latency_seconds=1ms",), (0, "onnx")),
        (("arena_bytes=2500B",), (1, "int8")),
        (("memory=8500B", "litert_latency_seconds=30us"), (0, "int8")),  # memory is the file's bytes
        (("train_seconds=7s", "macs=1"), None),  # of no file
    ],
)
def test_limits_on_files(study: ReportFixture, at_most: tuple[str, ...], expected: tuple[int, str] | None) -> None:
    if expected is None:
        options = options_of(study, "macs")
        assert choose(options, [read_limit(text, options, is_upper=True) for text in at_most]) is None
        return
    assert chosen(study, *at_most).option.key == expected


def test_a_device_takes_the_file_that_fits_flash_and_arena(study: ReportFixture) -> None:
    choice = chosen(study, device=BOARD)
    assert choice.option.key == (1, "int8")
    assert describe_choice(choice) == "Take trial 1 as int8: accuracy 93.00 ± 3.1 %, arena 2 kB, time per image 40 µs."
    assert describe_why(choice) == (
        "It has the best accuracy: the next, trial 0 as int8, has 4.00 points less, and up to 3.1 points may be chance."
    )
    assert describe_alternatives(choice) == [
        "Less time per image: trial 0 as int8, 50 % less time per image for \N{MINUS SIGN}4.00 points and "
        "50 % more arena."
    ]
    assert describe_certainty(choice, "trains the 2 best again") == [
        "It fits board: its flash has room for the file, its RAM for the arena.",
        "Memory is its arena, time one image on one thread of AMD EPYC, accuracy that of the file on 288 validation "
        "images, once, and models were chosen by them.",
        "Its model was trained once. 'tunefront confirm digits' trains the 2 best again, and 'tunefront deploy digits' "
        "then makes their files.",
    ]


def test_a_device_that_nothing_fits_says_what_it_lacks(study: ReportFixture) -> None:
    options = options_of(study, device=TINY)
    limits = device_limits(TINY)
    assert choose(options, limits) is None
    assert describe_no_choice(options, limits) == (
        "None of 5 files has litert_bytes at most 5 kB (flash of tiny) and arena_bytes at most 1.5 kB (RAM of tiny). "
        "Loosen the RAM of tiny to at most 2 kB (now 1.5 kB)."
    )


def test_without_a_device_it_is_the_one_that_the_study_was_deployed_for(tmp_path: Path) -> None:
    made = ReportFixture.make(tmp_path)
    made.complete(0.95, 80_000, 8.0)
    made.complete(0.94, 40_000, 6.0)
    for each in VARIANTS[:5]:
        deployed.save(made.study, each)
    deployed.save_device(made.study, BOARD.as_json())
    options, limits = options_for(made.study, find_options(made.results()), ["litert_latency_seconds"])
    assert (options.device, limits) == ("board", device_limits(BOARD))
    assert options_for(made.study, find_options(made.results()), ["memory"])[1] == []
    _, limits = options_for(made.study, find_options(made.results()), [], TINY)
    assert limits == device_limits(TINY)


def test_where_nothing_was_deployed_it_is_the_next_step(tmp_path: Path) -> None:
    made = ReportFixture.make(tmp_path)
    made.complete(0.95, 80_000, 8.0)
    options = options_of(made, device=BOARD)
    assert not options.has_files
    text = describe_no_choice(options, device_limits(BOARD))
    assert text.startswith("No model of this study has litert_bytes or arena_bytes measured")
    assert text.endswith(
        "Nothing was deployed: 'tunefront deploy digits' makes files of the models, and measures each."
    )


def test_what_the_search_measured_of_files_counts_where_nothing_was_deployed(tmp_path: Path) -> None:
    made = ReportFixture.make(tmp_path)
    made.complete(0.95, 80_000, 8.0, measurements={"litert_latency_seconds": 0.002})
    made.complete(0.94, 40_000, 6.0, measurements={"litert_latency_seconds": 0.001})
    assert chosen(made, "litert_latency_seconds=1500us").option.key == (1, "")


def test_once_confirmed_the_files_of_confirmed_models_alone_count(tmp_path: Path) -> None:
    searched = search(tmp_path)
    confirming = confirmation_of(searched)
    train(confirming, 0, [0.95] * 3, 2000, 2.0)
    train(confirming, 1, [0.94] * 3, 1000, 1.0)
    old = variant(0, "int8", 0.99, 100, 1)
    new = replace(variant(1, "int8", 0.94, 3000, 9), training=4, split="test", n_images=360)
    options = find_options(searched.results(), load(searched))
    assert [option.name for option in with_files(options, [old, new]).members] == ["trial 1 as int8"]
    choice = choose(with_files(options, [old, new]))
    assert choice is not None
    assert choice.options.n_images == 360
    assert describe_certainty(choice, "") == [
        "Memory is the file, time one image on one thread of AMD EPYC, accuracy that of the file on 360 test images, "
        "once."
    ]
    assert with_files(options, [old]) is options


def test_times_that_were_measured_on_the_device_are_compared(study: ReportFixture) -> None:
    timed = [replace(VARIANTS[1], measures={**VARIANTS[1].measures, "measured_latency_seconds": 0.2}), *VARIANTS[3:]]
    options = with_files(find_options(study.results()), timed)
    limits = [read_limit("measured_latency_seconds=300ms", options, is_upper=True)]
    choice = choose(options, limits)
    assert choice is not None
    assert describe_choice(choice) == "Take trial 0 as int8: accuracy 89.00 ± 3.7 %, file 4 kB, time per image 200 ms."
    assert "time one image on the device" in describe_certainty(choice, "")[0]
