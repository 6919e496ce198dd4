"""Answers of networks that are right about most images, in a store and as a report reads them."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.class_answers.class_answers import FrontAnswers, load_front_answers
from tunefront.search.trial.image_answers import image_answers
from tunefront.storage.answers import Answers

EVIL = "<script>alert('class')</script>"


def network(n_classes: int, n: int = 90, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return labels and probabilities of a network that is right about most images, with ties."""
    random = np.random.default_rng(seed)
    labels = random.integers(n_classes, size=n)
    probabilities = (random.dirichlet(np.ones(n_classes), n) + 0.3 * np.eye(n_classes)[labels]).round(1) + 0.01
    return labels, (probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)


def stored(labels: NDArray[Any], probabilities: NDArray[Any], positive_class: int = 1) -> Answers:
    return Answers.of_fields(image_answers(labels, probabilities, "accuracy", positive_class, has_curves=True))


def add(fixture: ReportFixture, answers: Answers | None, split: str = "validation") -> int:
    """Add a trial to the front; each further one is more accurate and larger."""
    n = len(fixture.results().trials)
    return fixture.complete(0.5 + 0.01 * n, 100 + n, 1.0, answers={} if answers is None else {split: answers})


def load(fixture: ReportFixture, names: Sequence[str] = ("0", "1", EVIL), **facts: Any) -> FrontAnswers | None:
    found = fixture.results()
    dataset = {**found.study.dataset, "class_names": list(names), **facts}
    return load_front_answers(fixture.study, replace(found, study=replace(found.study, dataset=dataset)))


def known(fixture: ReportFixture, *names: str, **facts: Any) -> FrontAnswers:
    found = load(fixture, names or ("0", "1", EVIL), **facts)
    assert found is not None
    return found


def text_of(page: str) -> str:
    without_scripts = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", without_scripts).split()))
