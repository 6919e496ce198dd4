from __future__ import annotations

import math

import pytest

from tunefront.objectives.quantities import Unit, format_quantity, parse_quantity

# Quantities


@pytest.mark.parametrize(
    ("written", "unit", "expected"),
    [
        (0.8, "fraction", 0.8),
        (1, "fraction", 1.0),
        ("0.8", "fraction", 0.8),
        ("80 %", "fraction", 0.8),
        ("80%", "fraction", 0.8),
        ("97.25 %", "fraction", 0.9725),
        (".5", "fraction", 0.5),
        (1000, "bytes", 1000.0),
        ("1000", "bytes", 1000.0),
        ("1000 B", "bytes", 1000.0),
        ("50 MB", "bytes", 50e6),
        ("50MB", "bytes", 50e6),
        ("50 mb", "bytes", 50e6),
        ("  50   MB  ", "bytes", 50e6),
        ("1.5 kB", "bytes", 1500.0),
        ("2 GB", "bytes", 2e9),
        ("1 TB", "bytes", 1e12),
        ("1 KiB", "bytes", 1024.0),
        ("1 MiB", "bytes", 1048576.0),
        ("0.5 GiB", "bytes", 536870912.0),
        ("1 TiB", "bytes", 1099511627776.0),
        ("1e6", "bytes", 1e6),
        ("1e3 kB", "bytes", 1e6),
        (1e22, "bytes", 1e22),
        ("-3 MB", "bytes", -3e6),
        ("+3 MB", "bytes", 3e6),
        (0.005, "seconds", 0.005),
        (1e-7, "seconds", 1e-7),
        ("5 ms", "seconds", 0.005),
        ("5 us", "seconds", 5e-6),
        ("5 \N{MICRO SIGN}s", "seconds", 5e-6),
        ("2 s", "seconds", 2.0),
        ("2 sec", "seconds", 2.0),
        ("5 min", "seconds", 300.0),
        ("1.5 h", "seconds", 5400.0),
        ("10 M", "count", 10e6),
        ("2.5k", "count", 2500.0),
        (12, "count", 12.0),
    ],
)
def test_parse_quantity_when_well_written(written: float | str, unit: Unit, expected: float) -> None:
    assert parse_quantity(written, unit) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("written", "unit", "remedy"),
    [
        ("", "bytes", "50 MB"),
        ("much", "bytes", "50 MB"),
        ("50 apples", "bytes", "MB"),
        ("50 ms", "bytes", "MB"),
        ("50 MB", "seconds", "ms"),
        ("50 %", "seconds", "ms"),
        ("0.8 s", "fraction", "0.8"),
        ("50 M", "bytes", "MB"),
        ("50 MB", "count", "10 M"),
        ("1,5 MB", "bytes", "50 MB"),
        ("1 MB 2", "bytes", "50 MB"),
        ("1..5 MB", "bytes", "50 MB"),
        ("nan", "seconds", "5 ms"),
        ("inf", "seconds", "5 ms"),
        (float("nan"), "seconds", "5 ms"),
        (float("inf"), "bytes", "50 MB"),
        ("\N{ARABIC-INDIC DIGIT THREE} MB", "bytes", "50 MB"),
    ],
)
def test_parse_quantity_when_badly_written(written: float | str, unit: Unit, remedy: str) -> None:
    with pytest.raises(ValueError, match="is not a (share|size|time|count); write") as caught:
        parse_quantity(written, unit)
    assert str(written) in str(caught.value)
    assert remedy in str(caught.value)


@pytest.mark.parametrize("written", [True, False, None, [1], {"low": 1}])
def test_parse_quantity_when_no_number_at_all(written: object) -> None:
    with pytest.raises(ValueError, match="is not a number or a text such as '50 MB'"):
        parse_quantity(written, "bytes")  # type: ignore[arg-type]


def test_parse_quantity_when_too_large_for_a_number() -> None:
    # 1e400 reads as infinity, and a limit of infinity would limit nothing without a word.
    with pytest.raises(ValueError, match="1e400"):
        parse_quantity("1e400", "bytes")


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.0, "fraction", "0.00 %"),
        (0.5, "fraction", "50.00 %"),
        (0.97222, "fraction", "97.22 %"),
        (1.0, "fraction", "100.00 %"),
        (0, "bytes", "0 B"),
        (999, "bytes", "999 B"),
        (1000, "bytes", "1 kB"),
        (12_345, "bytes", "12.3 kB"),
        (1_310_000, "bytes", "1.31 MB"),
        (52_428_800, "bytes", "52.4 MB"),
        (2.5e9, "bytes", "2.5 GB"),
        (7e12, "bytes", "7 TB"),
        (0.0, "seconds", "0 µs"),
        (5e-6, "seconds", "5 µs"),
        (0.0042, "seconds", "4.2 ms"),
        (1.0, "seconds", "1 s"),
        (59.94, "seconds", "59.9 s"),
        (119.0, "seconds", "119 s"),
        (120.0, "seconds", "2 min"),
        (3600.0, "seconds", "60 min"),
        (7200.0, "seconds", "2 h"),
        (5400 * 2.0, "seconds", "3 h"),
        (math.nan, "seconds", "-"),
        (math.nan, "bytes", "-"),
        (0.123456, "number", "0.1235"),
        (-3.0, "number", "-3"),
        (9999.4, "number", "9999"),
        (41234.4, "number", "41234"),
        (-250123.0, "number", "-250123"),
        (4.2e9, "number", "4.2e+09"),
        (math.nan, "number", "-"),
    ],
)
def test_format_quantity_of_a_value(value: float, unit: Unit, expected: str) -> None:
    assert format_quantity(value, unit) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (999.6, "bytes", "1 kB"),
        (999_900, "bytes", "1 MB"),
        (999_990_000, "bytes", "1 GB"),
        (0.9996, "seconds", "1 s"),
        (0.0009996, "seconds", "1 ms"),
    ],
)
def test_format_quantity_when_rounding_reaches_the_next_unit(value: float, unit: Unit, expected: str) -> None:
    assert format_quantity(value, unit) == expected


@pytest.mark.parametrize("unit", ["bytes", "seconds"])
@pytest.mark.parametrize("value", [3.0, 47.0, 512.0, 2.5e3, 9.99e4, 1.31e6])
def test_format_quantity_can_be_read_again(value: float, unit: Unit) -> None:
    assert parse_quantity(format_quantity(value, unit), unit) == pytest.approx(value, rel=0.01)


@pytest.mark.parametrize("percent", range(101))
def test_percentages_are_the_nearest_floats(percent: int) -> None:
    assert parse_quantity(f"{percent} %", "fraction") == percent / 100
    assert parse_quantity(f"{percent} us", "seconds") == percent / 1_000_000
