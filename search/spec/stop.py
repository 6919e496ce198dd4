"""The [stop] of a spec: when a search ends by itself, before it has all its trials."""

from __future__ import annotations

from pydantic import Field

from tunefront.search.spec.table import Seconds, Table


class StopTable(Table):
    """When a search ends by itself. It then is done, and goes on only with a raised setting.

    Attributes:
        time_limit: Of the whole search: all time during which some supervisor worked on it.
        patience: So many trials finished in a row without one that came on the front.
    """

    time_limit: Seconds | None = None
    patience: int | None = Field(default=None, ge=1)
