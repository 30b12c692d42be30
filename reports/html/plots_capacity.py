"""The plots of a capacity search, against the offered rate."""

from __future__ import annotations

from typing import Any, Final

from gatecrash.reports.capacity.answer import Capacity
from gatecrash.reports.capacity.judging import Probe
from gatecrash.reports.capacity.objectives import Objective
from gatecrash.reports.html.layout import Figure, layout_of, log_axis

_PERCENTILES: Final = (("p50", "solid", 1.5), ("p95", "dash", 2.0), ("p99", "dot", 1.5))
_APART: Final = 0.008
_SHARES: Final = (
    (Objective.THROTTLES, "throttled", "var(--throttled)", "square"),
    (Objective.ERRORS, "errors", "var(--handler-error)", "x"),
    (Objective.WRONG_DECISIONS, "wrong decisions", "var(--deny)", "diamond"),
)


def latency_figure(capacity: Capacity) -> Figure:
    """Response times at each rate, with the objective and the interval."""
    probes = capacity.curve()
    rates = [probe.rate for probe in probes]
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": rates,
            "y": [max(getattr(probe, name), 0.001) for probe in probes],
            "line": {"dash": dash, "width": width, "color": "var(--response-time)"},
            "marker": {"symbol": ["circle" if _held(probe) else "circle-open" for probe in probes], "size": 8},
            "hovertemplate": "%{y:.3~g} ms",
        }
        for name, dash, width in _PERCENTILES
    ]
    objective = capacity.objectives.latency * 1000
    layout = _rate_layout(capacity, "response time, ms")
    layout["yaxis"] |= log_axis([objective, *(value for trace in traces for value in trace["y"])])
    layout["shapes"].append(
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": objective,
            "y1": objective,
            "line": {"dash": "dot", "width": 1.5, "color": "var(--ink)"},
        }
    )
    return {"data": traces, "layout": layout}


def shares_figure(capacity: Capacity) -> Figure | None:
    """Shares of what went wrong at each rate, with their intervals, in per cent; None where nothing did."""
    probes = capacity.curve()
    traces: list[dict[str, Any]] = []
    # Intervals that begin at the same place would hide one another.
    apart = _APART * max((probe.rate for probe in probes), default=0.0)
    for objective, name, colour, symbol in _SHARES:
        seen = [next(one for one in probe.assessments if one.objective is objective) for probe in probes]
        if not any(one.share for one in seen):
            continue
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": [probe.rate + len(traces) * apart for probe in probes],
                "y": [100 * one.share for one in seen],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "thickness": 1,
                    "width": 3,
                    "array": [100 * (one.high - one.share) for one in seen],
                    "arrayminus": [100 * (one.share - one.low) for one in seen],
                },
                "line": {"color": colour},
                "marker": {"symbol": symbol, "size": 8},
                "hovertemplate": "%{y:.3~g} %",
            }
        )
    if not traces:
        return None
    layout = _rate_layout(capacity, "share of arrivals, %")
    layout["yaxis"] |= {"rangemode": "tozero"}
    return {"data": traces, "layout": layout}


def _held(probe: Probe) -> bool:
    return not (probe.leans_to_broken or probe.limited)


def _rate_layout(capacity: Capacity, y_title: str) -> dict[str, Any]:
    layout = layout_of("offered rate, arrivals a second", y_title)
    layout["shapes"] = []
    if capacity.low is not None and capacity.high is not None:
        layout["shapes"].append(
            {
                "type": "rect",
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "layer": "below",
                "line": {"width": 0},
                "x0": capacity.low,
                "x1": capacity.high,
                "fillcolor": "var(--shade)",
            }
        )
    return layout
