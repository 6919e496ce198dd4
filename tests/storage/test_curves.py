from __future__ import annotations

import math

import pytest

from tests.storage.bench import Bench, epoch
from tunefront.storage import curves
from tunefront.storage.curves import Epoch


def test_load_gives_each_curve_in_order(bench: Bench) -> None:
    (first, _), (second, _) = bench.lease(), bench.lease()
    for lease, number in ((first, 2), (second, 1), (first, 1)):
        curves.append(bench.store, lease, epoch(number, accuracy=number / 10))
    loaded = curves.load(bench.study)
    assert {number: [point.epoch for point in curve] for number, curve in loaded.items()} == {0: [1, 2], 1: [1]}


def test_an_epoch_comes_back_as_it_was_written(bench: Bench) -> None:
    lease, _ = bench.lease()
    written = Epoch(1, 0.123456789012345, 1.5e-7, 0.0, {"loss": 1e30, "val_loss": 0.1, "accuracy": 1.0})
    curves.append(bench.store, lease, written)
    assert curves.load(bench.study) == {0: [written]}


def test_append_replaces_an_epoch_when_it_comes_again(bench: Bench) -> None:
    lease, _ = bench.lease()
    curves.append(bench.store, lease, epoch(1, accuracy=0.1))
    curves.append(bench.store, lease, epoch(1, accuracy=0.2))
    (curve,) = curves.load(bench.study).values()
    assert [point.accuracy for point in curve] == [0.2]


@pytest.mark.parametrize(("numbers", "expected"), [(None, [0, 1, 2]), ([0, 2], [0, 2]), ([7], []), ([], [])])
def test_load_of_some_numbers(bench: Bench, numbers: list[int] | None, expected: list[int]) -> None:
    for _ in range(3):
        curves.append(bench.store, bench.lease()[0], epoch(1))
    assert sorted(curves.load(bench.study, numbers)) == expected


def test_load_when_there_are_more_numbers_than_a_statement_takes(bench: Bench) -> None:
    # 40 000 numbers are more than SQLite's 32 766 variables and fewer than PostgreSQL's 65 535; both must work.
    curves.append(bench.store, bench.lease()[0], epoch(1))
    assert list(curves.load(bench.study, range(40_000))) == [0]


def test_load_leaves_other_studies_out(bench: Bench) -> None:
    other = Bench.make(bench.store.url, name="other")
    curves.append(other.store, other.lease()[0], epoch(1))
    assert curves.load(bench.study) == {}
    assert math.isclose(curves.load(other.study)[0][0].accuracy, 0.5)
    other.store.optuna.remove_session()
    other.store.engine.dispose()
