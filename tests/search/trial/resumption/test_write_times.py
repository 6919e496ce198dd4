from __future__ import annotations

import pytest

from tunefront.search.trial.resumption.write_times import WriteTimes


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def writes_after(epochs: list[float], write_seconds: float, n_bytes: float = 0) -> tuple[list[int], float]:
    """Return the epochs after which a checkpoint was written, and the writes' share of all seconds."""
    clock = Clock()
    times = WriteTimes(n_bytes, clock)
    written = []
    for number, seconds in enumerate(epochs, 1):
        clock.now += seconds
        if times.is_due():
            written.append(number)
            began = clock.now
            clock.now += write_seconds
            times.note_write(began)
    return written, len(written) * write_seconds / (clock.now - 100)


@pytest.mark.parametrize(
    ("epochs", "write_seconds", "expected"),
    [
        # Before one was measured, a write is expected to take 0.02 s, of which 50 are a second.
        ([1.1] * 5, 0.02, [1, 2, 3, 4, 5]),  # epochs of more than 50 writes
        ([0.3] * 15, 0.02, [7, 14]),  # shorter ones: not before 2 s have passed
        ([1.1] * 9, 0.04, [1, 3, 5, 7, 9]),  # 50 writes are 2 s, so every second epoch of 1.1 s
        ([1.1] * 8, 0.1, [1, 6]),  # 50 writes are 5 s
        ([30.0, 0.1, 0.1, 30.0], 0.3, [1, 4]),
        ([0.5], 0.02, []),
    ],
)
def test_a_checkpoint_is_due_after_fifty_writes_and_two_seconds(
    epochs: list[float], write_seconds: float, expected: list[int]
) -> None:
    assert writes_after(epochs, write_seconds)[0] == expected


@pytest.mark.parametrize("epoch_seconds", [0.01, 0.3, 1.0, 7.0, 40.0])
@pytest.mark.parametrize("write_seconds", [0.012, 0.13, 0.8])
def test_writes_take_less_than_two_percent_of_a_long_training(epoch_seconds: float, write_seconds: float) -> None:
    _, share = writes_after([epoch_seconds] * 4000, write_seconds)
    assert share < 0.02


def test_a_large_checkpoint_is_expected_to_take_longer() -> None:
    # 27 MB at 200 MB a second and 0.02 s are 0.155 s, of which 50 are 7.75 s.
    assert writes_after([3.0] * 3, 0.1, 27e6)[0] == [3]


def test_a_slow_write_is_followed_by_a_longer_pause() -> None:
    clock = Clock()
    times = WriteTimes(0, clock)
    clock.now = 110.0
    assert times.is_due()
    clock.now = 114.0
    times.note_write(110.0)
    clock.now = 213.0
    assert not times.is_due()  # 50 times 4 s
    clock.now = 314.5
    assert times.is_due()
