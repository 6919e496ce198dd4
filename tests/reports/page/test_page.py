"""The report page is complete in itself, agrees with the store, and is safe whatever texts are in it."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.reports.figures.plotly_script import plotly_script
from tunefront.reports.page.page import render_page
from tunefront.reports.study_results import StudyResults


class _Parsed(HTMLParser):
    """The elements of a page that a browser would load, link to and run, without the texts in scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page(results: StudyResults, folder: Path) -> str:
    return render_page(results, folder)


@pytest.fixture(scope="module")
def parsed(page: str) -> _Parsed:
    return _Parsed(page)


def _text(page: str) -> str:
    """Return the text that a reader sees, in one line, without figures."""
    without_scripts = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", without_scripts).split())


def test_nothing_is_loaded_from_elsewhere(parsed: _Parsed) -> None:
    assert not parsed.all("link")
    assert not parsed.all("img")
    addresses = [value for _, attributes in parsed.elements for name, value in attributes.items()
                 if name in ("src", "href", "action", "data", "srcset")]  # fmt: skip
    assert addresses
    assert [address for address in addresses if address is None or re.match(r"(\w+:|//)", address)] == []


def test_plotly_is_there_once(page: str) -> None:
    assert page.count("plotly.js (basic - minified) v") == page.count(plotly_script().packed) == 1


def test_scripts_are_our_own_when_the_store_holds_others(page: str, parsed: _Parsed) -> None:
    # The class name, the reason of a failure, a parameter and the spec each have a <script> in them.
    assert "alert(" in page
    scripts = parsed.all("script")
    assert [script.get("type") for script in scripts] == ["application/json"] * 8 + ["text/plain"] + [None] * 2
    nonces = {script["nonce"] for script in scripts if "type" not in script}
    assert len(nonces) == 1
    policy = next(meta["content"] for meta in parsed.all("meta") if "http-equiv" in meta)
    assert policy is not None
    assert f"script-src 'nonce-{nonces.pop()}';" in policy
    assert "default-src 'none'" in policy
    assert not [name for _, attributes in parsed.elements for name in attributes if name.startswith("on")]


def test_the_nonce_is_drawn_anew(results: StudyResults, folder: Path, page: str) -> None:
    nonce = re.compile(r'nonce="([^"]+)"')
    assert nonce.search(render_page(results, folder)).group(1) != nonce.search(page).group(1)  # type: ignore[union-attr]


def test_kept_models_are_linked_when_they_lie_below_the_report(page: str, parsed: _Parsed) -> None:
    links = [link["href"] for link in parsed.all("a") if not (link["href"] or "").startswith("#")]
    assert links == [
        "models/trial-0.keras",
        "front.csv",
        "front.md",
        "trials.csv",
        "importance.csv",
        "epochs.csv",
        "classes.csv",
    ]
    assert 'keras.models.load_model("models/trial-0.keras")' in html.unescape(page)
    text = _text(page)
    assert "/elsewhere/trial-2.keras on anna" in text
    assert "not kept" in text


