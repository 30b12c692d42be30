"""What changes while the load stays the same: latency, throttles and errors by tenths of a long run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import linear_regression
from typing import Final

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.recording.series import Second

PARTS: Final = 10
SECONDS_LEAST: Final = 20
# Student's t for ten parts, two of whose degrees of freedom the line takes: 95 % lie within.
_STUDENT: Final = 2.306
_SECONDS_AN_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class DriftPart:
    """A tenth of the measured part: from which second on, exchanges, latencies in ms, shares 0 to 1.

    ``allowed`` is the share of the decisions that let a device in: the same requests come again and again, so it should
    not move. It doesn't where a wrong denial makes up for one that lets somebody in: ``wrong`` counts both, None where
    the recording doesn't.
    """

    start: int
    exchanges: int
    p50: float
    p95: float
    throttled: float
    errors: float
    allowed: float
    wrong: int | None


@dataclass(frozen=True, slots=True)
class Slope:
    """By how much a number changed an hour, by least squares over the parts, with its 95 % interval."""

    per_hour: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Drift:
    """The course of a long run; latencies are service times in milliseconds, within 4.5 %."""

    parts: tuple[DriftPart, ...]
    p50: Slope
    p95: Slope


def drift_of(seconds: Iterable[tuple[int, Second]]) -> Drift | None:
    """Return the drift over the measured seconds of a run; None for one that is too short to have any."""
    measured = [(number, second) for number, second in seconds if not second.warm_up]
    if len(measured) < SECONDS_LEAST:
        return None
    bounds = [len(measured) * place // PARTS for place in range(PARTS + 1)]
    parts = tuple(_part(measured[start:end]) for start, end in pairwise(bounds))
    hours = [part.start / _SECONDS_AN_HOUR for part in parts]
    return Drift(parts, trend_of(hours, [part.p50 for part in parts]), trend_of(hours, [part.p95 for part in parts]))


def _part(seconds: list[tuple[int, Second]]) -> DriftPart:
    total = Second()
    for _, second in seconds:
        total.add(second)
    outcomes: Mapping[str, int] = total.outcomes
    exchanges = sum(outcomes.values())
    decided = sum(outcomes.get(outcome, 0) for outcome in Outcome if outcome.is_decision)
    latencies: Counter[int] = total.service_times
    return DriftPart(
        start=seconds[0][0],
        exchanges=exchanges,
        p50=total.percentile(latencies, 50) or 0.0,
        p95=total.percentile(latencies, 95) or 0.0,
        throttled=outcomes.get(Outcome.THROTTLED, 0) / max(1, exchanges),
        errors=sum(outcomes.get(outcome, 0) for outcome in Outcome if outcome.is_error) / max(1, exchanges),
        allowed=outcomes.get(Outcome.ALLOW, 0) / max(1, decided),
        wrong=total.wrong,
    )


def trend_of(hours: list[float], values: list[float]) -> Slope:
    """Return the slope of ten values over time, with its 95 % interval."""
    slope, start = linear_regression(hours, values)
    centre = sum(hours) / len(hours)
    residuals = sum((value - start - slope * hour) ** 2 for hour, value in zip(hours, values, strict=True))
    error = sqrt(residuals / (len(hours) - 2) / sum((hour - centre) ** 2 for hour in hours))
    return Slope(slope, slope - _STUDENT * error, slope + _STUDENT * error)
