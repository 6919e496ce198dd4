"""Times that a person measured on a device, read from a CSV file."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Mapping
from pathlib import Path

from tunefront.mistakes import TunefrontError, nearest
from tunefront.search.models.variants import VARIANTS
from tunefront.search.system.regular_files import read_file

_COLUMNS = ("trial", "variant", "latency_seconds")
_MAX_BYTES = 10_000_000


class MeasuredFileError(TunefrontError):
    """A file of measured times cannot be used: file, line and remedy."""


def read_measured(path: Path, trials: Collection[int]) -> Mapping[tuple[int, str], float]:
    """Read the columns ``trial,variant,latency_seconds``; other columns are left alone.

    Args:
        trials: The numbers of the trials that are deployed.

    Returns:
        Trial and variant -> seconds for one image.

    Raises:
        MeasuredFileError: If the file is no such table, or names a trial or variant that does not exist.
    """
    try:
        text = read_file(path, _MAX_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MeasuredFileError(f"{path}: it cannot be read as text ({error}): give a CSV file") from None
    reader = csv.DictReader(io.StringIO(text))
    lacking = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
    if lacking:
        raise MeasuredFileError(f"{path}: line 1: there is no column {lacking[0]}: write {','.join(_COLUMNS)}")
    found: dict[tuple[int, str], float] = {}
    for row in reader:
        where = f"{path}: line {reader.line_num}"
        trial, variant, seconds = (str(row[name] or "").strip() for name in _COLUMNS)
        if not trial.isdecimal() or int(trial) not in trials:
            known = ", ".join(map(str, sorted(trials)))
            raise MeasuredFileError(f"{where}: trial {trial!r} is not deployed. Deployed are {known}")
        if variant not in VARIANTS:
            raise MeasuredFileError(f"{where}: there is no variant {variant!r}. {nearest(variant, VARIANTS)}")
        found[int(trial), variant] = _seconds(seconds, where)
    if not found:
        raise MeasuredFileError(f"{path}: it has no rows: write one for each variant that was measured")
    return found


def _seconds(text: str, where: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise MeasuredFileError(f"{where}: latency_seconds {text!r} is no time: write seconds above 0, such as 0.0123")
    return seconds
