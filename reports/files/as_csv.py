"""CSV: what happened in each second of a run, each distribution of its latencies, and the runs of a trend.

For spreadsheets and for programs that read tables (RFC 4180, with a header). Every cell of ``seconds.csv`` and
``latencies.csv`` is a number, a word of a closed set, or empty: no text of a request or an authorizer is in it, so a
spreadsheet finds no formula. Times are in milliseconds.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Final

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.run.summary import PERCENTILE_NAMES, LatencyRow, SecondRow, Summary
from gatecrash.reports.run.verdict import Validity
from gatecrash.reports.trend.trend import Trend

# What latencies.csv calls all exchanges that the authorizer answered.
ANSWERED: Final = "answered"

# Column and meaning, in their order.
SECOND_COLUMNS: Final = (
    ("second", "since the start of the run; what happened is told with the second in which it was meant to start"),
    ("warm_up", "`true` in the warm-up, which no other number counts, else `false`"),
    ("planned", "arrivals that were meant to start: the offered rate; 0 in the closed model"),
    ("dropped", "arrivals that found no slot in time"),
    ("exchanges", "exchanges of all outcomes"),
    *((outcome.value, f"exchanges with the outcome {outcome.value.replace('_', ' ')}") for outcome in Outcome),
    ("service_time_p50_ms", "median of the service time of all exchanges, throttled ones among them; within 4.5 %"),
    ("service_time_p95_ms", "its 95th percentile"),
    ("service_time_p99_ms", "its 99th percentile"),
    ("response_time_p50_ms", "median of the response time from the intended start, of the same exchanges"),
    ("response_time_p95_ms", "its 95th percentile"),
    ("response_time_p99_ms", "its 99th percentile"),
    ("wrong", "decisions other than the expected ones; empty where they were not counted"),
)
LATENCY_COLUMNS: Final = (
    ("outcome", f"an outcome, or `{ANSWERED}` for all that the authorizer answered"),
    ("kind", "`service_time`, or `response_time` from the intended start"),
    ("exchanges", "exchanges of the measured part"),
    ("mean_ms", "mean"),
    ("max_ms", "maximum"),
    *(
        (f"{name}_{part}ms", meaning.format(name.replace("_", ".")))
        for name in PERCENTILE_NAMES
        for part, meaning in (
            ("", "{}"),
            ("low_", "lower end of the 95 % confidence interval of {}; empty where nothing bounds it"),
            ("high_", "upper end"),
        )
    ),
    ("too_few", "percentiles that fewer than ten exchanges lie above, on average"),
)


def render_seconds(summary: Summary) -> bytes:
    """Return the content of ``seconds.csv``: a row a second, the warm-up's first."""
    return _rendered(SECOND_COLUMNS, map(_second, summary.seconds))


def render_latencies(summary: Summary) -> bytes:
    """Return the content of ``latencies.csv``: a row for each outcome that was seen and each kind of latency."""
    return _rendered(LATENCY_COLUMNS, (_latency(row) for row in summary.latencies if row.count))


def _rendered(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str | int]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(name for name, _ in columns)
    writer.writerows(rows)
    return text.getvalue().encode("ascii")


def _second(row: SecondRow) -> list[str | int]:
    counts = [row.outcomes.get(outcome.value, 0) for outcome in Outcome]
    service = (row.service_p50, row.service_p95, row.service_p99)
    response = (row.response_p50, row.response_p95, row.response_p99)
    warm_up = str(row.warm_up).lower()
    arrivals = (row.planned, row.dropped, sum(row.outcomes.values()))
    return [row.second, warm_up, *arrivals, *counts, *map(_number, (*service, *response, row.wrong))]


def _latency(row: LatencyRow) -> list[str | int]:
    percentiles: list[float | None] = []
    for name in PERCENTILE_NAMES:
        percentiles += [getattr(row, name), *row.intervals[name]]
    numbers = map(_number, (row.mean, row.maximum, *percentiles))
    return [row.outcome or ANSWERED, row.kind, row.count, *numbers, " ".join(row.too_few)]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def render_trend(trend: Trend) -> bytes:
    """Return the runs that count, for Apache Otava and for spreadsheets: time, run, revision, then the numbers.

    A share is told in per cent. Otava can't read a missing value: runs that lack one of the numbers are left out when
    others have it.
    """
    metrics = [one.metric for one in trend.metrics]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["time", "run", "revision", *(metric.name.replace(".", "_") for metric in metrics)])
    for run in trend.runs:
        if run.validity == Validity.INVALID or any(metric.name not in run.numbers for metric in metrics):
            continue
        numbers = (_number(metric.factor * run.numbers[metric.name]) for metric in metrics)
        names = (run.info.started_at, PurePath(run.place).name, run.revision)
        writer.writerow([*map(_without_formula, names), *numbers])
    return text.getvalue().encode("utf-8", "backslashreplace")


def _without_formula(text: str) -> str:
    # A spreadsheet would run these as formulas.
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
