"""A table for a terminal that loses nothing on a narrow one: what does not fit beside a row stands below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.text import Text

from tunefront.printable import in_lines, printable

_GAPS = (3, 2)  # blanks between columns: where it helps, and where that leaves no room
_INDENT = 4  # of what stands below a row
_N_KEPT = 2  # columns that stay beside each other however narrow the terminal is


@dataclass(frozen=True)
class TableColumn:
    """A column: its head, and a cell for each row."""

    head: str
    cells: Sequence[Text]
    is_text: bool = False  # aligned to the left

    @property
    def width(self) -> int:
        return max(cell_len(self.head), *(cell_len(printable(cell.plain)) for cell in self.cells), 0)

    def aligned(self, text: Text) -> Text:
        """Return a text of the column's width."""
        aligned = text.copy()
        aligned.plain = printable(aligned.plain)
        aligned.align("left" if self.is_text else "right", self.width)
        return aligned


@dataclass(frozen=True)
class FittingTable:
    """Rows of aligned cells, and of further items that have no column.

    On a wide terminal everything stands in one line a row. On a narrower one items stand below their row, wrapped
    between items, and with them the last columns, each with its head.

    Attributes:
        title: A text above the table; empty for none.
        columns: The columns, the most important first.
        items: Texts for each row, none of which is broken if it fits into a line; empty if rows have none.
        items_head: The head of the items.
        styles: A style for each row; empty for none.
        caption: A text below the table; empty for none.
        is_compact: Whether it has no rule and no empty lines.
    """

    title: str
    columns: Sequence[TableColumn]
    items: Sequence[Sequence[str]] = ()
    items_head: str = ""
    styles: Sequence[str] = ()
    caption: str = ""
    is_compact: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Yield the lines for the terminal's width."""
        width = options.max_width
        if self.title:
            yield Text(self.title, style="bold")
        if not self.is_compact:
            yield Text("")
        if self._line_width() <= width:
            yield from self._in_one_line()
        else:
            yield from self._wrapped(width)
        if not self.is_compact:
            yield Text("")
        if self.caption:
            yield Text(self.caption, style="dim italic")

    def _line_width(self) -> int:
        longest = max((cell_len(", ".join(map(printable, items))) for items in self.items), default=0)
        beside = _width_of(self.columns, _GAPS[0])
        return beside + (_GAPS[0] + max(longest, cell_len(self.items_head)) if self.items else 0)

    def _in_one_line(self) -> Iterator[Text]:
        yield from self._head(self.columns, self.items_head if self.items else "", _GAPS[0], self._line_width())
        for row in range(self._n_rows):
            items = Text(", ".join(map(printable, self.items[row])) if self.items else "")
            yield self._row(self.columns, row, _GAPS[0], items)

    def _wrapped(self, width: int) -> Iterator[Text]:
        beside = list(self.columns)
        gap = next((gap for gap in _GAPS if _width_of(beside, gap) <= width), _GAPS[-1])
        while len(beside) > _N_KEPT and _width_of(beside, gap) > width:
            beside.pop()
        yield from self._head(beside, "", gap, min(_width_of(beside, gap), width))
        for row in range(self._n_rows):
            yield self._row(beside, row, gap)
            below = [f"{column.head} {column.cells[row].plain}" for column in self.columns[len(beside) :]]
            below += self.items[row] if self.items else []
            for line in in_lines(list(map(printable, below)), width - _INDENT):
                yield Text(" " * _INDENT + line, style="dim")

    @property
    def _n_rows(self) -> int:
        return len(self.columns[0].cells)

    def _head(self, columns: Sequence[TableColumn], last: str, gap: int, width: int) -> Iterator[Text]:
        heads = [column.aligned(Text(column.head)) for column in columns]
        yield _line([*heads, Text(last)], gap, style="dim" if self.is_compact else "bold")
        if not self.is_compact:
            yield Text(" " + "─" * (width - 1))

    def _row(self, columns: Sequence[TableColumn], row: int, gap: int, last: Text | None = None) -> Text:
        cells = [column.aligned(column.cells[row]) for column in columns]
        return _line([*cells, last or Text("")], gap, style=self.styles[row] if self.styles else "")


def _width_of(columns: Sequence[TableColumn], gap: int) -> int:
    return 1 + sum(column.width for column in columns) + gap * (len(columns) - 1)


def _line(cells: Sequence[Text], gap: int, style: str) -> Text:
    line = Text(" ", style=style, no_wrap=True, overflow="ellipsis")
    line.append_text(Text(" " * gap).join(cells))
    line.rstrip()
    return line
