"""The replay of search strategies over a recorded study, on a simulated clock."""

from tunefront.search.replay.clock import PlayedTrial, Rule, play
from tunefront.search.replay.recorded_table import RecordedTable, make_table
from tunefront.search.replay.replay import asks_space, replay
from tunefront.search.replay.results import Interval, RepeatResult, ReplayResults
from tunefront.search.replay.strategies import (
    DEFAULT_PRUNERS,
    Pruner,
    Strategy,
    StrategyError,
    parse_pruner,
    parse_strategies,
)

__all__ = [
    "DEFAULT_PRUNERS",
    "Interval",
    "PlayedTrial",
    "Pruner",
    "RecordedTable",
    "RepeatResult",
    "ReplayResults",
    "Rule",
    "Strategy",
    "StrategyError",
    "asks_space",
    "make_table",
    "parse_pruner",
    "parse_strategies",
    "play",
    "replay",
]
