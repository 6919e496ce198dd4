"""A study without trials."""

from __future__ import annotations

import pytest

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.study_results import StudyResults


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    return ReportFixture.make(tmp_path_factory.mktemp("empty")).results()
