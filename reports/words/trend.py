"""How a trend is worded: what went from which level to which, with which run, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Final

from gatecrash.reports.comparison.comparison import Unit
from gatecrash.reports.run.verdict import Validity
from gatecrash.reports.statistics.change_points import values_needed
from gatecrash.reports.statistics.directions import Direction
from gatecrash.reports.trend.history import HistoryRun
from gatecrash.reports.trend.metrics import TrendMetric
from gatecrash.reports.trend.trend import LevelChange, MetricTrend, Trend
from gatecrash.reports.words.spelling import milliseconds, percent, plural, visible

LEVEL_COLUMNS: Final = ("number", "now", "since", "runs", "lowest", "highest")
_WORSE: Final = "WORSE"
_STEADY: Final = "STEADY"
FINDING_COLUMNS: Final = ("seen in", "first", "last", "finding")


def verdict_word(trend: Trend) -> str:
    """Return the word that stands first."""
    if trend.alarms:
        return _WORSE
    return _STEADY if trend.measured >= values_needed(trend.limits.significance) else "NOT JUDGED"


def title_word(trends: Sequence[Trend]) -> str:
    """Return the word of a page of several trends: of one that got worse, else of each kind that there is."""
    found = dict.fromkeys(map(verdict_word, trends))
    return _WORSE if _WORSE in found else " and ".join(found)


def tone(trend: Trend) -> str:
    """Return the tone of the page's verdict."""
    return {_WORSE: "fail", _STEADY: "pass"}.get(verdict_word(trend), "muted")


def headline(trend: Trend) -> str:
    """Return what the trend says, as a sentence."""
    if trend.since is not None:
        numbers = len({metric.name for metric, _ in trend.alarms})
        return f"{plural(numbers, 'number')} got worse and stayed so, since the run of {when(trend.since)}."
    needed = values_needed(trend.limits.significance)
    if trend.measured < needed:
        return f"Too few runs to be sure of any change: {trend.measured:,} of at least {needed}."
    return "Nothing got worse and stayed so."


def runs_words(trend: Trend) -> str:
    """Say which runs the trend is of."""
    name, first = visible(trend.newest.info.name), trend.runs[0]
    kinds = {"run": "under load", "capacity": "searches for capacity", "fuzz": "of gatecrash fuzz"}
    words = f"{plural(len(trend.runs), 'run')} named {name} ({kinds[trend.newest.kind]}), {when(first)}"
    if len(trend.runs) > 1:
        words += f" to {when(trend.newest)}"
    invalid = sum(run.validity == Validity.INVALID for run in trend.runs)
    return words + (f"; {invalid:,} of them invalid, which don't count" if invalid else "")


def when(run: HistoryRun) -> str:
    """Return when a run was, to the minute."""
    return visible(run.info.started_at[:16].replace("T", " "))


def run_name(run: HistoryRun) -> str:
    """Return the name of a run's folder."""
    return visible(PurePath(run.place).name)


def value(metric: TrendMetric, number: float) -> str:
    """Return a number of a run with its unit."""
    if metric.unit is Unit.MILLISECONDS:
        return f"{milliseconds(number)} ms"
    return percent(number) if metric.unit is Unit.SHARE else f"{number:,.4g}/s"


def shift(metric: TrendMetric, number: float) -> str:
    """Return a change, with its sign."""
    return f"{number * 100:+.1f} points" if metric.unit is Unit.SHARE else f"{number * 100:+.1f} %"


def alarm_sentences(trend: Trend) -> list[str]:
    """Return a sentence for each change for the worse that stands."""
    return [change_sentence(trend, metric, change) for metric, change in trend.alarms]


def other_sentences(trend: Trend) -> list[str]:
    """Return a sentence for every other change, with what became of it."""
    return [
        f"{change_sentence(trend, one.metric, change)} {standing(one, change)}"
        for one in trend.metrics
        for change in one.changes
        if change not in one.alarms
    ]


def change_sentence(trend: Trend, metric: TrendMetric, change: LevelChange) -> str:
    """Say what changed, by how much, and with which run."""
    run = trend.runs[change.place]
    levels = f"{value(metric, change.before)} to {value(metric, change.after)}"
    ago = len(trend.runs) - 1 - change.place
    back = f", {plural(ago, 'run')} ago" if ago else ""
    if change.per_run is not None:
        each = f"{shift(metric, change.per_run)} a run"
        return f"{metric.label} went little by little ({each}), from about {levels}, around {when(run)}{back}."
    return f"{metric.label} went from {levels} ({shift(metric, change.shift)}) with the run of {when(run)}{back}."


def standing(trend: MetricTrend, change: LevelChange) -> str:
    """Say what became of a change that is no alarm."""
    if change.direction is Direction.BETTER:
        return "That is better."
    if change.undone:
        return "It was undone since."
    if change.accepted is not None:
        return f"It is accepted: {visible(change.accepted)}"
    return "It is told only." if not trend.metric.decides else ""


def alongside(trend: Trend) -> Iterator[tuple[str, list[str]]]:
    """Yield, for each run that an alarm begins with, what changed in settings and versions with it."""
    for place in sorted({change.place for _, change in trend.alarms}):
        change = next(change for _, change in trend.alarms if change.place == place)
        if change.alongside:
            names = f"{run_name(trend.runs[change.previous])} to {run_name(trend.runs[place])}"
            yield names, [visible(one) for one in change.alongside]


def level_rows(trend: Trend) -> list[tuple[str, ...]]:
    """Return a row for each number: its newest level, since when, and how far single runs of it are spread."""
    rows: list[tuple[str, ...]] = []
    for one in trend.metrics:
        level = one.levels[-1]
        inside = [number for place, number in one.values if place >= level.first]
        since = when(trend.runs[level.first]) if len(one.levels) > 1 else "the first run"
        ends = (value(one.metric, min(inside)), value(one.metric, max(inside)))
        rows.append((one.metric.label, value(one.metric, level.value), since, f"{len(inside):,}", *ends))
    return rows


def finding_rows(trend: Trend) -> list[tuple[str, ...]]:
    """Return a row for each finding that any run had."""
    return [
        (
            plural(row.seen, "run"),
            when(trend.runs[row.first]),
            "the newest run" if row.last == len(trend.runs) - 1 else when(trend.runs[row.last]),
            f"{row.code} {visible(row.title)}",
        )
        for row in trend.findings
    ]


def left_out(trend: Trend) -> list[str]:
    """Say which runs of the same name have no part in the trend."""
    return [f"{plural(count, 'run')} left out: {visible(reason)}" for reason, count in trend.left_out]
