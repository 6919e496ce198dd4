"""Data frames as CSV files that are safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd

from tunefront.reports.tables.csv_text import csv_text
from tunefront.storage.spreadsheet import csv_of


def test_texts_and_names_are_no_formulas_and_numbers_stay() -> None:
    frame = pd.DataFrame(
        {
            "trial": pd.Series([0, 1], dtype="int64"),
            "gap": pd.Series([-0.25, float("nan")]),
            "beaten_by": pd.Series([-3, None], dtype="Int64"),
            "is_clear": pd.Series([True, False]),
            "reason": pd.Series(['=cmd|"/C calc"!A0', "a,\n=b"], dtype="str"),
            "-x": pd.Series([-7, "-7"], dtype="object"),
            "=x": pd.Series([-1e-05, "@x"], dtype="object"),
            "'=x": pd.Series([None, "\tx"], dtype="object"),
        }
    )
    header, *rows = csv.reader(io.StringIO(csv_text(frame), newline=""))
    assert header == ["trial", "gap", "beaten_by", "is_clear", "reason", "'-x", "'=x", "''=x"]
    assert rows == [
        ["0", "-0.25", "-3", "True", '\'=cmd|"/C calc"!A0', "-7", "-1e-05", ""],
        ["1", "", "", "False", "a,\n=b", "'-7", "'@x", "'\tx"],
    ]
    assert list(frame.columns)[-1] == "'=x"  # the frame itself is as it was


def test_a_carriage_return_in_a_text_begins_no_row() -> None:
    frame = pd.DataFrame(
        {"n": [-1.5, 2.0], "of=": pd.Series([3, None], dtype="Int64"), "reason": ["a\r=1+1", "b\r\n=2"]}
    )
    assert list(csv.reader(io.StringIO(csv_text(frame), newline=""))) == [
        ["n", "of=", "reason"],
        ["-1.5", "3", "a\r=1+1"],
        ["2.0", "", "b\r\n=2"],
    ]


def test_two_columns_of_one_name_stay_two() -> None:
    frame = pd.DataFrame([["=a", 1]], columns=["x", "x"])
    assert csv_text(frame) == "x,x\n'=a,1\n"


def test_every_cell_is_written_as_pandas_writes_it() -> None:
    random = np.random.default_rng(0)
    hard = [0.0, -0.0, 1e15, 1e16, 123456789012345680.0, 1e-4, 1e-5, 5e-324, float("inf"), float("nan"), 0.1 + 0.2]
    numbers = np.concatenate([hard, random.normal(size=500) * 10.0 ** random.integers(-300, 300, 500)])
    n = len(numbers)
    texts = ["a,b", 'q"x', "", None, "two\nlines", 3, 2.5, True, np.float32(0.1)]
    frame = pd.DataFrame(
        {
            "number": numbers,
            "whole": pd.array([None if place % 3 else place for place in range(n)], dtype="Int64"),
            "flag": pd.array([[True, False, None][place % 3] for place in range(n)], dtype="boolean"),
            "any": pd.Series([texts[place % len(texts)] for place in range(n)], dtype="object"),
            "text": pd.Series(
                [["a", "\N{LATIN SMALL LETTER E WITH ACUTE}", None][place % 3] for place in range(n)], dtype="str"
            ),
        }
    )
    assert csv_of(frame) == frame.to_csv(index=False)
    assert csv_of(frame[["any"]][:4]) == frame[["any"]][:4].to_csv(index=False)  # an empty cell alone has quotes
    assert csv_of(frame[:0]) == frame[:0].to_csv(index=False)
