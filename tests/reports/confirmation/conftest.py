"""A search whose front was confirmed, made once for each file."""

from __future__ import annotations

import pytest

from tests.reports.confirmation.confirmation_fixture import (
    confirmation_of,
    load,
    search,
    train,
)
from tests.reports.report_fixture import ReportFixture
from tunefront.reports.confirmation.confirmation import Confirmation


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> ReportFixture:
    """A confirmed search. 0 was luck: 3 is as small and fast, and more accurate. 1 and 2 are confirmed."""
    fixture = search(tmp_path_factory.mktemp("confirmed"))
    trainings = confirmation_of(fixture)
    train(trainings, 0, [0.91, 0.90, 0.92], 2000, 2.0)
    train(trainings, 1, [0.89, 0.90, 0.91], 1000, 1.0)
    train(trainings, 2, [0.80, None, 0.82], 500, 0.5)
    train(trainings, 3, [0.95, 0.96, 0.94], 2000, 1.9)
    return fixture


@pytest.fixture(scope="module")
def confirmation(searched: ReportFixture) -> Confirmation:
    return load(searched)
