"""The verdict of a report: which models it names, and with whose numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.reports.confirmation.confirmation_fixture import confirmation_of, load, search, train
from tests.reports.deployment.test_deployed_front import variant
from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.reports.deployment.deployed_front import DeployedFront, find_deployed_front
from tunefront.reports.page.page import render_page
from tunefront.reports.selection.options import find_options
from tunefront.reports.selection.selection import choose
from tunefront.reports.selection.sentences import describe_alternatives, describe_choice
from tunefront.reports.verdict.verdict import describe_shipped, find_verdict
from tunefront.storage.outcomes import Outcome


def files(*values: tuple[str, float, int, float]) -> DeployedFront:
    """Return the deployed files of trial 1: variant, accuracy on 360 images, bytes, microseconds."""
    return find_deployed_front(
        [
            replace(variant(1, name, accuracy, n_bytes, micros), n_images=360)
            for name, accuracy, n_bytes, micros in values
        ],
        None,
    )


def test_the_smallest_file_ships_of_those_as_accurate_as_the_best() -> None:
    # Two standard errors of 95 % on 360 images are 2.3 points.
    front = files(("float32", 0.95, 40_000, 30), ("int8", 0.93, 10_000, 20), ("dynamic", 0.92, 5_000, 9))
    assert describe_shipped(front, 1) == "int8: accuracy 93.00 %, file 10 kB, image 20 µs"
    assert describe_shipped(front, 2) == ""
    assert describe_shipped(None, 1) == ""


def test_three_models_are_named_at_most_and_all_words_are_those_of_select(tmp_path: Path) -> None:
    # Of 288 images, 2.6 points below 95 % may be chance: 1 is chosen. 2 and 3 need half of one cost and more mistakes,
    # 1.4 and 1.5 times as many. 4 guesses, of three classes.
    fixture = ReportFixture.make(tmp_path, THREE)
    for values in (
        (0.95, 90_000, 9.0),
        (0.93, 40_000, 4.0),
        (0.90, 20_000, 4.0),
        (0.895, 40_000, 2.0),
        (0.34, 10, 0.1),
    ):
        fixture.complete(*values)
    options = find_options(fixture.results())
    selection = choose(options)
    assert selection is not None
    verdict = find_verdict(options)
    assert verdict.sentence == describe_choice(selection)
    assert verdict.lead == "Take trial 1"
    named = [(pick.title, pick.option.number) for pick in verdict.picks]
    assert named == [("Take this one", 1), ("Best accuracy", 0), ("Less memory", 2)]
    told = [f"{pick.title}: trial {pick.option.number}, {pick.step}." for pick in verdict.picks[1:]]
    assert sorted([*told, *verdict.others]) == sorted(describe_alternatives(selection))
    assert "trial 4" not in " ".join([verdict.sentence, *told, *verdict.others])


def test_confirmed_numbers_lead_and_the_searchs_stand_beside_them(tmp_path: Path) -> None:
    searched = search(tmp_path)
    train(confirmation_of(searched), 0, [0.91, 0.92, 0.93], 2000, 2.0, start=0)
    confirmation = load(searched)
    (pick,) = find_verdict(find_options(searched.results(), confirmation)).picks
    assert pick.values["accuracy"].startswith("92.00 ± ")
    assert pick.searched["accuracy"] == "95.00 %"
    page = render_page(searched.results(), tmp_path, confirmation)
    row = page.split('id="trial-0"')[1].split("</tr>")[0]
    assert row.index("92.00 ±") < row.index('data-label="in the search">95.00 %')


def test_a_candidate_has_one_model_file_everywhere(tmp_path: Path) -> None:
    # The confirmation's second training is its trial 1: its file is that of trial 0, and is saved under that number.
    searched = ReportFixture.make(tmp_path)
    kept, again = (tmp_path / folder / "models" / "trial-{}.keras" for folder in ("out", "out/confirmation"))
    for path in (kept, again):
        path.parent.mkdir(parents=True)
    own, other = kept.with_name("trial-0.keras"), again.with_name("trial-1.keras")
    own.touch()
    other.touch()
    searched.complete(0.95, 2000, 2.0, parameters={"optimizer.name": "adam", "cnn.filters": 0}, model_path=str(own))
    train(confirmation_of(searched), 0, [0.93, 0.94], 2000, 2.0, model_path=str(other))
    page = render_page(searched.results(), tmp_path / "out", load(searched))
    link = (
        '<a href="confirmation/models/trial-1.keras" download="trial-0.keras">trial 0, trained again: trial-1.keras</a>'
    )
    assert page.count(link) == 2  # in its panel, and in the table of what was confirmed
    assert "models/trial-0.keras" not in page
    assert "those of training 1 of the confirmation, the best of this candidate" in page


@pytest.mark.parametrize("reason", ["killed by signal 9", "ResourceExhaustedError: 2 GB"])
def test_a_study_that_failed_leads_with_the_reason(tmp_path: Path, reason: str) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.end(fixture.lease(), Outcome.FAILED, {}, reason=reason)
    page = render_page(fixture.results(), tmp_path)
    verdict = page.split('<section id="verdict">')[1].split("</section>")[0]
    assert f"the only trial failed: {reason}." in verdict
    assert page.index('id="verdict"') < page.index("This study is not finished")
