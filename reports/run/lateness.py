"""What the load generator's own lag, and slots that were not free in time, did to a measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gatecrash.reports.recording.latency import LatencyHistogram
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.run.distortion import Distortion, distortions
from gatecrash.reports.statistics.intervals import samples_needed

# A generator that is this late as a rule can't keep its schedule, and measures itself.
_LAG_MILLISECONDS: Final = 100.0
# How much of a percentile may be the load generator's own: a twentieth, and what is too little to matter to anybody,
# which is a twentieth of 8 ms: no authorizer that a network lies before answers sooner.
_DEGRADED_SHARE: Final = 0.05
_DEGRADED_MILLISECONDS: Final = 0.4
_INVALID_SHARE: Final = 0.5
_INVALID_MILLISECONDS: Final = 10.0
_MEDIAN: Final = 50.0
_JUDGED_PERCENTS: Final = (_MEDIAN, 99.0, 99.9)
_WAITED_SHARE: Final = 0.01
_WAITED_MILLISECONDS: Final = 1.0
_WAITED_OF_MEDIAN: Final = 0.05

Latencies = Mapping[LatencyKind, LatencyHistogram]


@dataclass(frozen=True, slots=True)
class _DistortedBy:
    """A percentile, how much of it is the load generator's own, and the lag that says so."""

    distortion: Distortion
    lag: LatencyHistogram


def judge_lag(
    lag: LatencyHistogram,
    latencies: Latencies,
    *,
    delays: LatencyHistogram | None = None,
    is_timed_by_kernel: bool = False,
) -> tuple[list[str], list[str]]:
    """Return why the lag makes a measurement invalid, and why it degrades it; at most one of the two has a sentence.

    ``delays`` says how late the arrivals left, where there is a schedule. No request was late by more than that, and
    none by the load generator's doing by more than the lag: what distorts less is what counts.
    """
    if not lag.count:
        return [], []
    if lag.percentile(_MEDIAN) > _LAG_MILLISECONDS:
        return [_lag(lag, _MEDIAN)], []
    requests = [lag, *([delays] if delays is not None and delays.count else [])]
    distorted = _distorted(latencies, requests, [] if is_timed_by_kernel else [lag])
    if not distorted:
        return [], [_lag(lag, 99.0)] if lag.percentile(99.0) > _LAG_MILLISECONDS else []
    sentence = _distortion(distorted)
    is_invalid = any(_is_invalid(by.distortion) for percentiles in distorted.values() for by in percentiles)
    return ([sentence], []) if is_invalid else ([], [sentence])


def _distorted(
    latencies: Latencies, requests: Sequence[LatencyHistogram], answers: list[LatencyHistogram]
) -> dict[LatencyKind, list[_DistortedBy]]:
    """Return the percentiles, of those that have samples enough, of which too much is the load generator's own.

    ``requests`` are upper bounds of how late requests were, ``answers`` is how late answers were seen.
    """
    distorted = {}
    for kind, latency in latencies.items():
        percents = [percent for percent in _JUDGED_PERCENTS if latency.count >= samples_needed(percent)]
        # A response time has the lateness of its request in it, for which there are several upper bounds.
        bounds = [[request, *answers] for request in requests] if kind is LatencyKind.RESPONSE_TIME else [answers]
        by_bound = [_distorted_by(latency, lags, percents) for lags in bounds]
        least = [min(same_percent, key=lambda by: by.distortion.raised) for same_percent in zip(*by_bound, strict=True)]
        if too_far := [by for by in least if _is_too_far(by.distortion)]:
            distorted[kind] = too_far
    return distorted


def _distorted_by(
    latency: LatencyHistogram, lags: Sequence[LatencyHistogram], percents: Sequence[float]
) -> list[_DistortedBy]:
    return [_DistortedBy(distortion, lags[0]) for distortion in distortions(latency, lags, percents)]


def _is_too_far(distortion: Distortion) -> bool:
    return distortion.share > _DEGRADED_SHARE and distortion.raised > _DEGRADED_MILLISECONDS


def _is_invalid(distortion: Distortion) -> bool:
    return (
        distortion.percent == _MEDIAN
        and distortion.share > _INVALID_SHARE
        and distortion.raised > _INVALID_MILLISECONDS
    )


def _distortion(distorted: Mapping[LatencyKind, list[_DistortedBy]]) -> str:
    worst_of = {kind: max(percentiles, key=lambda by: by.distortion.share) for kind, percentiles in distorted.items()}
    parts = []
    for kind, worst in worst_of.items():
        distortion = worst.distortion
        of = f"p{distortion.percent:g} of the {kind.value.replace('_', ' ')} ({_milliseconds(distortion.measured)})"
        parts.append(f"about {distortion.share:.0%} of {of}")
    late = _milliseconds(max(worst.lag.percentile(99) for worst in worst_of.values()))
    return (
        f"the load generator was late itself, in 1 % of the time by {late} or more; its own are {' and '.join(parts)}: "
        "it has too little CPU for this rate"
    )


def _lag(lag: LatencyHistogram, percent: float) -> str:
    late = _milliseconds(lag.percentile(percent))
    return (
        f"the load generator was late itself, in {100 - percent:.0f} % of the time by {late} or more: it has too "
        "little CPU for this rate"
    )


def _milliseconds(value: float) -> str:
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.2g} ms"


def judge_waiting(delays: LatencyHistogram, lag: LatencyHistogram, latencies: Latencies) -> list[str]:
    """Return what it means that arrivals left late where the load generator itself was not."""
    response = latencies.get(LatencyKind.RESPONSE_TIME, LatencyHistogram())
    limit = max(_WAITED_MILLISECONDS, _WAITED_OF_MEDIAN * response.percentile(_MEDIAN))
    by_lag = lag.share_above(limit)
    waited = delays.share_above(limit) - by_lag
    if waited <= max(_WAITED_SHARE, by_lag):
        return []
    sentence = (
        f"{waited:.1%} of the arrivals found no free slot when they were due and left late, 1 % of all by "
        f"{_milliseconds(delays.percentile(99))} or more: the load that was offered is not the one that was planned; "
        "raise --users"
    )
    return [sentence]
