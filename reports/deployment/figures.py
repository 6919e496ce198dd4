"""Figures of the variants of a study's models: accuracy over memory, and over latency."""

from __future__ import annotations

import html
import math
from collections.abc import Callable

import plotly.graph_objects as go

from tunefront.objectives.measures import MEASURES, Measure
from tunefront.objectives.quantities import Unit, format_quantity
from tunefront.reports.deployment.deployed_front import DeployedFront
from tunefront.reports.figures.axes import measure_axis
from tunefront.reports.figures.colours import COMPLETE_COLOUR, FRONT_COLOUR
from tunefront.reports.figures.style import new_figure
from tunefront.reports.figures.trial_points import rounded
from tunefront.storage.deployment.deployed import DeployedVariant

_SYMBOLS = {"float32": "circle", "float16": "square", "dynamic": "diamond", "int8": "triangle-up", "onnx": "cross"}


def deployed_figures(front: DeployedFront | None) -> dict[str, go.Figure]:
    """Return ``deployed-memory`` and ``deployed-latency``; nothing without variants."""
    if front is None:
        return {}
    latency = "latency measured on the device" if front.is_measured else "latency of one image, in its runtime"
    memory = "arena" if front.memory == "arena_bytes" else "file"
    return {
        "deployed-memory": _figure(
            front, memory, "bytes", lambda variant: variant.measures.get(front.memory, math.nan)
        ),
        "deployed-latency": _figure(front, latency, "seconds", front.latency),
    }


def _figure(front: DeployedFront, title: str, unit: Unit, value: Callable[[DeployedVariant], float]) -> go.Figure:
    shown = [v for v in front.variants if v.accuracy is not None and not front.why_not(v) and not math.isnan(value(v))]
    cost = Measure(title, "memory" if unit == "bytes" else "time", unit, "minimize", False, "")
    figure = new_figure(
        f"What ships: accuracy against {title.split(maxsplit=1)[0]}",
        xaxis=measure_axis(cost, title, [value(v) for v in shown]),
        yaxis=measure_axis(MEASURES["accuracy"], "accuracy", [v.accuracy for v in shown if v.accuracy is not None]),
    )
    for name, symbol in _SYMBOLS.items():
        group = [variant for variant in shown if variant.variant == name]
        if not group:
            continue
        figure.add_scatter(
            name=name,
            x=[rounded(value(variant)) for variant in group],
            y=[rounded(variant.accuracy or 0.0) for variant in group],
            mode="markers",
            marker={
                "symbol": symbol,
                "size": [12 if front.is_member(variant) else 7 for variant in group],
                "color": [FRONT_COLOUR if front.is_member(variant) else COMPLETE_COLOUR for variant in group],
            },
            customdata=[variant.trial for variant in group],
            hovertext=[_hover(front, variant, unit, value(variant)) for variant in group],
            hoverinfo="text",
        )
    return figure


def _hover(front: DeployedFront, variant: DeployedVariant, unit: Unit, value: float) -> str:
    where = ", on the front" if front.is_member(variant) else ""
    text = f"{format_quantity(variant.accuracy or 0.0, 'fraction')}, {format_quantity(value, unit)}"
    return f"<b>trial {variant.trial}</b>, {html.escape(variant.variant)}{where}<br>{text}"
