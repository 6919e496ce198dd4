"""A study whose trainings were recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.replay.recorded_study import make_study, train_all
from tunefront.search.replay.recording_study import enqueue_candidates
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome


@pytest.fixture
def recorded_study(tmp_path: Path) -> OpenStudy:
    study = make_study(tmp_path)
    enqueue_candidates(study, n_candidates=4, n_repeated=1, n_seeds=2)
    train_all(study, [Outcome.COMPLETE, Outcome.COMPLETE, Outcome.FAILED, Outcome.COMPLETE])
    return study
