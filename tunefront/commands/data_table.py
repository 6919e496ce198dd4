"""A report on a dataset as tables and lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tunefront.commands.column_table import column_table
from tunefront.printable import on_one_line
from tunefront.search.data.examples import SPLITS
from tunefront.search.data.inspection.data_report import ClassCount, DataReport, describe_few
from tunefront.search.data.prepared_content import describe_lists
from tunefront.search.data.splitting.near_copies import NEAR_COPIES

_MAX_CLASSES = 24  # with more classes, only some of the largest and smallest are shown
_N_EXTREME_CLASSES = 10
_BAR_WIDTH = 24
_BARS = " ▁▂▃▄▅▆▇█"
_N_NEAR_COPY_PAIRS = 5
_CLASS_SIZES = ((1, 1, "1 example"), (2, 4, "2 to 4"), (5, 9, "5 to 9"), (10, None, "10 and more"))


def render(report: DataReport) -> Group:
    """Return the whole report, from the outline to the findings."""
    labels = [_number_table(report)] if report.numbers else [*_class_tables(report), Text(), _balance(report)]
    tables: list[RenderableType] = [column_table(report.columns), Text()] if report.columns else []
    parts: list[RenderableType] = [_outline(report), Text(), *tables, *labels]
    findings = list(_findings(report))
    notes = [f"{n_examples:,} {what}" for what, n_examples in report.notes.items()]
    notes += describe_lists(report.folder)
    parts += [*_lines("in the prepared data", findings), *_lines("noticed while preparing it", notes)]
    parts += _lines("images that look alike in different splits", _near_copies(report))
    if not findings and not notes:
        contradictory = "numbers" if report.numbers else "classes"
        parts.append(Text(f"no copies, no contradictory {contradictory}, nothing left out", style="green"))
    return Group(*parts)


def _lines(title: str, lines: Sequence[str]) -> list[RenderableType]:
    if not lines:
        return []
    return [Text(), Text(title, style="bold"), *(Padding(Text(line, style="yellow"), (0, 0, 0, 2)) for line in lines)]


def _outline(report: DataReport) -> Table:
    n_examples = sum(report.splits.values())
    table = Table(
        title=f"{report.source}: {_counted(n_examples, 'example')} "
        + ("with a number to predict" if report.numbers else f"in {len(report.classes):,} classes"),
        title_justify="left",
        title_style="bold",
        show_header=False,
        box=None,
        padding=(0, 2, 0, 0),
    )
    shares = [f"{name} {size:,} ({size / n_examples:.0%})" for name, size in report.splits.items()]
    by_time = ", by time" if report.split_by == "time" else ""
    table.add_row("splits", Text(", ".join(shares) + by_time + (f"; fold 0 of {report.folds}" if report.folds else "")))
    table.add_row("size", Text(_shape(report)))
    sizes = report.original_sizes
    if sizes:
        names = ("smallest", "median", "largest")
        found = zip(names, (sizes.smallest, sizes.median, sizes.largest), strict=True)
        of_what = "" if sizes.n_measured == sizes.n_files else f" (of {sizes.n_measured:,} of {sizes.n_files:,} files)"
        shown = ", ".join(f"{name} {height} x {width}" for name, (height, width) in found)
        table.add_row("files", Text(f"{shown}{of_what}"))
    if report.value_range:
        low, high = report.value_range
        table.add_row("values", Text(f"{low:g} to {high:g} ({report.value_type})"))
    return table


def _shape(report: DataReport) -> str:
    if report.columns:
        n_numbers = sum(column.kind == "number" for column in report.columns)
        n_categories = len(report.columns) - n_numbers
        return f"{_counted(len(report.columns), 'column')}: {n_numbers} numbers, {n_categories} categories"
    if len(report.image_shape) != 3:
        return f"values of shape {report.image_shape}, no images"
    height, width, channels = report.image_shape
    kinds = {1: "1 channel (grey)", 3: "3 channels (colour)"}
    return f"{height} x {width} pixels (height x width), {kinds.get(channels, f'{channels} channels')}"


def _number_table(report: DataReport) -> Table:
    table = Table(title="numbers to predict", title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column("split", no_wrap=True)
    for name in ("examples", "least", "quarter", "median", "three quarters", "largest", "mean", "deviation"):
        table.add_column(name, justify="right")
    table.add_column("from least to largest of all", no_wrap=True)
    for found in report.numbers:
        first, median, third = found.quartiles
        shown = (found.least, first, median, third, found.largest, found.mean, found.deviation)
        most = max(found.counts)
        bars = "".join(_BARS[-(-count * (len(_BARS) - 1) // most)] for count in found.counts)
        table.add_row(found.split, f"{found.n:,}", *(f"{value:.4g}" for value in shown), Text(bars, style="cyan"))
    return table


def _class_tables(report: DataReport) -> Iterator[RenderableType]:
    classes = report.classes
    if len(classes) <= _MAX_CLASSES:
        yield _class_table("", classes, report)
        return
    in_order = sorted(classes, key=lambda found: -found.total)
    yield _class_table(f"the {_N_EXTREME_CLASSES} classes with most examples", in_order[:_N_EXTREME_CLASSES], report)
    yield Text()
    yield _class_table(f"the {_N_EXTREME_CLASSES} classes with fewest", in_order[-_N_EXTREME_CLASSES:], report)
    yield Text()
    yield _size_table(classes)


def _class_table(title: str, classes: Sequence[ClassCount], report: DataReport) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column("class", overflow="ellipsis", no_wrap=True, max_width=40)
    for split in SPLITS:
        table.add_column(split, justify="right", no_wrap=True)
    table.add_column("all", justify="right", no_wrap=True)
    table.add_column("")
    most = report.most_frequent.total
    for found in classes:
        numbers = [Text(f"{n:,}", style="" if n else "yellow") for n in (found.train, found.validation, found.test)]
        bar = Text("█" * max(1, round(_BAR_WIDTH * found.total / most)), style="cyan", no_wrap=True)
        table.add_row(Text(on_one_line(found.name)), *numbers, f"{found.total:,}", bar)
    return table


def _size_table(classes: Sequence[ClassCount]) -> Table:
    table = Table(title="classes by size", title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for name in ("examples of the class", "classes", "share"):
        table.add_column(name, justify="left" if name.startswith("examples") else "right")
    for low, high, name in _CLASS_SIZES:
        n_classes = sum(low <= found.total and (high is None or found.total <= high) for found in classes)
        table.add_row(name, f"{n_classes:,}", f"{n_classes / len(classes):.0%}")
    return table


def _balance(report: DataReport) -> Text:
    shown = []
    for what, found in (("most", report.most_frequent), ("least", report.least_frequent)):
        n_others = sum(other.total == found.total for other in report.classes) - 1
        others = f", as {_counted(n_others, 'other')}" if n_others else ""
        shown.append(f"{what} frequent: {on_one_line(found.name)} ({found.total:,}{others})")
    text = Text("; ".join(shown))
    return text.append(f"; ratio {report.imbalance:.3g}", style="yellow" if report.imbalance >= 10 else "")


def _findings(report: DataReport) -> Iterator[str]:
    """Yield what a person should know before training on this dataset."""
    for split, n_copies in report.copies.within.items():
        if n_copies and not report.columns:  # two rows may be alike by chance
            yield f"{_counted(n_copies, 'exact copy', 'exact copies')} of other examples inside {split}"
    for splits, n_contents in report.copies.across.items():
        if n_contents and report.columns:
            yield (
                f"{_counted(n_contents, 'row')} with the same values in both {splits}: if they are copies, and not two "
                'examples that are alike, write equal_rows = "together"'
            )
        elif n_contents:
            yield f"{_counted(n_contents, 'example')} in both {splits}: scores would be of what was trained on"
    if report.copies.n_contradictory:
        label = "number" if report.numbers else "class"
        n_contradictory = _counted(report.copies.n_contradictory, "example")
        yield f"{n_contradictory} with the content of another one, but not its {label}"
    examples = "row" if report.columns else "image"
    coarse = "" if report.numbers else describe_few(report.splits["validation"] * max(report.folds, 1), examples)
    if coarse:
        yield coarse
    if report.n_constant:
        yield f"{_counted(report.n_constant, 'example')} of one value only, such as a black image"


def _near_copies(report: DataReport) -> list[str]:
    path = Path(report.folder) / NEAR_COPIES
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    n_more = len(lines) - _N_NEAR_COPY_PAIRS
    shown = [on_one_line(line) for line in lines[:_N_NEAR_COPY_PAIRS]]
    return [*shown, f"and {n_more:,} more pairs"] if n_more > 0 else shown


def _counted(number: int, one: str, several: str = "") -> str:
    return f"{number:,} {one if number == 1 else several or one + 's'}"
