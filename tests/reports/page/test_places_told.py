"""The page tells no place: paths, hosts and users stand in "How it was measured" alone."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.reports.page.page import render_page
from tunefront.storage.outcomes import Outcome


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("places")
    fixture = ReportFixture.make(folder, THREE)
    fixture.complete(0.9, 1000, 1.0, model_path="/home/anna/results/models/trial-0.keras")
    reason = "ValueError: /home/anna/data/cat.png is no image"
    fixture.end(fixture.lease(), Outcome.FAILED, {}, reason=reason)
    found = fixture.results()
    data = {"source": "folder", "path": "/home/anna/data"}
    dataset = {**found.study.dataset, "source": "/home/anna/data"}
    study = replace(found.study, spec={**found.study.spec, "data": data, "max_failures": 0}, dataset=dataset)
    return render_page(replace(found, study=study), folder)


def test_places_stand_where_it_is_told_how_it_was_measured(page: str) -> None:
    start = page.index('<details id="measuring">')
    end = page.index('<details id="spec">')
    measured, rest = page[start:end], page[:start] + page[end:]
    for place in ("/home", "anna"):
        assert place in measured
        assert re.findall(f".{{30}}{place}.{{30}}", rest) == []
    assert "/home/anna/results/models/trial-0.keras on anna" in measured


def test_what_remains_of_a_place_is_its_last_part(page: str) -> None:
    assert "trial-0.keras, kept elsewhere" in page
    assert "ValueError: \N{HORIZONTAL ELLIPSIS}/cat.png is no image" in page
    assert "path = &#34;\N{HORIZONTAL ELLIPSIS}/data&#34;" in page
    assert "Paths are shortened to their last part." in page
