"""A study with a trial of every kind, filled once for all tests that only read it."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.reports.study_results import StudyResults
from tunefront.storage.outcomes import Outcome

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="session", autouse=True)
def _quiet_optuna() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture(scope="session")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> ReportFixture:
    """A study of eleven trials; the front by hand: 0 and 1 (a tie), 2 (cheapest) and 8 (most accurate).

    ======  ========  ======  =====  ==========================================
    number  accuracy  memory   time  what becomes of it
    ======  ========  ======  =====  ==========================================
         0      0.90    1000    2.0  front, its model is kept
         1      0.90    1000    2.0  front: as good as 0
         2      0.80     500    1.0  front: less memory and time than all others
         3      0.85    2000    3.0  beaten by 0
         4      0.99    4000    0.5  would beat all on accuracy and time, but breaks the memory limit
         5      0.30     900    0.7  pruned
         6         -    9000      -  refused
         7         -     800      -  failed
         8      0.95    2500    8.0  front, in its second attempt
         9         -       -      -  running
        10         -       -      -  waiting
    ======  ========  ======  =====  ==========================================
    """
    folder = tmp_path_factory.mktemp("study")
    objectives = {**THREE, "memory": {"measure": "model_bytes", "at_least": None, "at_most": 3000}}
    fixture = ReportFixture.make(folder, objectives, n_trials=30)
    adam = {"optimizer.name": "adam", "adam.learning_rate": 0.01, "cnn.filters": 8, "cnn.batch_norm": True}
    sgd = {"optimizer.name": "sgd", "sgd.learning_rate": 0.5, "cnn.filters": 8, "cnn.batch_norm": False}
    busy = {"load_average": 0.5, "other_slots_busy": 1.0}
    model = folder / "results" / "models" / "trial-0.keras"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"a model")
    fixture.complete(
        0.90,
        1000,
        2.0,
        parameters=adam,
        model_path=str(model),
        measurements={**busy, "latency_seconds": 0.004, "best_epoch": 2.0, "zebra_index": 1.5},
    )
    fixture.complete(0.90, 1000, 2.0, parameters=sgd, measurements={"load_average": 1.5, "other_slots_busy": 0.0})
    fixture.complete(0.80, 500, 1.0, parameters=adam, model_path="/elsewhere/trial-2.keras")
    fixture.complete(0.85, 2000, 3.0, parameters=sgd)
    fixture.complete(0.99, 4000, 0.5, parameters=sgd)
    so_far = {"accuracy": 0.3, "model_bytes": 900.0, "train_seconds": 0.7}
    reason = "epoch 2: even at best (80.00 %, 2.2 MB) trial 0 dominates it (90.00 %, 1 kB)"
    fixture.end(fixture.lease(sgd), Outcome.PRUNED, so_far, curve=(0.1, 0.3), reason=reason)
    fixture.end(
        fixture.lease(adam), Outcome.REFUSED, {"model_bytes": 9000.0}, reason="model_bytes 9 kB breaks its limit"
    )
    fixture.end(fixture.lease(adam), Outcome.FAILED, {"model_bytes": 800.0}, reason=f"ValueError: {SCRIPT} | bad")
    evil = {"optimizer.name": "</script><script>alert(1)</script>"}
    fixture.end(fixture.lease(evil), Outcome.RETURNED, reason="interrupted")
    fixture.complete(0.95, 2500, 8.0, parameters=evil, is_new=False)
    fixture.lease(adam)
    fixture.study.optuna.enqueue_trial({})
    return fixture


@pytest.fixture(scope="session")
def results(fixture: ReportFixture) -> StudyResults:
    return fixture.results()


@pytest.fixture(scope="session")
def folder(fixture: ReportFixture) -> Path:
    """The folder of the study's results; trial 0's model is below it."""
    return Path(str(fixture.store.engine.url.database)).parent / "results"
