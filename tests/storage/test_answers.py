from __future__ import annotations

from typing import Any

import optuna
import sqlalchemy as sa

from tests.storage.bench import MEASUREMENTS, VALUES, Bench
from tunefront.storage import answers, queue
from tunefront.storage.answers import Answers
from tunefront.storage.attempts import Lease
from tunefront.storage.database import schema
from tunefront.storage.outcomes import Outcome

WRITTEN = Answers([0, 1, 1], [0, 1, 0], [1, 1, 0], {"1": [0, 2, 1]})


def finish(bench: Bench, leased: tuple[Lease, optuna.Trial], **changes: Any) -> bool:
    found = {"outcome": Outcome.COMPLETE, "answers": {"test": WRITTEN, "validation": Answers([1], [1])}, **changes}
    outcome = found.pop("outcome")
    values = VALUES if outcome is Outcome.COMPLETE else None
    return queue.finish(bench.study, leased[0], outcome, values=values, measurements=MEASUREMENTS, **found)


def load(bench: Bench, split: str = "test") -> dict[int, Answers]:
    return answers.load(bench.study, split)


def test_answers_come_back_as_they_were_written(bench: Bench) -> None:
    bench.lease()
    assert finish(bench, bench.lease())
    assert load(bench) == {1: WRITTEN}
    assert load(bench, "validation") == {1: Answers([1], [1])}


def test_a_trial_without_answers_has_none(bench: Bench) -> None:
    assert finish(bench, bench.lease(), answers=None)
    assert load(bench) == {}


def test_a_retry_begins_without_answers(bench: Bench) -> None:
    assert finish(bench, bench.lease(), outcome=Outcome.RETURNED)
    assert list(load(bench)) == [0]
    bench.lease()
    assert load(bench) == {}


def test_what_comes_after_the_lease_was_lost_is_not_written(bench: Bench) -> None:
    leased = bench.lease()
    bench.expire("anna")
    bench.sweep()
    assert not finish(bench, leased)
    assert load(bench) == {}


def test_ten_thousand_images_take_a_few_kilobytes(bench: Bench) -> None:
    labels = [(number * 7919) % 10 for number in range(10_000)]
    chosen = [(label + (number % 30 == 0)) % 10 for number, label in enumerate(labels)]
    assert finish(bench, bench.lease(), answers={"test": Answers(labels, chosen)})
    with bench.store.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.length(schema.answers.c.content))).scalar_one() < 10_000


def test_answers_of_a_deleted_study_go_with_it(bench: Bench) -> None:
    assert finish(bench, bench.lease())
    optuna.delete_study(study_name=bench.record.name, storage=bench.store.optuna)
    again = Bench.on(bench.store)
    assert load(again) == {}
    assert load(bench) == {}
