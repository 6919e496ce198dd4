"""The tables of a replay: for a terminal, in Markdown, and as data frames.

A replay is the plain data of its results: ``facts``, and ``strategies`` with intervals over the repeats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from tunefront.reports.tables.markdown import escape

Replay = Mapping[str, Any]

MEASURED = ("epochs_share", "simulated_hours", "hypervolume_share", "front_lost_share", "front_missed_share")
TITLES = ("epochs used", "times the oracle's", "time", "hypervolume kept", "front lost", "front missed")


@dataclass(frozen=True)
class ReplayRow:
    """A strategy's row of text: its name, and a cell for each of :data:`TITLES`."""

    name: str
    cells: tuple[str, ...]


def replay_rows(replay: Replay) -> list[ReplayRow]:
    """Return a row for each strategy, in the order played: means, and 95 % intervals in brackets unless they are 0."""
    return [
        ReplayRow(
            strategy_title(strategy, replay),
            (
                _fraction(strategy["epochs_share"]),
                _ratio(strategy, replay),
                _duration(strategy["simulated_hours"]),
                _percent(strategy["hypervolume_share"]),
                _percent(strategy["front_lost_share"]),
                _percent(strategy["front_missed_share"]),
            ),
        )
        for strategy in replay["strategies"]
    ]


def strategy_title(strategy: Mapping[str, Any], replay: Replay) -> str:
    """Return the strategy's pruner, with sampler and workers where these differ between strategies."""
    parts = [str(strategy["pruner"])]
    if len({other["sampler"] for other in replay["strategies"]}) > 1:
        parts.append(str(strategy["sampler"]))
    if len({other["workers"] for other in replay["strategies"]}) > 1:
        parts.append("1 worker" if strategy["workers"] == 1 else f"{strategy['workers']} workers")
    return ", ".join(parts)


def times_oracle(strategy: Mapping[str, Any], replay: Replay) -> float | None:
    """Return the mean epochs as a multiple of the oracle's with the same sampler and workers; None without one."""
    for other in replay["strategies"]:
        is_alike = (other["sampler"], other["workers"]) == (strategy["sampler"], strategy["workers"])
        if other["pruner"] == "oracle" and is_alike:
            return float(strategy["epochs_share"]["mean"] / other["epochs_share"]["mean"])
    return None


def replay_table(replay: Replay) -> Table:
    """Return the strategies as a table for a terminal."""
    title = Text(" ".join(describe_replay(replay)[:1]))
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("strategy")
    for name in TITLES:
        table.add_column(name, justify="right")
    for row in replay_rows(replay):
        table.add_row(Text(row.name), *map(Text, row.cells))
    return table


def replay_markdown(replay: Replay) -> str:
    """Return the strategies as a Markdown table, with notes below it."""
    rule = "|".join(["---", *["---:"] * len(TITLES)])
    lines = [f"| {' | '.join(['strategy', *TITLES])} |", f"|{rule}|"]
    lines += [f"| {' | '.join(map(escape, (row.name, *row.cells)))} |" for row in replay_rows(replay)]
    first, *others = describe_replay(replay)
    return "\n\n".join([escape(first), "\n".join(lines), *map(escape, others)]) + "\n"


def replay_frame(replay: Replay) -> pd.DataFrame:
    """Return a row for each strategy: sampler, pruner, workers; mean, low and high of each of :data:`MEASURED`."""
    return pd.DataFrame([dict(_flat(strategy, replay)) for strategy in replay["strategies"]])


def _flat(strategy: Mapping[str, Any], replay: Replay) -> Iterator[tuple[str, Any]]:
    for name in ("sampler", "pruner", "workers"):
        yield name, strategy[name]
    for name in MEASURED:
        yield name, strategy[name]["mean"]
        yield f"{name}_low", strategy[name]["low"]
        yield f"{name}_high", strategy[name]["high"]
    yield "epochs_times_oracle", times_oracle(strategy, replay)


def repeats_frame(replay: Replay) -> pd.DataFrame:
    """Return a data frame with a row for each repeat of each strategy."""
    frames = [
        pd.DataFrame({name: strategy[name] for name in ("sampler", "pruner", "workers")} | strategy["repeats"])
        .rename_axis("repeat")
        .reset_index()
        for strategy in replay["strategies"]
    ]
    return pd.concat(frames, ignore_index=True)


def describe_replay(replay: Replay) -> list[str]:
    """Return notes on what was replayed and how to read its numbers, each of a sentence or two."""
    facts = replay["facts"]
    front = facts["n_front"]
    n_front = f"{front[0]}" if len(set(front)) == 1 else f"{min(front)} to {max(front)}"
    seeds = f", with {facts['n_seeds']} seeds in turn" if facts["n_seeds"] > 1 else ""
    sentences = [
        f"{facts['study']}: {facts['n_trials']} of {facts['n_candidates']} recorded candidates of {facts['epochs']} "
        f"epochs, {n_front} on the front, {facts['n_repeats']} orders{seeds}.",
        f"Objectives: {', '.join(facts['objectives'])}. Hypervolume is a share of the whole table's, with costs as "
        "logarithms, up to the worst value recorded on each objective; only complete trials count. Front lost is the "
        "share of the table's front that was stopped, and front missed that for which no complete trial stands within "
        f"a tolerance of {_join(facts['tolerances'])}. Time is simulated, from start to end: training, validation "
        "and compiling as recorded, and nothing else. In brackets: 95 % bootstrap intervals of the mean over the "
        "orders. They say nothing of other tables.",
    ]
    if facts["n_failed"]:
        sentences.append(f"{facts['n_failed']} trainings failed when the table was recorded: they are not in it.")
    asked = [name for name in dict.fromkeys(each["sampler"] for each in replay["strategies"]) if name != "random"]
    if asked:
        sentences.append(
            f"Random orders are exact. {_join(asked)} asked for points that were not recorded, and got the nearest "
            "recorded candidate that was not tried yet (mean difference of parameters, one where only one side has "
            "it): differences between samplers come out smaller than they are."
        )
    return sentences


def _join(names: Sequence[str]) -> str:
    return " and ".join(names)


def _fraction(interval: Mapping[str, float]) -> str:
    return _with_bounds(interval, 1.0, ".3f", "")


def _percent(interval: Mapping[str, float]) -> str:
    return _with_bounds(interval, 100.0, ".2f", " %")


def _duration(interval: Mapping[str, float]) -> str:
    """Return mean and bounds as text, all in the unit of the mean."""
    hours = interval["mean"]
    if hours >= 2:
        return _with_bounds(interval, 1.0, ".3g", " h")
    return _with_bounds(interval, 60.0, ".3g", " min") if 60 * hours >= 2 else _with_bounds(interval, 3600, ".3g", " s")


def _ratio(strategy: Mapping[str, Any], replay: Replay) -> str:
    ratio = times_oracle(strategy, replay)
    return "" if ratio is None else f"{ratio:.2f}"


def _with_bounds(interval: Mapping[str, float], scale: float, digits: str, unit: str) -> str:
    mean, low, high = (f"{scale * interval[name]:{digits}}" for name in ("mean", "low", "high"))
    return f"{mean}{unit}" if low == high else f"{mean}{unit} ({low} to {high})"
