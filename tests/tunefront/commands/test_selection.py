"""The command `select`."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.reports.confirmation.confirmation_fixture import confirmation_of
from tests.reports.report_fixture import ReportFixture
from tests.storage.deployment.test_deployed import VARIANT
from tunefront.reports.page.page import render_page
from tunefront.storage.deployment import deployed

Run = Callable[..., tuple[int, str, str]]
CHEAPER = "trial 1, 94 % less memory and 94 % less training time for \N{MINUS SIGN}15.00 points."


def test_a_model_is_chosen_and_explained(run: Run, study: ReportFixture) -> None:
    code, output, errors = run("select", "digits")
    assert (code, errors) == (0, "")
    assert "Take trial 0: accuracy 95.00 ± 2.6 %, memory 80 kB, training time 8 s." in output
    assert (
        "It has the best accuracy: the next, trial 1, has 15.00 points less, and up to 2.6 points may be chance."
        in output
    )
    assert f"Less memory and training time: {CHEAPER}" in output
    # Two models on the front, five seeds each: 5 * (10 + 2) s.
    assert "'tunefront confirm digits' trains the 2 best again with 5 seeds, some 60 s in all." in output
    assert "next: tunefront confirm digits" in output


def test_the_report_says_what_select_says(run: Run, tmp_path: Path, study: ReportFixture) -> None:
    lines = run("select", "digits")[1].splitlines()
    page = " ".join(re.sub("<[^>]*>", "", html.unescape(render_page(study.results(), tmp_path))).split())
    assert lines[0] in page
    assert lines[1].strip() in page
    assert lines[2].strip() == f"Less memory and training time: {CHEAPER}"
    for part in (
        "Less memory and training time",
        "trial 1",
        "94 % less memory and 94 % less training time for \N{MINUS SIGN}15.00 points",
    ):
        assert part in page
    assert lines[3].strip().partition(" trains ")[0] in page  # what a confirmation trains, the command alone tells


def test_a_training_of_a_confirmation_leads_back_to_its_search(run: Run, study: ReportFixture, tmp_path: Path) -> None:
    confirmation_of(study).complete(0.91, 80_000, 8.0, model_path=str(tmp_path / "trial-0.keras"))
    code, output, _ = run("select", "digits.confirmation")
    assert code == 0
    assert "It is a single training." in output
    assert "next: tunefront select digits\n" in output


def test_a_limit_chooses_another_one(run: Run, study: ReportFixture) -> None:
    code, output, _ = run("select", "digits", "--at-most", "memory=10kB")
    assert code == 0
    assert "Take trial 1" in output
    assert "Its model was not kept" in output


def test_the_page_is_opened_where_there_is_one_and_written_where_there_is_none(
    run: Run, tmp_path: Path, study: ReportFixture
) -> None:
    assert run("select", "digits")[1].endswith("      tunefront report digits\n")
    assert run("select", "digits", "--out", "my own")[1].endswith("      tunefront report digits --out 'my own'\n")
    assert run("report", "digits", "--out", "my own")[0] == 0
    assert run("select", "digits", "--out", "my own")[1].endswith("      open my own/report.html\n")


def test_nothing_fits(run: Run, study: ReportFixture) -> None:
    code, output, _ = run("select", "digits", "--at-most", "memory=1kB")
    assert code == 1
    assert "None of 2 models has memory at most 1 kB. Loosen memory to at most 5 kB (now 1 kB)." in output


def test_the_model_is_copied(run: Run, tmp_path: Path, study: ReportFixture) -> None:
    code, output, _ = run("select", "digits", "--export", "chosen")
    assert code == 0
    assert (tmp_path / "chosen" / "trial-0.keras").read_bytes() == b"a model"
    assert (tmp_path / "chosen" / "trial-0.json").exists()
    assert "wrote chosen/trial-0.keras and beside it trial-0.json" in output
    code, _, errors = run("select", "digits", "--at-most", "memory=10kB", "--export", "other")
    assert code == 2
    assert "the model of trial 1 was not kept" in errors
    assert not (tmp_path / "other").exists()


def test_json(run: Run, study: ReportFixture) -> None:
    found = json.loads(run("select", "digits", "--json")[1])
    assert found["trial"] == 0
    assert found["values"] == {"accuracy": 0.95, "model_bytes": 80_000, "train_seconds": 8.0}
    assert found["cheaper"] == {"memory": 1, "time": 1}
    code, output, _ = run("select", "digits", "--json", "--at-most", "memory=1kB")
    assert code == 1
    assert json.loads(output)["trial"] is None


def test_bad_limits_exit_2(run: Run, study: ReportFixture) -> None:
    for limit, message in (("memory=100", "it has no unit"), ("memry=1kB", "Did you mean 'memory'?")):
        code, output, errors = run("select", "digits", "--at-most", limit)
        assert (code, output) == (2, "")
        assert message in errors
        assert "Traceback" not in errors


def test_a_file_for_a_device_is_chosen_and_copied(run: Run, tmp_path: Path, study: ReportFixture) -> None:
    code, output, _ = run("select", "digits", "--device", "stm32_blue_pill")
    assert code == 1
    assert "Nothing was deployed: 'tunefront deploy digits' makes files of the models" in output
    measures = {"file_bytes": 4000, "litert_latency_seconds": 2e-5, "arena_bytes": 3000}
    deployed.save(study.study, replace(VARIANT, trial=0, file="trial-0.int8.tflite", measures=measures))
    code, output, _ = run("select", "digits", "--device", "stm32_blue_pill")
    assert code == 0
    assert "Take trial 0 as int8: accuracy 97.50 ± 1.7 %, arena 3 kB, time per image 20 µs." in output
    assert "  Its file: results/digits/deployed/trial-0.int8.tflite" in output
    code, _, errors = run("select", "digits", "--device", "stm32_blue_pill", "--export", "chosen")
    assert code == 2
    assert "results/digits/deployed/trial-0.int8.tflite: the model is not on this machine" in errors
    folder = tmp_path / "elsewhere" / "deployed"
    folder.mkdir(parents=True)
    (folder / "trial-0.int8.tflite").write_bytes(b"a file")
    (folder / "trial-0.int8.json").write_text("{}")
    wanted = ("select", "digits", "--at-most", "file_bytes=5kB", "--out", "elsewhere", "--export", "chosen", "--json")
    found = json.loads(run(*wanted)[1])
    assert (found["trial"], found["variant"], found["file"]) == (0, "int8", "elsewhere/deployed/trial-0.int8.tflite")
    assert found["values"] == {"accuracy": 0.975, "file_bytes": 4000, "file_latency_seconds": 2e-5}
    assert found["files"] == ["chosen/trial-0.int8.tflite", "chosen/trial-0.int8.json"]
    assert (tmp_path / "chosen" / "trial-0.int8.tflite").read_bytes() == b"a file"


def test_an_unknown_device_names_the_nearest(run: Run, study: ReportFixture) -> None:
    code, _, errors = run("select", "digits", "--device", "stm32_blue")
    assert code == 2
    assert "--device: there is no device 'stm32_blue'. Did you mean 'stm32_blue_pill'?" in errors
