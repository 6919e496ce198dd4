from __future__ import annotations

from typing import Any

import optuna
import sqlalchemy as sa

from tests.storage.study_fixture import MEASUREMENTS, VALUES, StudyFixture
from tunefront.storage import answers, queue
from tunefront.storage.answers import Answers, ClassCurve
from tunefront.storage.attempts import Lease
from tunefront.storage.database import schema
from tunefront.storage.outcomes import Outcome

CURVE = ClassCurve(0.5, 0.75, [[0.0, 1.0], [0.0, 1.0]], [[0.0, 0.5], [1.0, 0.5]])
WRITTEN = Answers([0, 1, 1], [0, 1, 0], [1, 1, 0], {"1": [0, 2, 1]}, {"1": CURVE})


def finish(fixture: StudyFixture, leased: tuple[Lease, optuna.Trial], **changes: Any) -> bool:
    found = {"outcome": Outcome.COMPLETE, "answers": {"test": WRITTEN, "validation": Answers([1], [1])}, **changes}
    outcome = found.pop("outcome")
    values = VALUES if outcome is Outcome.COMPLETE else None
    return queue.finish(fixture.study, leased[0], outcome, values=values, measurements=MEASUREMENTS, **found)


def load(fixture: StudyFixture, split: str = "test") -> dict[int, Answers]:
    return answers.load(fixture.study, split)


def test_answers_come_back_as_they_were_written(fixture: StudyFixture) -> None:
    fixture.lease()
    assert finish(fixture, fixture.lease())
    assert load(fixture) == {1: WRITTEN}
    assert load(fixture, "validation") == {1: Answers([1], [1])}


def test_a_trial_without_answers_has_none(fixture: StudyFixture) -> None:
    assert finish(fixture, fixture.lease(), answers=None)
    assert load(fixture) == {}


def test_a_retry_begins_without_answers(fixture: StudyFixture) -> None:
    assert finish(fixture, fixture.lease(), outcome=Outcome.RETURNED)
    assert list(load(fixture)) == [0]
    fixture.lease()
    assert load(fixture) == {}


def test_what_comes_after_the_lease_was_lost_is_not_written(fixture: StudyFixture) -> None:
    leased = fixture.lease()
    fixture.expire("anna")
    fixture.sweep()
    assert not finish(fixture, leased)
    assert load(fixture) == {}


def test_ten_thousand_images_take_a_few_kilobytes(fixture: StudyFixture) -> None:
    labels = [(number * 7919) % 10 for number in range(10_000)]
    chosen = [(label + (number % 30 == 0)) % 10 for number, label in enumerate(labels)]
    assert finish(fixture, fixture.lease(), answers={"test": Answers(labels, chosen)})
    with fixture.store.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.length(schema.answers.c.content))).scalar_one() < 10_000


def test_answers_of_a_deleted_study_go_with_it(fixture: StudyFixture) -> None:
    assert finish(fixture, fixture.lease())
    optuna.delete_study(study_name=fixture.record.name, storage=fixture.store.optuna)
    again = StudyFixture.on(fixture.store)
    assert load(again) == {}
    assert load(fixture) == {}