def test_links_are_quoted_when_names_are_odd(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    model = tmp_path / "re#port" / 'mo"d%els' / "trial 0.keras"
    model.parent.mkdir(parents=True)
    model.touch()
    fixture.complete(0.9, 10, 1.0, model_path=str(model))
    links = _Parsed(render_page(fixture.results(), tmp_path / "re#port")).all("a")
    assert "mo%22d%25els/trial%200.keras" in [link["href"] for link in links]


def test_it_tells_what_became_of_the_trials_and_how_they_were_measured(page: str) -> None:
    text = _text(page)
    for expected in (
        "11 trials on digits (1149 images to train, 288 to validate, 3 classes): "
        "6 complete, 1 pruned, 1 refused, 1 failed, 1 running, 1 waiting.",
        "high accuracy, low memory (at most 3 kB), low training time.",
        "This study is under way: 7 of 30 trials are finished, 1 run now.",
        "4 models on the front",
        "1 &times; ValueError: &lt;script&gt;alert(1)&lt;/script&gt; | bad (trial 7)",
        "the last time from the beginning: trial 8 (2 times).",
        "training time of all epochs, without tracing, compiling or validation",
        "AMD EPYC, 2 cores",
        "tensorflow 2.21.0",
        "2 (cpu0, cpu1), threads each: 1",
        "seed 7;",
        # Only trials 0 and 1 have these measurements: (1 + 0) / 2 and (0.5 + 1.5) / 2.
        "0.5 others trained on its machine and 1.00 processes wanted each CPU core",
        "All 11 trials",
        "tunefront status digits",
    ):
        assert expected in text, expected


def test_the_storage_url_is_not_told(page: str, fixture: ReportFixture) -> None:
    assert fixture.store.url not in page
    assert str(fixture.store.engine.url.database) not in page


@pytest.mark.parametrize(
    ("objectives", "n_trials"),
    [(THREE, 0), (THREE, 1), ({"memory": THREE["memory"]}, 1), ({"accuracy": THREE["accuracy"]}, 2)],
)
def test_it_can_be_written_when_there_is_little(tmp_path: Path, objectives: Any, n_trials: int) -> None:
    fixture = ReportFixture.make(tmp_path, objectives, n_trials=n_trials)
    for _ in range(n_trials):
        fixture.complete(0.9, 10, 1.0)
    text = _text(render_page(fixture.results(), tmp_path))
    assert ("No trial has started yet." in text) == (n_trials == 0)
    assert ("Take trial 0" in text) == (n_trials > 0)


def test_missing_facts_are_dashes(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    found = fixture.results()
    bare = replace(found, study=replace(found.study, dataset={}), workers=[replace(found.workers[0], machine={})])
    text = _text(render_page(bare, tmp_path))
    assert "- images to train" in text
    assert "CPU -, - cores" in text


def test_it_tells_what_was_left_out_of_the_data(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    found = fixture.results()
    dataset = {**found.study.dataset, "notes": {"files that are no image were left out": 3}, "folds": 5}
    text = _text(render_page(replace(found, study=replace(found.study, dataset=dataset)), tmp_path))
    assert "Noticed while preparing: 3 files that are no image were left out." in text
    assert "trained 5 times" in text


def test_it_names_the_positive_class_where_there_are_two(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    model = tmp_path / "models" / "trial-0.keras"
    model.parent.mkdir()
    model.touch()
    fixture.complete(0.9, 10, 1.0, model_path=str(model))
    found = fixture.results()

    def shown(**facts: Any) -> str:
        dataset = {**found.study.dataset, **facts}
        return _text(render_page(replace(found, study=replace(found.study, dataset=dataset)), tmp_path))

    text = shown(class_names=["fire", "none"], positive_class=0)
    assert "Classes, in the order of the models' outputs: fire, none; the positive class is fire." in text
    assert "gives class probabilities, or, where it has one output, the probability of class fire." in text
    # With more than two classes none is positive, and a study of an older tunefront does not tell.
    for facts in ({"class_names": ["a", "b", "c"], "positive_class": 1}, {"class_names": ["fire", "none"]}):
        assert "positive class is" not in shown(**facts)
        assert "gives class probabilities." in shown(**facts)


@pytest.mark.parametrize(("shape", "takes"), [([8, 8, 1], "raw pixels"), ([13], "the values as the data has them")])
def test_it_says_what_a_kept_model_takes(tmp_path: Path, shape: list[int], takes: str) -> None:
    fixture = ReportFixture.make(tmp_path)
    model = tmp_path / "trial-0.keras"
    model.touch()
    fixture.complete(0.9, 10, 1.0, model_path=str(model))
    found = fixture.results()
    study = replace(found.study, dataset={**found.study.dataset, "image_shape": shape})
    assert f"It takes {takes} and gives" in _text(render_page(replace(found, study=study), tmp_path))
