"""Texts as cells of a CSV file, and back."""

from __future__ import annotations

import pytest

from tunefront.storage.spreadsheet import as_cell, from_cell


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("", ""),
        ("relu", "relu"),
        ("a=1", "a=1"),
        (" =1", "' =1"),
        (" \u00a0\u3000-1", "' \u00a0\u3000-1"),
        ("' =1", "'' =1"),
        (" a=1", " a=1"),
        ("'quoted' is no choice", "'quoted' is no choice"),
        ('=HYPERLINK("http://a.example")', '\'=HYPERLINK("http://a.example")'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("\uff1d1", "'\uff1d1"),
        ("'=1", "''=1"),
        ("''=1", "'''=1"),
    ],
)
def test_a_formula_becomes_a_text_and_comes_back(text: str, cell: str) -> None:
    assert as_cell(text) == cell
    assert from_cell(cell) == text
