"""The rows of predictions as they are printed, one by one: for people, as CSV, or as lines of JSON."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from tunefront.printable import on_one_line

if TYPE_CHECKING:
    from tunefront.search.prediction.predictor import Prediction

_NEXT_BEST = 2  # further classes that a person is shown
_MAX_NAME, _MAX_CLASS = 80, 24  # characters of a column
_MAX_COUNTED = 12  # classes in the summary
_WORTH_SAYING = 0.05  # seconds


class PredictionFormat(StrEnum):
    """How predictions are printed."""

    TABLE = "table"
    CSV = "csv"
    JSONL = "jsonl"


class PredictionRows(Protocol):
    """A way to print predictions; a row may begin with the time at which it was made."""

    def head(self) -> str:
        """Return the line above all rows; empty for none."""

    def row(self, prediction: Prediction, time: str) -> str:
        """Return a prediction as one line."""


@dataclass(frozen=True)
class RowsForPeople:
    """PredictionRows for people.

    Attributes:
        names: The classes; empty for numbers.
        n_name: The width of the column of names.
    """

    names: Sequence[str]
    n_name: int

    def head(self) -> str:
        """Return the titles of the columns."""
        return self._line("input", "number" if not self.names else "class", "" if not self.names else "probability", "")

    def row(self, prediction: Prediction, time: str) -> str:
        """Return the most probable class with its probability and the next ones, the number, or the problem."""
        name = f"{time}  {prediction.name}" if time else prediction.name
        if prediction.answers is None:
            return f"{name:{self.n_name}}  failed: {prediction.problem}"
        if not self.names:
            return self._line(name, show_number(prediction.answers[0]), "", "")
        (best, share), *others = self._best(prediction)
        others_shown = ", ".join(f"{_cut(other)} {_percent(less)}" for other, less in others)
        return self._line(name, _cut(best), _percent(share), others_shown)

    def _best(self, prediction: Prediction) -> list[tuple[str, float]]:
        assert prediction.answers is not None
        order = (-prediction.answers).argsort(kind="stable")[: 1 + _NEXT_BEST]
        return [(self.names[place], float(prediction.answers[place])) for place in order]

    def _line(self, name: str, best: str, share: str, others: str) -> str:
        n_class = min(max(map(len, (*self.names, "class"))), _MAX_CLASS)
        return f"{name:{self.n_name}}  {best:{n_class}}  {share:>11}  {others}".rstrip()


@dataclass(frozen=True)
class RowsOfCsv:
    """PredictionRows of a CSV file that is safe to open in a spreadsheet.

    Attributes:
        names: The classes, each with a column of its probabilities; empty for numbers.
        has_time: Whether rows begin with a time.
    """

    names: Sequence[str]
    has_time: bool

    def head(self) -> str:
        """Return the names of the columns."""
        what = ["class", "probability", *(f"p_{name}" for name in self.names)] if self.names else ["number"]
        return _csv_line([*(["time"] if self.has_time else []), "input", *what, "problem"])

    def row(self, prediction: Prediction, time: str) -> str:
        """Return a prediction with all probabilities, or with its problem and empty cells."""
        found = prediction.answers
        if found is None:
            cells: list[Any] = [""] * (2 + len(self.names) if self.names else 1)
        elif self.names:
            cells = [self.names[int(found.argmax())], *map(_digits, (found.max(), *found))]
        else:
            cells = [_digits(found[0])]
        return _csv_line([*([time] if self.has_time else []), prediction.name, *cells, prediction.problem])


@dataclass(frozen=True)
class RowsOfJson:
    """PredictionRows of one JSON object each."""

    names: Sequence[str]

    def head(self) -> str:
        """Return nothing."""
        return ""

    def row(self, prediction: Prediction, time: str) -> str:
        """Return the prediction's fields; one with a problem has no class."""
        return json.dumps({**({"time": time} if time else {}), **fields_of(prediction, self.names)})


def fields_of(prediction: Prediction, names: Sequence[str]) -> dict[str, Any]:
    """Return a prediction as JSON data."""
    found = prediction.answers
    if found is None:
        return {"input": prediction.name, "problem": prediction.problem}
    if not names:
        return {"input": prediction.name, "number": _digits(found[0])}
    return {
        "input": prediction.name,
        "class": names[int(found.argmax())],
        "probability": _digits(found.max()),
        "probabilities": {name: _digits(share) for name, share in zip(names, found, strict=True)},
    }


def make_rows(form: PredictionFormat, names: Sequence[str], n_name: int, *, has_time: bool) -> PredictionRows:
    """Return the rows of a format.

    Args:
        names: The classes; empty for numbers.
        n_name: The length of the longest name of what will be predicted.
    """
    if form is PredictionFormat.CSV:
        return RowsOfCsv(names, has_time)
    if form is PredictionFormat.JSONL:
        return RowsOfJson(names)
    n_time = len("2026-01-01T00:00:00+00:00  ") if has_time else 0
    return RowsForPeople(names, n_time + min(n_name, _MAX_NAME))


@dataclass
class Tally:
    """What was predicted so far.

    Attributes:
        classes: Class -> how often it was the most probable one.
        numbers: Predicted numbers.
        n_failed: Examples without an answer.
    """

    classes: Counter[str] = field(default_factory=Counter)
    n_failed: int = 0
    n_answered: int = 0
    sum: float = 0.0
    lowest: float = float("inf")
    highest: float = float("-inf")

    def add(self, prediction: Prediction, names: Sequence[str]) -> None:
        """Count a prediction."""
        if prediction.answers is None:
            self.n_failed += 1
            return
        self.n_answered += 1
        if names:
            self.classes[names[int(prediction.answers.argmax())]] += 1
            return
        number = float(prediction.answers[0])
        self.sum += number
        self.lowest, self.highest = min(self.lowest, number), max(self.highest, number)

    def describe(self, seconds: float, load_seconds: float) -> str:
        """Return the counts as a line for people, with the time in all and that of loading the model."""
        loading = f" ({load_seconds:.1f} s to load the model)" if load_seconds >= _WORTH_SAYING else ""
        counts = f"{self.n_answered:,} answered, {self.n_failed:,} failed, in {seconds:.1f} s{loading}."
        if self.classes:
            common = self.classes.most_common(_MAX_COUNTED)
            rest = len(self.classes) - len(common)
            shown = ", ".join(f"{name} ({count:,})" for name, count in common)
            return f"{counts} Classes: {shown}" + (f" and {rest} more." if rest else ".")
        if self.n_answered:
            mean = show_number(self.sum / self.n_answered)
            return f"{counts} Mean {mean}, from {show_number(self.lowest)} to {show_number(self.highest)}."
        return counts


def show_number(number: float) -> str:
    """Return a predicted number for people."""
    return f"{number:.6g}"


def _digits(number: float) -> float:
    """Return the number with nine digits, which tell any two of float32 apart."""
    return float(f"{float(number):.9g}")


def _percent(share: float) -> str:
    return f"{share:.2%}".replace("%", " %")


def _cut(name: str) -> str:
    name = on_one_line(name)
    return name if len(name) <= _MAX_CLASS else f"{name[: _MAX_CLASS - 3]}..."


def _csv_line(cells: Sequence[Any]) -> str:
    from tunefront.storage.spreadsheet import as_cell

    written = io.StringIO()
    # Texts are quoted only where they must be, and line breaks in them are escapes already.
    csv.writer(written, lineterminator="").writerow([as_cell(c) if isinstance(c, str) else c for c in cells])
    return written.getvalue()
