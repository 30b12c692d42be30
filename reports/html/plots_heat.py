"""Plots of how response times were spread over time, and of throttles against the offered rate."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, Final

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.course.heat import LatencyHeat
from gatecrash.reports.html.layout import Figure, layout_of, log_axis
from gatecrash.reports.run.summary import SecondRow

_TICKS: Final = tuple(10**power for power in range(10))
_DOTS_MAXIMUM: Final = 2000
_VARIED: Final = 1.2
_DOT_MAXIMUM: Final = 30.0
_FEW: Final = 0.05


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
    """The share that was throttled against the rate that was offered, a dot for each second or some that are alike.

    None where nothing was throttled, or the rate was the same all along: then time tells more.
    """
    fired = [row for row in rows if row.planned and row.outcomes]
    rates = sorted(row.planned for row in fired)
    if not any(map(_throttled_share, fired)) or rates[-1 - len(rates) // 20] <= _VARIED * rates[len(rates) // 20]:
        return None
    step = 1 + len(fired) // _DOTS_MAXIMUM
    # Where there are many seconds the ones with the most throttles of each stretch are shown.
    shown = [max(fired[at : at + step], key=_throttled_share) for at in range(0, len(fired), step)]
    alike = Counter((row.planned, round(_throttled_share(row), 2)) for row in shown)
    trace = {
        "type": "scatter",
        "mode": "markers",
        "name": "seconds",
        "x": [rate for rate, _ in alike],
        "y": [share for _, share in alike],
        "customdata": list(alike.values()),
        "marker": {
            "color": "var(--throttled)",
            # The area of a dot is as its seconds.
            "size": [min(7 + 3 * math.sqrt(count), _DOT_MAXIMUM) for count in alike.values()],
            "opacity": 0.8,
            "line": {"color": "var(--ink)", "width": 1},
        },
        "hovertemplate": "%{y:.0%} throttled at %{x:,} arrivals/s, in %{customdata} s<extra></extra>",
        "cliponaxis": False,
    }
    layout = layout_of("offered rate, arrivals a second", "throttled, share of the second's exchanges")
    layout["hovermode"] = "closest"
    highest = max(share for _, share in alike)
    layout["xaxis"] |= {"range": [0, 1.08 * max(rate for rate, _ in alike)]}
    layout["yaxis"] |= {"range": [0, 1.12 * max(highest, 0.01)], "tickformat": ".0%" if highest > _FEW else ".1%"}
    return {"data": [trace], "layout": layout}


def _throttled_share(row: SecondRow) -> float:
    return row.outcomes.get(Outcome.THROTTLED, 0) / sum(row.outcomes.values())
