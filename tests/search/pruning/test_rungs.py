"""The epochs after which a trial is judged."""

from __future__ import annotations

import pytest

from tunefront.search.pruning.rungs import geometric_rungs


@pytest.mark.parametrize(
    ("epochs", "min_epochs", "factor", "expected"),
    [
        (12, 1, 1.5, (1, 2, 3, 5, 8, 11)),
        (27, 1, 1.5, (1, 2, 3, 5, 8, 11, 17, 26)),
        (27, 1, 1.2, (1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 15, 18, 22, 27)[:-1]),
        (10, 4, 1.5, (4, 6, 9)),
        (30, 1, 3.0, (1, 3, 9, 27)),
        (3, 1, 1.2, (1, 2)),
        (2, 1, 1.2, (1,)),
        (1, 1, 1.2, ()),  # nothing to save by stopping
        (5, 5, 1.2, ()),
        (5, 9, 1.2, ()),
    ],
)
def test_geometric_rungs(epochs: int, min_epochs: int, factor: float, expected: tuple[int, ...]) -> None:
    assert geometric_rungs(epochs, min_epochs, factor) == expected
