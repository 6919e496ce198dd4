"""Search strategies played back over a recorded study, on a simulated clock."""

from search.replay.clock import PlayedTrial, Rule, play
from search.replay.replaying import asks_space, replay
from search.replay.results import Interval, Outcome, ReplayResults
from search.replay.strategies import (
    DEFAULT_PRUNERS,
    Pruner,
    Strategy,
    StrategyError,
    parse_pruner,
    parse_strategies,
)
from search.replay.table import RecordedTable, make_table

__all__ = [
    "DEFAULT_PRUNERS",
    "Interval",
    "Outcome",
    "PlayedTrial",
    "Pruner",
    "RecordedTable",
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
