from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("keras")

# Times, on a clock that only the test moves


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, keras: Any) -> Callable[[float], None]:
    """A function that sets the clock."""
    from tunefront.search.trial import timer

    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(timer, "time", SimpleNamespace(perf_counter=lambda: clock.now))

    def set_to(seconds: float) -> None:
        clock.now = seconds

    return set_to


def fit(
    at: Callable[[float], None],
    first_batch_at: float,
    epochs: list[tuple[list[float], float]],
    pause: float = 0.0,
    timer: Any = None,
) -> Any:
    """Call an EpochTimer as `fit` does; each epoch is given by the seconds of its batches and of its validation."""
    from tunefront.search.trial.timer import EpochTimer

    timer = timer or EpochTimer()
    timer.set_params({"steps": len(epochs[0][0])})
    at(0.0)
    timer.on_train_begin()
    now = first_batch_at
    for number, (batches, validation) in enumerate(epochs):
        at(now if number else 0.0)
        timer.on_epoch_begin(number)
        for batch, seconds in enumerate(batches):
            at(now)
            timer.on_train_batch_begin(batch)
            now += seconds
            at(now)
            timer.on_train_batch_end(batch, {"loss": 1.0})
            now += pause
        timer.on_epoch_end(number, {"loss": 1.0})
        timer.add_validation(validation)
        now += validation
    return timer


def test_epoch_timer_counts_what_new_shapes_take_as_compiling(at: Callable[[float], None]) -> None:
    # 3 s of set-up; the first batch traces for 4 s, the last one of another shape for 1 s.
    timer = fit(at, 3.0, [([5.0, 1.0, 1.0, 2.0], 3.0), ([1.0, 1.0, 1.0, 1.0], 1.0), ([2.0, 1.0, 1.0, 1.0], 0.5)])
    assert timer.compile_seconds == pytest.approx(3 + 4 + 1)
    assert timer.train_seconds == pytest.approx(4 + 4 + 5)
    assert timer.last_train_seconds == pytest.approx(5)
    # The first validation traces too: it counts as the median of the later ones.
    assert timer.validation_seconds == pytest.approx(3 * 0.75)
    assert timer.last_validation_seconds == pytest.approx(0.5)


def test_epoch_timer_counts_what_lies_between_batches_as_training(at: Callable[[float], None]) -> None:
    timer = fit(at, 0.0, [([1.0, 1.0, 1.0], 1.0)] * 2, pause=0.25)
    assert timer.train_seconds == pytest.approx(2 * (3 + 2 * 0.25))


@pytest.mark.parametrize(
    ("epochs", "train_seconds", "compile_seconds"),
    [
        # Fewer than three batches have no usual one, so the first epoch counts as the median of the later ones.
        ([([9.0, 1.0], 1.0), ([1.0, 1.0], 1.0), ([2.0, 2.0], 1.0)], 3 + 2 + 4, 3.0),
        ([([9.0], 1.0), ([1.0], 1.0)], 2.0, 3.0),
        ([([9.0, 1.0], 1.0)], 10.0, 3.0),  # a single epoch cannot be compared with another
        ([([5.0, 1.0, 1.0], 1.0)], 3.0, 7.0),
        ([([0.5, 1.0, 0.25], 1.0)], 1.75, 3.0),  # a batch faster than usual does not make compiling negative
    ],
)
def test_epoch_timer_of_few_batches(
    at: Callable[[float], None],
    epochs: list[tuple[list[float], float]],
    train_seconds: float,
    compile_seconds: float,
) -> None:
    timer = fit(at, 3.0, epochs)
    assert timer.train_seconds == pytest.approx(train_seconds)
    assert timer.compile_seconds == pytest.approx(compile_seconds)


def test_epoch_timer_of_one_validation(at: Callable[[float], None]) -> None:
    assert fit(at, 0.0, [([1.0, 1.0, 1.0], 2.5)]).validation_seconds == pytest.approx(2.5)


def test_epoch_timer_waits_for_the_device_before_it_reads_the_clock(at: Callable[[float], None]) -> None:
    from tunefront.search.trial.timer import EpochTimer

    class LateLoss:
        """A loss that is computed only when it is read."""

        def __float__(self) -> float:
            at(10.0)
            return 1.0

    timer = EpochTimer()
    timer.set_params({"steps": 1})
    at(0.0)
    timer.on_train_begin()
    timer.on_epoch_begin(0)
    timer.on_train_batch_begin(0)
    timer.on_train_batch_end(0, {"loss": LateLoss()})
    timer.on_epoch_end(0)
    assert timer.last_train_seconds == pytest.approx(10.0)


def test_latency_seconds_is_the_median_of_thirty_warm_calls(at: Callable[[float], None]) -> None:
    from tunefront.search.trial.timer import latency_seconds

    class Model:
        """A model whose first three calls take a minute each, and later ones 5 ms, but every tenth 1 s."""

        def __init__(self) -> None:
            self.shapes: list[tuple[int, ...]] = []
            self.now = 0.0

        def predict_on_batch(self, batch: Any) -> None:
            self.shapes.append(batch.shape)
            n_calls = len(self.shapes)
            self.now += 60.0 if n_calls <= 3 else 1.0 if n_calls % 10 == 0 else 0.005
            at(self.now)

    model = Model()
    assert latency_seconds(model, np.zeros((8, 8, 1), "uint8")) == pytest.approx(0.005)
    assert model.shapes == [(1, 8, 8, 1)] * 33


def test_epoch_timer_that_goes_on_counts_compiling_once(at: Callable[[float], None]) -> None:
    from tunefront.search.trial.timer import EpochTimer

    old = fit(at, 3.0, [([5.0, 1.0, 1.0, 2.0], 3.0), ([1.0, 1.0, 1.0, 1.0], 1.0)])
    timer = EpochTimer()
    timer.restore(json.loads(json.dumps(old.state())), n_fits=0)
    # The second process compiles for 2 + 6 s, and validates for 4 s of which most is compiling.
    fit(at, 2.0, [([7.0, 1.0, 1.0, 1.0], 4.0), ([1.0, 1.0, 1.0, 1.0], 0.5)], timer=timer)
    assert timer.compile_seconds == pytest.approx(2 + 6)  # not also the 8 s of the first process
    assert timer.train_seconds == pytest.approx(4 + 4 + 4 + 4)
    assert timer.validation_seconds == pytest.approx(4 * 0.75)  # the median of 1 and 0.5

    fitted = EpochTimer()  # its first phase had ended, so that its compiling is not repeated
    fitted.restore(old.state(), n_fits=1)
    fit(at, 2.0, [([7.0, 1.0, 1.0, 1.0], 4.0)], timer=fitted)
    assert fitted.compile_seconds == pytest.approx(8 + 2 + 6)


def test_epoch_timer_that_goes_on_with_few_batches_takes_the_median_of_others(at: Callable[[float], None]) -> None:
    from tunefront.search.trial.timer import EpochTimer

    old = fit(at, 3.0, [([9.0, 1.0], 1.0), ([1.0, 1.0], 1.0)])
    timer = EpochTimer()
    timer.restore(old.state(), n_fits=0)
    fit(at, 3.0, [([8.0, 1.0], 1.0), ([2.0, 2.0], 1.0)], timer=timer)
    assert timer.train_seconds == pytest.approx(3 + 2 + 3 + 4)  # first epochs count as 3, the median of 2 and 4
