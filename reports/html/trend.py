"""A page of trends: for each number a plot of all runs with the levels through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gatecrash.reports.comparison.comparison import Unit
from gatecrash.reports.html.layout import Figure, layout_of
from gatecrash.reports.html.report import render_page
from gatecrash.reports.run.verdict import Validity
from gatecrash.reports.trend.trend import MetricTrend, Trend
from gatecrash.reports.words import trend as trend_words

# Small for what is quiet, larger where a level begins: told apart without colour.
_SIZES: Final = (6, 12)
_SYMBOLS: Final = ("circle", "diamond")


def render(trends: Sequence[Trend]) -> bytes:
    """Return the page as UTF-8."""
    figures = {plot_id(place, one): figure(trend, one) for place, trend in enumerate(trends) for one in trend.metrics}
    return render_page(
        "trend_page.html.j2",
        figures,
        trends=trends,
        trend_words=trend_words,
        plot_id=plot_id,
        sentence=plot_sentence,
    )


def plot_id(place: int, one: MetricTrend) -> str:
    """Return the id of a plot's element."""
    return f"trend-{place}-{one.metric.name.replace('.', '-')}-plot"


def plot_sentence(trend: Trend, one: MetricTrend) -> str:
    """Say what a plot shows, for those who can't see it too."""
    level = one.levels[-1]
    sentence = f"{one.metric.label}, {trend_words.value(one.metric, level.value)} now"
    if len(one.levels) > 1:
        before = trend_words.value(one.metric, one.levels[-2].value)
        sentence += f" since the run of {trend_words.when(trend.runs[level.first])}, {before} before"
    return sentence + "."


def figure(trend: Trend, one: MetricTrend) -> Figure:
    """The number of each run as a dot, the runs that begin a level as diamonds, and the levels as lines."""
    metric, beginnings = one.metric, {level.first for level in one.levels[1:]}
    factor = metric.factor
    places = [place for place, _ in one.values]
    dots = {
        "type": "scatter",
        "mode": "markers",
        "name": "runs",
        "x": places,
        "y": [factor * value for _, value in one.values],
        "marker": {
            "color": "var(--response-time)",
            "size": [_SIZES[place in beginnings] for place in places],
            "symbol": [_SYMBOLS[place in beginnings] for place in places],
        },
        "customdata": [_run_words(trend, place) for place in places],
        "hovertemplate": "%{customdata}: %{y:.4~g}<extra></extra>",
    }
    lines: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        "name": "levels (medians)",
        "x": [place for level in one.levels for place in (level.first - 0.4, level.last + 0.4, None)],
        "y": [value for level in one.levels for value in (factor * level.value, factor * level.value, None)],
        "line": {"color": "var(--service-time)", "width": 2.5},
        "hoverinfo": "skip",
    }
    units = {Unit.MILLISECONDS: "ms", Unit.SHARE: "%", Unit.PER_SECOND: "per second"}
    layout = layout_of("run", units[metric.unit])
    layout["hovermode"] = "closest"
    layout["xaxis"] |= _run_axis(trend)
    layout["yaxis"]["rangemode"] = "tozero"
    return {"data": [dots, lines], "layout": layout}


def _run_words(trend: Trend, place: int) -> str:
    run = trend.runs[place]
    revision = f", {run.revision[:12]}" if run.revision else ""
    doubt = "" if run.validity == Validity.VALID else f", {run.validity}"
    # Plotly reads these as HTML; what would be markup is no part of a folder's name or a revision that CI gives.
    words = f"{trend_words.run_name(run)}{revision}{doubt}"
    return "".join(character if character not in "<>&" else " " for character in words)


def _run_axis(trend: Trend) -> dict[str, Any]:
    """Return an axis with at most eight dates."""
    count = len(trend.runs)
    places = sorted({round(part * (count - 1) / 7) for part in range(8)})
    labels = [trend.runs[place].info.started_at[5:10] for place in places]
    return {"range": [-0.8, count - 0.2], "tickvals": places, "ticktext": labels, "tickangle": 0}
