"""The notes at the top of a report: models that are no better than guessing, and busy machines."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.reports.page.page import render_page
from tunefront.reports.publish import publish
from tunefront.reports.sentences.conditions import BUSY, describe_busy
from tunefront.reports.sentences.notes import describe_guessing, describe_marks, describe_validated_part
from tunefront.reports.status import study_status
from tunefront.reports.study_results import StudyResults, load_results
from tunefront.reports.tables.frames import front_frame, trials_frame
from tunefront.reports.tables.markdown import front_markdown
from tunefront.search.launching import machine
from tunefront.storage.outcomes import Outcome

CHANCES = {"accuracy": {"score": 0.5, "standard_error": 0.05}}  # 60 % is no better than guessing


def with_chances(results: StudyResults, **facts: Any) -> StudyResults:
    dataset = {**results.study.dataset, "chances": CHANCES, **facts}
    return replace(results, study=replace(results.study, dataset=dataset))


def printed(*contents: RenderableType) -> str:
    output = io.StringIO()
    Console(file=output, width=160).print(*contents)
    return " ".join(output.getvalue().split())


@pytest.fixture
def some_guess(tmp_path: Path) -> ReportFixture:
    """A front of three trials: 0 has learnt; 1 and 2 are smaller, 1 at the level of guessing, 2 just above it."""
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.9, 3000, 3.0)
    fixture.complete(0.6, 1000, 1.0)
    fixture.complete(0.61, 2000, 2.0)
    return fixture


@pytest.fixture
def all_guess(tmp_path: Path) -> ReportFixture:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.52, 3000, 3.0)
    fixture.complete(0.6, 4000, 4.0)
    fixture.end(fixture.lease(), Outcome.PRUNED, {"accuracy": 0.4}, curve=(0.4,))
    return fixture


def test_a_guessing_model_is_no_headline(some_guess: ReportFixture) -> None:
    results = with_chances(some_guess.results())
    assert [trial.number for trial in results.front] == [0, 2, 1]
    best = {axis: results.best(axis) for axis in results.objectives}
    assert {axis: trial and trial.number for axis, trial in best.items()} == {"accuracy": 0, "memory": 2, "time": 2}
    page = render_page(results, Path("results"))
    assert "Take trial 0" in page
    assert 'data-trial="1"' not in page.split("</table>")[0]  # no row of its own among what can be chosen


def test_a_guessing_model_is_marked_wherever_the_front_is_shown(some_guess: ReportFixture) -> None:
    results = with_chances(some_guess.results())
    page = " ".join(render_page(results, Path("results")).split())
    assert "3 models on the front, 1 no better than guessing" in page
    assert "on the front</span>, no better than guessing" in page
    assert r"| 1 | 60.00 % \* |" in front_markdown(results)
    assert "| 2 | 61.00 % |" in front_markdown(results)
    explained = describe_marks(results)
    assert "50.00 % accuracy" in explained
    assert "two standard errors (10.00 %)" in explained
    assert explained in front_markdown(results).replace("\\", "")
    assert f"Models that are left out: {explained.removeprefix('* ')}" in page
    assert front_frame(results)["no_better_than_guessing"].tolist() == [False, False, True]
    # Some trials have learnt, so there is no such note.
    assert describe_guessing(results) == ""


def test_a_terminal_marks_a_guessing_model(some_guess: ReportFixture) -> None:
    from tunefront.reports.tables.terminal import front_table

    shown = printed(front_table(with_chances(some_guess.results())))
    assert "60.00 % *" in shown
    assert "61.00 % *" not in shown
    assert "* no better than guessing: not two standard errors (10.00 %) above the 50.00 % accuracy" in shown


def test_nothing_is_marked_where_chance_is_not_known_or_cannot_be_beaten(some_guess: ReportFixture) -> None:
    for facts in ({"chances": {}}, {"chances": {"accuracy": {"score": 1.0, "standard_error": 0.0}}}):
        results = with_chances(some_guess.results(), **facts)
        assert not any(map(results.is_guessing, results.trials))
        assert describe_marks(results) == ""
        assert describe_guessing(results) == ""
    assert trials_frame(with_chances(some_guess.results(), chances={}))["no_better_than_guessing"].isna().all()


def test_a_study_stored_without_chances_is_shown_with_that_of_equal_classes(some_guess: ReportFixture) -> None:
    # With three classes and 288 images, 1/3 plus two standard errors is 38.9 %.
    assert describe_marks(some_guess.results()) == ""
    some_guess.complete(0.385, 10, 0.1)
    assert "no better than guessing" in describe_marks(some_guess.results())


def test_the_only_trial_of_a_study_may_be_guessing(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.5, 100, 1.0)
    said = describe_guessing(with_chances(fixture.results()))
    assert "the only trial is no better than an answer that does not look at the images" in said


def test_a_study_in_which_nothing_was_learnt_says_what_to_change(all_guess: ReportFixture, tmp_path: Path) -> None:
    said = describe_guessing(with_chances(all_guess.results()))
    assert "none of 3 trials is better" in said
    assert "50.00 % accuracy, and by luck up to 60.00 %; the best one has 60.00 %" in said
    for remedy in ("training.epochs", "learning rates", "labels", "tunefront data"):
        assert remedy in said
    assert with_chances(all_guess.results()).best("memory") is None
    page = render_page(with_chances(all_guess.results()), tmp_path)
    assert '<div class="pick' not in page
    assert page.index("2 no better than guessing") < page.index("Nothing was learnt") < page.index('id="front"')


def test_what_was_learnt_by_no_trial_is_said_by_every_command(all_guess: ReportFixture, tmp_path: Path) -> None:
    # The study is like one of an older tunefront: guessing is taken to be 1/3.
    study, record = all_guess.study, all_guess.record
    assert study_status(study).as_json()["notes"] == []
    facts = replace(study, record=replace(record, dataset={**record.dataset, "chances": CHANCES}))
    status, published = study_status(facts), publish(facts, tmp_path / "report")
    for shown in (printed(status.render()), printed(*published.tables()), (tmp_path / "report/front.md").read_text()):
        assert "Nothing was learnt that can be told from guessing" in shown
    for content in (status.as_json(), published.as_json()):
        assert "Nothing was learnt" in content["notes"][0]
    assert [trial["no_better_than_guessing"] for trial in status.as_json()["front_trials"]] == [True, True]


def test_nothing_is_said_before_a_study_comes_to_rest(all_guess: ReportFixture) -> None:
    all_guess.lease()
    assert describe_guessing(with_chances(all_guess.results())) == ""


def test_too_few_images_are_named_as_the_cause(all_guess: ReportFixture) -> None:
    few = {"accuracy": {"score": 0.5, "standard_error": 0.25}}
    assert "So few validation images cannot tell: give more" in describe_guessing(
        with_chances(all_guess.results(), chances=few)
    )


# Busy machines: the fixture's machine has two cores and two slots of one thread each


@pytest.mark.parametrize(
    ("load", "other_slots_busy", "is_busy"),
    [
        (1.0, 1.0, False),  # its own two slots
        (1.5, 0.0, False),
        (1.6, 0.0, True),  # one slot of its own: half a process a core
        (1.5, 1.0, False),
        (2.4, 1.0, True),
        (4.0, 7.0, False),  # eight slots on two cores: all of it is its own
        (4.4, 7.0, False),
        (4.6, 7.0, True),
        (0.2, 7.0, False),  # a trial so short that the load average lags behind
    ],
)
def test_what_others_did_is_told_from_a_studys_own_slots(
    tmp_path: Path, load: float, other_slots_busy: float, is_busy: bool
) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.9, 10, 1.0, measurements={"load_average": load, "other_slots_busy": other_slots_busy})
    assert bool(describe_busy(fixture.results())) == is_busy


def test_a_busy_machine_is_named_on_top_of_the_report(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.9, 10, 1.0, measurements={"load_average": 0.9, "other_slots_busy": 1.0})
    fixture.complete(0.8, 5, 0.5, measurements={"load_average": 3.14, "other_slots_busy": 1.0})
    fixture.complete(0.8, 5, 0.5)  # like a trial that a person ended in the dashboard
    said = describe_busy(fixture.results())
    assert said.startswith("The machine was busy with something else when 1 of 3 complete trials trained: up to 3.1 ")
    assert said.endswith("and another run, on a quiet machine, may have another front.")
    page = render_page(fixture.results(), tmp_path)
    assert page.index(said) < page.index('<section id="front">')
    assert said in front_markdown(fixture.results())


def test_a_front_without_time_is_the_same_on_a_busy_machine(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, {axis: THREE[axis] for axis in ("accuracy", "memory")})
    fixture.complete(0.9, 10, 1.0, measurements={"load_average": 3.0, "other_slots_busy": 1.0})
    said = describe_busy(fixture.results())
    assert said.startswith("The machine was busy with something else when the only complete trial trained")
    assert "front" not in said


def test_a_run_and_a_report_call_the_same_machine_busy() -> None:
    assert machine.BUSY == BUSY


@pytest.mark.parametrize(("steps", "is_said"), [(0, False), (2, True), (8, True), (9, False)])
def test_a_report_tells_which_images_scored_epochs_and_trials(tmp_path: Path, steps: int, is_said: bool) -> None:
    fixture = ReportFixture.make(tmp_path)  # of 288 validation images
    fixture.complete(0.9, 3000, 3.0)
    loaded = load_results(fixture.study)
    assert loaded.study.dataset["n_validation"] == 288
    spec = {**loaded.study.spec, "training": {"epochs": 3, "validation_steps": steps}}
    results = replace(loaded, study=replace(loaded.study, spec=spec))
    text = describe_validated_part(results)
    assert bool(text) is is_said
    assert not is_said or f"the same {32 * steps} of 288 validation images" in text
    assert text in front_markdown(results).replace("\\", "")
