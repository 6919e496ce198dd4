"""The figures of a replay: what stopping early saves and loses, and how soon the front is found."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any

import plotly.graph_objects as go

from tunefront.reports.figures.colours import BROKEN_COLOUR, COMPLETE_COLOUR, FRONT_COLOUR
from tunefront.reports.figures.labels import label_points
from tunefront.reports.figures.style import new_figure, shortened
from tunefront.reports.replay.tables import Replay, strategy_title

_COLOURS = ("#e08a1e", "#2a9d6f", "#8b5fbf", "#c2577a", "#7a8b2a", "#2f9fb5", "#a0653a")
_LONGEST_LABEL, _LONGEST_NAME = 16, 40
_PARETO_BLUES = ("#9dbdf7", "#7ba6f4", "#5a8ff0", "#2f6fed", "#1f55c4", "#173f94", "#0f2b66")


def replay_figures(replay: Replay) -> dict[str, go.Figure]:
    """Return all figures of a replay: name -> figure."""
    return {
        "hypervolume": trade_off_figure(replay, "hypervolume_share", "Hypervolume kept"),
        "front": trade_off_figure(replay, "front_lost_share", "Front members lost"),
        "time": over_time_figure(replay),
    }


def trade_off_figure(replay: Replay, name: str, title: str) -> go.Figure:
    """Return a figure of one measured share over the share of epochs used, with intervals.

    A line joins the settings of one pruner, such as ``pareto:0.05`` and ``pareto:0.1``.
    """
    figure = new_figure(
        f"{title} by epochs used",
        xaxis={**_share_axis(replay, "epochs_share"), "title": {"text": "share of all epochs"}},
        yaxis={**_share_axis(replay, name), "title": {"text": title.lower()}},
        showlegend=False,
    )
    labels: dict[str, str] = {}
    for family, strategies in _families(replay):
        titles = [strategy_title(strategy, replay) for strategy in strategies]
        labels |= dict(zip(map(html.escape, titles), _labels(titles, strategies), strict=True))
        figure.add_scatter(
            name=html.escape(family),
            x=[strategy["epochs_share"]["mean"] for strategy in strategies],
            y=[strategy[name]["mean"] for strategy in strategies],
            error_x=_error_bars(strategies, "epochs_share"),
            error_y=_error_bars(strategies, name),
            mode="lines+markers" if len(strategies) > 1 else "markers",
            line={"width": 1.5, "dash": "dot"},
            marker=_marker(family),
            customdata=[html.escape(each) for each in titles],
            hovertemplate=(
                f"<b>%{{customdata}}</b><br>%{{x:.2%}} of the epochs<br>{title.lower()}: %{{y:.3%}}<extra></extra>"
            ),
        )
    label_points(figure, figure.data, labels)
    return figure


def _share_axis(replay: Replay, name: str) -> dict[str, Any]:
    """Return an axis of shares that holds every mean with its interval."""
    intervals = [strategy[name] for strategy in replay["strategies"]]
    low, high = min(each["low"] for each in intervals), max(each["high"] for each in intervals)
    margin = 0.1 * max(high - low, 0.01)
    return {"tickformat": "~%", "nticks": 6, "range": [low - margin, high + margin]}


def _families(replay: Replay) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Yield groups of strategies that differ only in their pruner's first setting, ordered by epochs used."""
    families: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for strategy in replay["strategies"]:
        family, *settings = str(strategy["pruner"]).split(":")
        families.setdefault((family, *settings[1:], strategy["sampler"], strategy["workers"]), []).append(strategy)
    for (family, *_), strategies in families.items():
        yield family, sorted(strategies, key=lambda strategy: float(strategy["epochs_share"]["mean"]))


def _labels(titles: list[str], strategies: list[Mapping[str, Any]]) -> list[str]:
    """Return the first strategy's title and the others' settings, because whole titles would cover each other."""
    settings = [str(strategy["pruner"]).partition(":")[2] for strategy in strategies[1:]]
    return [shortened(label, _LONGEST_LABEL) for label in (titles[0], *settings)]


def _marker(family: str) -> dict[str, Any]:
    if family in ("oracle", "foresight"):
        symbol = "star" if family == "oracle" else "star-open"
        return {"symbol": symbol, "size": 14, "color": BROKEN_COLOUR}
    return {"size": 9, "color": FRONT_COLOUR if family == "pareto" else COMPLETE_COLOUR}


def _error_bars(strategies: list[Mapping[str, Any]], name: str) -> dict[str, Any]:
    intervals = [strategy[name] for strategy in strategies]
    return {
        "array": [interval["high"] - interval["mean"] for interval in intervals],
        "arrayminus": [interval["mean"] - interval["low"] for interval in intervals],
        "thickness": 1,
        "width": 3,
    }


def over_time_figure(replay: Replay) -> go.Figure:
    """Return a figure of each strategy's mean hypervolume over simulated time, with the interval of the mean."""
    unit, per_hour = _time_unit(replay)
    figure = new_figure(
        "Hypervolume over simulated time",
        xaxis={"title": {"text": f"simulated time ({unit})"}, "rangemode": "tozero", "nticks": 6},
        yaxis={"title": {"text": "hypervolume"}, "tickformat": "~%", "nticks": 6},
    )
    for strategy, colour in zip(replay["strategies"], _colours(replay), strict=True):
        curve = strategy["hypervolume_over_time"]
        times = [hour * per_hour for hour in curve["hours"]]
        name = shortened(strategy_title(strategy, replay), _LONGEST_NAME)
        figure.add_scatter(
            x=[*times, *reversed(times)],
            y=[*curve["high"], *reversed(curve["low"])],
            fill="toself",
            fillcolor=colour,
            line={"width": 0},
            mode="lines",
            opacity=0.2,
            legendgroup=name,
            showlegend=False,
            hoverinfo="skip",
        )
        figure.add_scatter(
            name=name,
            x=times,
            y=curve["mean"],
            mode="lines",
            line={"color": colour, "width": 1.8, "dash": "dash" if strategy["pruner"] == "oracle" else "solid"},
            legendgroup=name,
            hovertemplate=f"<b>{name}</b><br>%{{x:.3g}} {unit}: %{{y:.2%}}<extra></extra>",
        )
    return figure


def _time_unit(replay: Replay) -> tuple[str, float]:
    """Return a unit of time of which the longest replay has more than two, and how many of it make an hour."""
    longest = max(strategy["hypervolume_over_time"]["hours"][-1] for strategy in replay["strategies"])
    if longest >= 2:
        return "hours", 1.0
    return ("minutes", 60.0) if longest * 60 >= 2 else ("seconds", 3600.0)


def _colours(replay: Replay) -> list[str]:
    """Return the strategies' colours: blues for `pareto`, the lightest first, red for the oracle, others in order."""
    colours, n_pareto, n_other = [], 0, 0
    for strategy in replay["strategies"]:
        if strategy["pruner"] == "oracle":
            colours.append(BROKEN_COLOUR)
        elif str(strategy["pruner"]).startswith("pareto"):
            colours.append(_PARETO_BLUES[n_pareto % len(_PARETO_BLUES)])
            n_pareto += 1
        else:
            colours.append(_COLOURS[n_other % len(_COLOURS)])
            n_other += 1
    return colours
