"""Plots of a comparison: two runs, one over the other, by percentile and over time, for both latencies.

The earlier run is grey, dashed, with open diamonds, the later one coloured, solid, with dots, and each line bears its
name at its end: they are told apart without colour and without the legend.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from gatecrash.reports.comparison.comparison import Comparison, LatencyTable, Moment
from gatecrash.reports.html.layout import Figure, Point, layout_of, log_axis, percentile_layout, percentile_places

BY_PERCENTILE: Final = "by percentile"
OVER_TIME: Final = "over time"
_NAMES: Final = ("earlier", "later")
_STYLES: Final[tuple[dict[str, Any], ...]] = (
    {
        "line": {"color": "var(--earlier)", "width": 2.0, "dash": "dash"},
        "marker": {"color": "var(--earlier)", "symbol": "diamond-open", "size": 7},
    },
    {
        "line": {"color": "var(--later)", "width": 2.0, "dash": "solid"},
        "marker": {"color": "var(--later)", "symbol": "circle", "size": 4},
    },
)
# Marks on more points than this would hide their line.
_MARKED_MAXIMUM: Final = 60
# The panels of a plot over time, from above: the axis, where it lies, the place in a moment, and what it is.
_PANELS: Final = (("y2", (0.55, 1.0), 2, "95th percentile"), ("y", (0.0, 0.45), 1, "median"))


def places(comparison: Comparison | None) -> list[tuple[str, str, LatencyTable]]:
    """Return where the plots stand: the element's id, ``by percentile`` or ``over time``, and what is drawn.

    That is all answered exchanges of each latency, the one that decides first; nothing where none were compared.
    """
    if comparison is None:
        return []
    tables = [table for table in comparison.latencies if table.outcome is None and all(table.counts)]
    found = []
    for table in sorted(tables, key=lambda table: not table.judged):
        kind = table.kind.replace("_", "-")
        found.append((f"comparison-curves-{kind}-plot", BY_PERCENTILE, table))
        if all(comparison.over_time.get(table.kind, ((), ()))):
            found.append((f"comparison-time-{kind}-plot", OVER_TIME, table))
    return found


def figures(comparison: Comparison | None) -> dict[str, Figure]:
    """Return the plots of a comparison by their places in the page."""
    return {
        name: curves_figure(comparison.curves[table.kind], table.counts)
        if what == BY_PERCENTILE
        else time_figure(comparison.over_time[table.kind])
        for name, what, table in places(comparison)
        if comparison is not None
    }


def curves_figure(pair: tuple[list[Point], list[Point]], counts: tuple[int, int]) -> Figure:
    """Latency by percentile of both runs, each further nine as wide as the one before."""
    traces, highest = [], 2.0
    for name, style, curve, count in zip(_NAMES, _STYLES, pair, counts, strict=True):
        places = percentile_places(curve, count)
        highest = max([highest, *places])
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": f"{name} run",
                "x": places,
                "y": [value for _, value in curve],
                "customdata": [percentile for percentile, _ in curve],
                **style,
                "hovertemplate": "%{customdata:.6~g} %: %{y:.3~g} ms",
            }
        )
    layout = percentile_layout(highest, pair)
    layout["annotations"] = list(_names_at_the_end(traces, logarithmic_x=True))
    return {"data": traces, "layout": layout}


def time_figure(pair: tuple[list[Moment], list[Moment]]) -> Figure:
    """Median and 95th percentile of both runs second by second, a panel each; each run from its first second on."""
    layout = layout_of("seconds since the warm-up", "ms")
    titles = layout["yaxis"]
    traces: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for axis, domain, place, label in _PANELS:
        lines = [
            {
                "type": "scatter",
                "mode": "lines+markers" if len(moments) <= _MARKED_MAXIMUM else "lines",
                "name": f"{name} run",
                "legendgroup": name,
                "showlegend": axis == "y",
                "x": [moment[0] - moments[0][0] for moment in moments],
                "y": [moment[place] for moment in moments],
                "yaxis": axis,
                **style,
                "hovertemplate": f"{label}: %{{y:.3~g}} ms",
            }
            for name, style, moments in zip(_NAMES, _STYLES, pair, strict=True)
        ]
        traces += lines
        values = [value for line in lines for value in line["y"] if value]
        layout[axis.replace("y", "yaxis")] = {**titles, "domain": list(domain), "anchor": "x", **log_axis(values)}
        annotations.append(
            {
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": domain[1],
                "xanchor": "left",
                "yanchor": "bottom",
                "text": label,
                "showarrow": False,
                "font": {"color": "var(--ink)"},
            }
        )
        annotations += _names_at_the_end(lines, logarithmic_x=False)
    layout["annotations"] = annotations
    layout["legend"] |= {"y": 1.12}
    layout["xaxis"] |= {"anchor": "y", "rangemode": "tozero"}
    return {"data": traces, "layout": layout}


def _names_at_the_end(lines: list[dict[str, Any]], *, logarithmic_x: bool) -> Iterator[dict[str, Any]]:
    """Yield the names of two lines at their last points, the upper one above its line, the lower one below."""
    last = [line["y"][-1] for line in lines]
    for place, line in enumerate(lines):
        is_upper = last[place] > last[1 - place] or (last[0] == last[1] and place == 0)
        end = line["x"][-1]
        yield {
            "x": math.log10(max(end, 1e-9)) if logarithmic_x else end,
            # Annotations on a logarithmic axis are placed by the logarithm.
            "y": math.log10(last[place]) if last[place] > 0 else 0,
            "yref": line.get("yaxis", "y"),
            "xanchor": "right",
            "yanchor": "bottom" if is_upper else "top",
            "yshift": 4 if is_upper else -12 if logarithmic_x else -4,
            "text": _NAMES[place],
            "showarrow": False,
            "font": {"color": line["line"]["color"]},
        }
