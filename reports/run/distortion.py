"""How far the load generator's own lag moves the percentiles that it measures.

What is measured is the true latency plus the lag, both random. Adding the lag to the measured latencies once more
moves their percentiles about as far as it moved those of the true ones: the first step of simulation extrapolation
(J. R. Cook and L. A. Stefanski, 1994), here without drawing, for both distributions are known.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from gatecrash.reports.recording.latency import LatencyHistogram

# Points of a lag that lie so close together are taken for one: 16 of them to a power of two, and none below 2 us.
_POINTS_PER_OCTAVE: Final = 16
_LEAST_MILLISECONDS: Final = 0.002
_STEPS: Final = 40

# Milliseconds and their share of the whole.
Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Distortion:
    """A percentile as it was measured, and by how much (milliseconds) the lag may have raised it."""

    percent: float
    measured: float
    raised: float

    @property
    def share(self) -> float:
        """The part of the measured percentile that may be the load generator's."""
        return self.raised / self.measured if self.measured else 0.0


def distortions(
    latency: LatencyHistogram, lags_met: Sequence[LatencyHistogram], percents: Iterable[float]
) -> list[Distortion]:
    """Return by how much lags that each exchange met, one after the other, may have raised percentiles of a latency."""
    if not latency.count or not lags_met or not all(lag.count for lag in lags_met):
        return []
    lags, *others = (_fewer_points(_shares(lag)) for lag in lags_met)
    for more in others:
        lags = _fewer_points((lag + further, share * part) for lag, share in lags for further, part in more)
    values = list(latency.points())
    milliseconds = [value for value, _ in values]
    below = [0.0, *accumulate(count / latency.count for _, count in values)]
    return [_distortion(milliseconds, below, lags, percent) for percent in percents]


def _shares(histogram: LatencyHistogram) -> Points:
    return [(value, count / histogram.count) for value, count in histogram.points()]


def _fewer_points(points: Iterable[tuple[float, float]]) -> Points:
    """Return fewer points of the same mean."""
    groups: dict[int, tuple[float, float]] = {}
    for value, share in points:
        place = round(math.log2(max(value, _LEAST_MILLISECONDS)) * _POINTS_PER_OCTAVE)
        weighted, shares = groups.get(place, (0.0, 0.0))
        groups[place] = (weighted + value * share, shares + share)
    return [(weighted / share, share) for _, (weighted, share) in sorted(groups.items())]


def _distortion(values: list[float], below: list[float], lags: Points, percent: float) -> Distortion:
    wanted = percent / 100.0
    measured = values[min(bisect_right(below, wanted - 1e-12, 1) - 1, len(values) - 1)]
    lowest, highest = measured, measured + lags[-1][0]
    for _ in range(_STEPS):
        middle = (lowest + highest) / 2
        if sum(share * below[bisect_right(values, middle - lag)] for lag, share in lags) < wanted:
            lowest = middle
        else:
            highest = middle
    return Distortion(percent, measured, highest - measured)
