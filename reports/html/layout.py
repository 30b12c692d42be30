"""What all plots share: their layout, and axes of latencies and of percentiles."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

Figure = dict[str, Any]
# A percentile and its milliseconds.
Point = tuple[float, float]

# Decades up to which every digit, or a few, have room for a tick.
_DIGITS_UP_TO: Final = 0.7
_FEW_DIGITS_UP_TO: Final = 2.5
_TICKS_LEAST: Final = 3
_NINES: Final = ((0, "0"), (50, "50"), (90, "90"), (99, "99"), (99.9, "99.9"), (99.99, "99.99"), (99.999, "99.999"))


def nines_axis(highest: float) -> dict[str, Any]:
    """Return an axis of percentiles on which one of so many values is beyond the place ``highest``."""
    nines = [(100.0 / (100.0 - percent), label) for percent, label in _NINES if 100.0 / (100.0 - percent) <= highest]
    return {
        "type": "log",
        "range": [0, math.log10(highest) + 0.05],
        "tickvals": [place for place, _ in nines],
        "ticktext": [label for _, label in nines],
        "tickangle": 0,
    }


def percentile_places(curve: list[Point], count: int) -> list[float]:
    """Return where points (percentile, milliseconds) of so many values stand: one of how many is beyond each.

    The maximum stands where one of all is beyond: 100 % itself would be infinitely far right.
    """
    return [min(100.0 / (100.0 - percent) if percent < 100 else math.inf, count) for percent, _ in curve]


def percentile_layout(highest: float, curves: Iterable[list[Point]]) -> dict[str, Any]:
    """Return the layout of latencies by percentile, each further nine as wide as the one before."""
    layout = layout_of("percentile of exchanges, %", "latency, ms")
    layout["hovermode"] = "closest"
    layout["xaxis"] |= nines_axis(highest)
    layout["yaxis"] |= log_axis([value for curve in curves for _, value in curve if value])
    return layout


def layout_of(x_title: str, y_title: str) -> dict[str, Any]:
    """Return the layout that all plots share."""
    axis = {
        "gridcolor": "var(--rule)",
        "linecolor": "var(--rule)",
        "zeroline": False,
        "automargin": True,
        "fixedrange": False,
    }
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "var(--muted)"},
        "margin": {"l": 56, "r": 12, "t": 8, "b": 48},
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": "var(--card)", "bordercolor": "var(--rule)", "font": {"color": "var(--ink)"}},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"color": "var(--ink)"}},
        "xaxis": {**axis, "title": {"text": x_title, "font": {"size": 12}}},
        "yaxis": {**axis, "title": {"text": y_title, "font": {"size": 12}, "standoff": 14}},
    }


def log_axis(values: list[float]) -> dict[str, Any]:
    """Ticks as dense as there is room for, at round numbers; the range holds every value."""
    if not values:
        return {"type": "linear", "range": [0, 1]}
    low, high = math.log10(min(values)), math.log10(max(values))
    pad = 0.06 * (high - low) + 0.05
    ticks = _log_ticks(low - pad, high + pad)
    return {
        "type": "log",
        "range": [low - pad, high + pad],
        "tickvals": ticks,
        "ticktext": [f"{tick:,.6g}" for tick in ticks],
    }


def _log_ticks(low: float, high: float) -> list[float]:
    """Return ticks between two logarithms: the digits of each decade that leave room, or equal steps within one."""
    decades = range(math.floor(low) - 1, math.ceil(high) + 1)
    for digits, widest in ((tuple(range(1, 10)), _DIGITS_UP_TO), ((1, 2, 5), _FEW_DIGITS_UP_TO), ((1,), math.inf)):
        if high - low < widest:
            ticks = [digit * 10.0**power for power in decades for digit in digits]
            break
    if sum(low <= math.log10(tick) <= high for tick in ticks) >= _TICKS_LEAST:
        return ticks
    rough = (10.0**high - 10.0**low) / _TICKS_LEAST
    step = 10.0 ** math.floor(math.log10(rough))
    step *= max(factor for factor in (1, 2, 5) if factor * step <= rough)
    first = math.ceil(10.0**low / step)
    return [round(place * step, 9) for place in range(first, math.floor(10.0**high / step) + 1)]
