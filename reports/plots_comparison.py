"""Plots of a comparison: the percentile curves of two runs, one over the other."""

from __future__ import annotations

import math
from typing import Any, Final

from reports.comparison import Comparison
from reports.plots import Figure, layout_of, log_axis, nines_axis

# Told apart without colour too: the earlier run is dashed with open diamonds, the later one solid with dots.
_STYLES: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    (
        "earlier run",
        {
            "line": {"color": "var(--response-time)", "width": 2.5, "dash": "dash"},
            "marker": {"color": "var(--response-time)", "symbol": "diamond-open", "size": 8},
        },
    ),
    (
        "later run",
        {
            "line": {"color": "var(--service-time)", "width": 2.0, "dash": "solid"},
            "marker": {"color": "var(--service-time)", "symbol": "circle", "size": 5},
        },
    ),
)


def figures(comparison: Comparison | None) -> dict[str, Figure]:
    """Return the plots of a comparison by their places in the page; none where no latencies were compared."""
    if comparison is None:
        return {}
    judged = next((table for table in comparison.latencies if table.judged and all(table.counts)), None)
    return {} if judged is None else {"comparison-plot": curves_figure(comparison, judged.kind, judged.counts)}


def curves_figure(comparison: Comparison, kind: str, counts: tuple[int, int]) -> Figure:
    """Latency by percentile of both runs, each further nine as wide as the one before."""
    traces, highest, pair = [], 2.0, comparison.curves[kind]
    for (name, style), curve, count in zip(_STYLES, pair, counts, strict=True):
        # The maximum stands where one of all exchanges is beyond.
        places = [min(100.0 / (100.0 - percent) if percent < 100 else math.inf, count) for percent, _ in curve]
        highest = max([highest, *places])
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": places,
                "y": [value for _, value in curve],
                "customdata": [percentile for percentile, _ in curve],
                **style,
                "hovertemplate": "%{customdata:.6~g} %: %{y:.3~g} ms",
            }
        )
    layout = layout_of("percentile of exchanges", "latency, ms")
    layout["hovermode"] = "closest"
    layout["xaxis"] |= nines_axis(highest)
    layout["yaxis"] |= log_axis([value for curve in pair for _, value in curve if value])
    return {"data": traces, "layout": layout}
