"""What throttles tell of a token bucket: how fast it fills, and how much it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression
from typing import Final

from gatecrash.reports.capacity.probes import BINS_A_SECOND, ProbeCounts

_BINS_LEAST: Final = 2 * BINS_A_SECOND


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket: calls let through a second in the long run, and how many more were saved up.

    The bucket holds at least ``burst``: rates that were fired before took from it. A limit on concurrent executions
    looks like a bucket without one.
    """

    rate: float
    burst: float


def estimate_bucket(counts: ProbeCounts) -> Bucket | None:
    """Estimate the bucket from a step that began with a full one; None where too little was throttled.

    While throttles come, what is let through is what flows in: its slope over time is the rate. What was let through
    besides, from the step's start on, is what had been saved up.
    """
    bins = [counts.bins.get(number) for number in range(round(counts.step.length * BINS_A_SECOND))]
    passed = [one.answered - one.throttled if one else 0 for one in bins]
    throttled = [place for place, one in enumerate(bins) if one and one.throttled]
    if not throttled or throttled[-1] - throttled[0] < _BINS_LEAST:
        return None
    through = _running_total(passed)
    first, last = throttled[0], throttled[-1]
    times = [(place + 1) / BINS_A_SECOND for place in range(first, last + 1)]
    rate, start = linear_regression(times, through[first : last + 1])
    return Bucket(round(rate, 2), round(max(0.0, start), 1))


def _running_total(values: Sequence[int]) -> list[int]:
    total, totals = 0, []
    for value in values:
        total += value
        totals.append(total)
    return totals
