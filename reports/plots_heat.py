"""Plots of how response times were spread over time, and of throttles against the offered rate."""

from __future__ import annotations

import math
from typing import Any, Final

from authorizers.contract import Outcome
from reports.heat import LatencyHeat
from reports.plots import Figure, layout_of, log_axis
from reports.summary import SecondRow

_TICKS: Final = tuple(10**power for power in range(10))
_DOTS_MAXIMUM: Final = 2000
_VARIED: Final = 1.2


def heat_figure(heat: LatencyHeat) -> Figure:
    """Response times by second: the more exchanges a cell holds, the stronger it is, on a logarithmic scale."""
    most = max(max(row) for row in heat.counts)
    ends = [heat.start + column * heat.width for column in range(len(heat.counts[0]) + 1)]
    trace: dict[str, Any] = {
        "type": "heatmap",
        "x": ends,
        "y": list(heat.edges),
        "z": [[round(math.log10(count), 3) if count else None for count in row] for row in heat.counts],
        "customdata": [list(row) for row in heat.counts],
        "zmin": 0,
        "zmax": max(1.0, math.log10(most)),
        "colorscale": [[0, "var(--heat-low)"], [1, "var(--heat-high)"]],
        "hoverongaps": False,
        "hovertemplate": "second %{x:.0f}, %{y:.3~g} ms: %{customdata:,} exchanges<extra></extra>",
        "colorbar": {
            "title": {"text": "exchanges", "side": "right", "font": {"size": 12}},
            "thickness": 12,
            "outlinewidth": 0,
            "tickvals": [math.log10(tick) for tick in _TICKS],
            "ticktext": [f"{tick:,}" for tick in _TICKS],
        },
    }
    layout = layout_of("intended start, seconds of the run", "response time, ms")
    layout["hovermode"] = "closest"
    layout["xaxis"] |= {"range": [ends[0], ends[-1]], "showgrid": False}
    axis = log_axis([heat.edges[0], heat.edges[-1]])
    layout["yaxis"] |= axis | {"range": [math.log10(heat.edges[0]), math.log10(heat.edges[-1])], "showgrid": False}
    return {"data": [trace], "layout": layout}


def throttles_figure(rows: list[SecondRow]) -> Figure | None:
    """The share that was throttled against the rate that was offered, a dot for each second.

    None where nothing was throttled, or the rate was the same all along: then time tells more.
    """
    fired = [row for row in rows if row.planned and row.outcomes]
    rates = sorted(row.planned for row in fired)
    if not any(map(_throttled_share, fired)) or rates[-1 - len(rates) // 20] <= _VARIED * rates[len(rates) // 20]:
        return None
    step = 1 + len(fired) // _DOTS_MAXIMUM
    # Where there are many seconds the ones with the most throttles of each stretch are shown.
    shown = [max(fired[at : at + step], key=_throttled_share) for at in range(0, len(fired), step)]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "name": "a second",
        "x": [row.planned for row in shown],
        "y": [_throttled_share(row) for row in shown],
        "customdata": [row.second for row in shown],
        "marker": {
            "color": "var(--throttled)",
            "size": 8,
            "opacity": 0.7,
            "line": {"color": "var(--ink)", "width": 0.5},
        },
        "hovertemplate": "second %{customdata}: %{y:.1%} of %{x:,} arrivals<extra></extra>",
    }
    layout = layout_of("offered rate, arrivals a second", "throttled")
    layout["hovermode"] = "closest"
    layout["xaxis"] |= {"rangemode": "tozero"}
    layout["yaxis"] |= {"rangemode": "tozero", "tickformat": ".0%"}
    return {"data": [trace], "layout": layout}


def _throttled_share(row: SecondRow) -> float:
    return row.outcomes.get(Outcome.THROTTLED, 0) / sum(row.outcomes.values())
