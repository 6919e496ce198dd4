"""Data frames as CSV files that are safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io

import pandas as pd

from tunefront.reports.tables.csv_text import csv_text


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
