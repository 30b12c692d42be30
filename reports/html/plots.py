"""The report's plots, as plain Plotly figures (JSON values).

Colours are names of the page's own properties, such as ``var(--allow)``, which its script looks up: one palette,
in the page's style sheet, serves light, dark and print. No line or bar is told from another by colour alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.html.layout import Figure, layout_of, log_axis, percentile_layout, percentile_places
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.run.summary import SecondRow, Summary
from gatecrash.reports.words.spelling import outcome_label

# More than this can't be told apart on a screen, and makes the page slow.
_BINS_MAXIMUM: Final = 600
_PATTERNS: Final = {
    Outcome.ALLOW: "",
    Outcome.DENY: "/",
    Outcome.REFUSED_BY_POLICY: "\\",
    Outcome.THROTTLED: ".",
    Outcome.TIMED_OUT: "-",
    Outcome.HANDLER_ERROR: "x",
    Outcome.INVALID_RESPONSE: "+",
    Outcome.REJECTED: "|",
    Outcome.UNAVAILABLE: "|",
    Outcome.TRANSPORT_ERROR: "-",
}
# Plotly has eight patterns: those that are used twice are twice as wide the second time.
_WIDE: Final = frozenset({Outcome.UNAVAILABLE, Outcome.TRANSPORT_ERROR, "dropped"})
# The text beside the plots says from when the response time runs.
_SHORT: Final = {LatencyKind.SERVICE_TIME: "service time", LatencyKind.RESPONSE_TIME: "response time"}
_PERCENTILES: Final = {"p50": "median", "p95": "95th percentile"}
_SYMBOLS: Final = {LatencyKind.SERVICE_TIME: "circle", LatencyKind.RESPONSE_TIME: "diamond-open"}
# The service time is drawn last and thinner: where both are equal, both can be seen.
_WIDTHS: Final = {LatencyKind.SERVICE_TIME: 1.5, LatencyKind.RESPONSE_TIME: 3.0}


@dataclass(frozen=True, slots=True)
class PlotBin:
    """Some consecutive seconds as one. Counts are per second (mean), latencies the highest of the seconds, in ms."""

    start: int
    warm_up: bool
    planned: float
    dropped: float
    outcomes: dict[str, float]
    service_p50: float | None
    service_p95: float | None
    response_p50: float | None
    response_p95: float | None


def bin_width(rows: list[SecondRow]) -> int:
    """Return how many seconds one bar or point stands for."""
    return 1 + (rows[-1].second - rows[0].second) // _BINS_MAXIMUM if rows else 1


def binned(rows: list[SecondRow]) -> list[PlotBin]:
    """Return the seconds of a run, several put together when the run is long."""
    width = bin_width(rows)
    groups: dict[int, list[SecondRow]] = {}
    for row in rows:
        groups.setdefault(row.second // width * width, []).append(row)
    return [_bin(start, group, width) for start, group in sorted(groups.items())]


def _bin(start: int, rows: list[SecondRow], width: int) -> PlotBin:
    outcomes: Counter[str] = Counter()
    for row in rows:
        outcomes.update(row.outcomes)
    return PlotBin(
        start,
        any(row.warm_up for row in rows),
        sum(row.planned for row in rows) / width,
        sum(row.dropped for row in rows) / width,
        {outcome: count / width for outcome, count in outcomes.items()},
        _highest(row.service_p50 for row in rows),
        _highest(row.service_p95 for row in rows),
        _highest(row.response_p50 for row in rows),
        _highest(row.response_p95 for row in rows),
    )


def _highest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def outcomes_figure(rows: list[SecondRow]) -> Figure:
    """Exchanges per second by outcome, stacked; dropped arrivals on top; the planned arrivals, if any, as a line."""
    bins, width = binned(rows), bin_width(rows)
    starts = [one.start for one in bins]
    traces = [
        _bars(outcome_label(outcome), outcome, starts, [one.outcomes.get(outcome, 0) for one in bins], width, pattern)
        for outcome, pattern in _PATTERNS.items()
        if any(one.outcomes.get(outcome) for one in bins)
    ]
    if any(one.dropped for one in bins):
        traces.append(_bars("dropped arrivals", "dropped", starts, [one.dropped for one in bins], width, "x"))
    planned = [one.planned for one in bins]
    if any(planned):
        traces.append(_planned_line(starts, planned, width))
    layout = _time_layout(bins, width, "per second")
    highest = max((max(one.planned, one.dropped + sum(one.outcomes.values())) for one in bins), default=1.0)
    layout["yaxis"]["range"] = [0, 1.15 * highest]
    layout["barmode"] = "stack"
    layout["bargap"] = 0
    return {"data": traces, "layout": layout}


def _planned_line(starts: list[int], planned: list[float], width: int) -> dict[str, Any]:
    # The line gets the end of the last bar too, or its last step would have no length.
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "planned arrivals",
        "x": [*starts, starts[-1] + width],
        "y": [*planned, planned[-1]],
        "line": {"color": "var(--ink)", "width": 1.5, "dash": "dot", "shape": "hv"},
        "hovertemplate": "%{y:.4~g}/s",
    }


def _bars(name: str, token: str, starts: list[int], counts: list[float], width: int, pattern: str) -> dict[str, Any]:
    colour = f"var(--{token.replace('_', '-')})"
    return {
        "type": "bar",
        "name": name,
        "x": starts,
        "y": counts,
        "width": width,
        "offset": 0,
        "marker": {
            "color": colour,
            "line": {"width": 0},
            "pattern": {
                "shape": pattern,
                "fillmode": "overlay",
                "fgcolor": "var(--card)",
                "fgopacity": 0.5,
                "size": 12 if token in _WIDE else 6,
                "solidity": 0.2,
            },
        },
        "hovertemplate": "%{y:.4~g}/s",
    }


def latency_figure(rows: list[SecondRow]) -> Figure:
    """Median and 95th percentile of both latencies over time, on a logarithmic axis."""
    bins, width = binned(rows), bin_width(rows)
    middles = [one.start + width / 2 for one in bins]
    series = (
        (LatencyKind.RESPONSE_TIME, "p50", [one.response_p50 for one in bins]),
        (LatencyKind.RESPONSE_TIME, "p95", [one.response_p95 for one in bins]),
        (LatencyKind.SERVICE_TIME, "p50", [one.service_p50 for one in bins]),
        (LatencyKind.SERVICE_TIME, "p95", [one.service_p95 for one in bins]),
    )
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers" if len(bins) <= _BINS_MAXIMUM // 4 else "lines",
            "name": f"{_SHORT[kind]}, {_PERCENTILES[name]}",
            "x": middles,
            "y": values,
            "connectgaps": False,
            **_kind_style(kind, dash="solid" if name == "p50" else "dash"),
            "hovertemplate": "%{y:.3~g} ms",
        }
        for kind, name, values in series
    ]
    layout = _time_layout(bins, width, "latency, ms")
    layout["yaxis"] |= log_axis([value for _, _, values in series for value in values if value])
    return {"data": traces, "layout": layout}


def _kind_style(kind: LatencyKind, dash: str) -> dict[str, Any]:
    colour = f"var(--{kind.value.replace('_', '-')})"
    return {
        "line": {"color": colour, "width": _WIDTHS[kind], "dash": dash},
        "marker": {"color": colour, "symbol": _SYMBOLS[kind], "size": 2 + 1.5 * _WIDTHS[kind]},
    }


def percentile_figure(summary: Summary) -> Figure:
    """Latency by percentile, each further nine as wide as the one before; both kinds."""
    counts = {row.kind: row.count for row in summary.latencies if row.outcome is None}
    traces, highest = [], 2.0
    for kind, dash in ((LatencyKind.RESPONSE_TIME, "dash"), (LatencyKind.SERVICE_TIME, "solid")):
        curve = summary.curves.get(kind.value, [])
        places = percentile_places(curve, counts.get(kind.value, 1))
        highest = max([highest, *places])
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": _SHORT[kind],
                "x": places,
                "y": [value for _, value in curve],
                "customdata": [percentile for percentile, _ in curve],
                **_kind_style(kind, dash=dash),
                "hovertemplate": "%{customdata:.6~g} %: %{y:.3~g} ms",
            }
        )
    return {"data": traces, "layout": percentile_layout(highest, summary.curves.values())}


def _time_layout(bins: list[PlotBin], width: int, y_title: str) -> dict[str, Any]:
    layout = layout_of("intended start, seconds of the run", y_title)
    if bins:
        layout["xaxis"]["range"] = [bins[0].start, bins[-1].start + width]
    spans = list(_warm_up_spans(bins, width))
    shade = {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "layer": "above", "line": {"width": 0}}
    layout["shapes"] = [{**shade, "x0": start, "x1": end, "fillcolor": "var(--shade)"} for start, end in spans]
    label = {"y": 1, "yref": "paper", "xanchor": "left", "yanchor": "top", "showarrow": False, "text": "warm-up"}
    layout["annotations"] = [{**label, "x": start} for start, _ in spans]
    return layout


def _warm_up_spans(bins: list[PlotBin], width: int) -> Iterator[tuple[int, int]]:
    start: int | None = None
    end = 0
    for one in bins:
        if one.warm_up:
            start, end = (one.start if start is None else start), one.start + width
        elif start is not None:
            yield start, end
            start = None
    if start is not None:
        yield start, end
