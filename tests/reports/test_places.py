"""Texts lose the places that they name, and nothing else."""

from __future__ import annotations

import pytest

from tunefront.reports.places import without_places


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see /home/anna/secret/trial.py", "see …/trial.py"),
        ("No such file: '/data/photos/a.png'", "No such file: '…/a.png'"),
        (r"C:\Users\anna\x.py, line 3", "…/x.py, line 3"),
        (r"\\server\share\x.py", "…/x.py"),
        ("~anna/x/y.py and ~/z.py", "…/y.py and …/z.py"),
        ('path = "/home/anna/data"', 'path = "…/data"'),
        # Shares, rates, relative paths and addresses are no places.
        ("1/2 of 3 / 4, kB/s and models/trial-1.keras", "1/2 of 3 / 4, kB/s and models/trial-1.keras"),
        ("https://keras.io/api/x", "https://keras.io/api/x"),
    ],
)
def test_absolute_paths_are_shortened(text: str, expected: str) -> None:
    assert without_places(text) == expected
