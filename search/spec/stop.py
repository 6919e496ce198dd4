"""The [stop] of a spec, which ends a search before it has all its trials."""

from __future__ import annotations

from pydantic import Field

from tunefront.search.spec.table import MOST_COUNTED, Seconds, Table


class StopTable(Table):
    """The conditions under which a search ends by itself. It is then done, and goes on only with a raised setting.

    Attributes:
        time_limit: The limit for the whole search, counting all time in which some supervisor worked on it.
        patience: The number of trials in a row that finished without coming on the front.
    """

    time_limit: Seconds | None = None
    patience: int | None = Field(default=None, ge=1, le=MOST_COUNTED)
