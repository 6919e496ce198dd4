"""The front as HTML, which a notebook shows below a cell."""

from __future__ import annotations

import html
from collections.abc import Iterable

from tunefront.reports.parameters import Parameters
from tunefront.reports.sentences.notes import describe_marks, notes
from tunefront.reports.sentences.summary import (
    describe_empty_front,
    describe_front,
    describe_progress,
    describe_shared,
)
from tunefront.reports.study_results import StudyResults
from tunefront.reports.tables.markdown import front_rows


def front_html(results: StudyResults) -> str:
    """Return the table of ``front.md`` with its heading and notes, as a part of a page; all names are escaped."""
    parameters = Parameters.of(results.front)
    heading = f"{results.study.name}: {describe_front(results)}"
    below = [describe_marks(results), describe_shared(parameters)] if results.front else [describe_empty_front(results)]
    return "".join(
        [
            f"<p><b>{html.escape(heading)}</b></p>",
            *_paragraphs([describe_progress(results), *notes(results)]),
            _table(*front_rows(results, parameters)) if results.front else "",
            *_paragraphs(below),
        ]
    )


def _table(titles: list[str], rows: list[list[str]]) -> str:
    return (
        f"<table><thead>{_row('th', titles)}</thead><tbody>{''.join(_row('td', row) for row in rows)}</tbody></table>"
    )


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _paragraphs(texts: Iterable[str]) -> list[str]:
    return [f"<p>{html.escape(text)}</p>" for text in texts if text]
