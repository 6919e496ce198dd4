from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import optuna_dashboard
import pytest
import sqlalchemy as sa
from optuna.storages import RDBStorage

from tests.search.supervisor.outage_fixture import AwaySwitch, on_statement
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.supervisor.contact.delivery import Delivery
from tunefront.search.supervisor.contact.result import TrialResult
from tunefront.search.supervisor.contact.spool import Spool
from tunefront.search.supervisor.kept_models import KeptModels
from tunefront.search.supervisor.live_front import LiveFront
from tunefront.storage import queue
from tunefront.storage.attempts import Progress
from tunefront.storage.curves import Epoch
from tunefront.storage.outcomes import Outcome

MEASUREMENTS = {"accuracy": 0.75, "model_bytes": 1000.0, "train_seconds": 2.5}


def shown_by_optuna_dashboard(fixture: SupervisorFixture) -> list[tuple[int, float]]:
    """Return the points of trial 0's curve as optuna-dashboard gives them to a browser."""
    environment: dict[str, Any] = {"PATH_INFO": f"/api/studies/{fixture.study.study_id}", "REQUEST_METHOD": "GET"}
    setup_testing_defaults(environment)
    answer = b"".join(optuna_dashboard.wsgi(RDBStorage(fixture.url))(environment, lambda *_: None))
    return [(each["step"], each["value"]) for each in json.loads(answer)["trials"][0]["intermediate_values"]]


def test_a_model_is_brought_back_when_another_has_ended_the_attempt_as_intended(tmp_path: Path) -> None:
    fixture = SupervisorFixture(tmp_path, make_spec(), {})
    study, models = fixture.study, KeptModels(fixture.study, tmp_path / "models")
    spool = Spool(tmp_path / "spool", models)
    live_front = LiveFront(study, fixture.spec.parsed_objectives(), fixture.spec.extra_limits())
    delivery = Delivery(study, fixture.spec, live_front, spool)
    with study.exclusively():
        leased = queue.lease_next(study, 4, "anna", "cpu0")
    assert leased is not None
    models.partial_path(0).write_text("model of trial 0")
    result = TrialResult(leased[0], Outcome.COMPLETE, "", MEASUREMENTS, model_path=str(models.publish(0, {})))

    switch = AwaySwitch(fixture.store.engine)
    with (  # Optuna is told, and the end of the attempt is not written
        on_statement(
            fixture.store.engine, "UPDATE tunefront_attempts SET ended_at", lambda: setattr(switch, "is_away", True)
        ),
        pytest.raises(sa.exc.OperationalError),
    ):
        delivery.record(result)
    spool.add(result)
    switch.is_away = False
    assert queue.sweep(fixture.study) == []  # another supervisor, which closes the attempt

    assert delivery.record_spooled(result)
    (trial,) = fixture.trials()
    assert (trial.state, trial.values) == ("complete", (0.75, 1000.0, 2.5))
    assert Path(trial.model_path).read_text() == "model of trial 0"
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_result_voids_the_epochs_after_what_its_attempt_really_went_on_from(tmp_path: Path) -> None:
    """Its process began anew and ended early, and the store was away all the while."""
    fixture = SupervisorFixture(tmp_path, make_spec(objectives={"memory": False, "time": False}), {})
    study, spool = fixture.study, Spool(tmp_path / "spool", KeptModels(fixture.study, tmp_path / "models"))
    live_front = LiveFront(study, fixture.spec.parsed_objectives(), fixture.spec.extra_limits())
    delivery = Delivery(study, fixture.spec, live_front, spool)
    earlier, new = ([Epoch(n, n * step, 1.0, 0.25, {}) for n in range(1, last)] for step, last in ((0.1, 4), (0.2, 3)))
    with study.exclusively():
        leased = queue.lease_next(study, 4, "anna", "cpu0")
    assert leased is not None
    assert delivery.record(TrialResult(leased[0], Outcome.RETURNED, epochs=earlier))
    with study.exclusively():
        leased = queue.lease_next(study, 4, "anna", "cpu0", progress=lambda number, n_epochs: Progress(3, 3))
    assert leased is not None
    assert leased[0].resumed_from == 3

    result = TrialResult(leased[0], Outcome.COMPLETE, "", MEASUREMENTS, epochs=new, resumed=Progress(0, 0))
    spool.add(TrialResult.of_text(result.as_text()))
    assert delivery.record_spooled(result)
    (trial,) = fixture.trials()
    assert [(epoch.epoch, epoch.accuracy) for epoch in trial.epochs] == [(1, 0.2), (2, 0.4)]
    assert [part.resumed_epochs for part in trial.parts] == [0]
    assert shown_by_optuna_dashboard(fixture) == [(1, 0.2), (2, 0.4)]
