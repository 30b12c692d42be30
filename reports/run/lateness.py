"""What the load generator's own lag, and slots that were not free in time, did to a measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
# A percentile of which too much is the load generator's own, and the lag that says so.
Distorted = tuple[Distortion, LatencyHistogram]


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
    sentence = _distortion_sentence(distorted)
    is_invalid = any(_is_invalid(distortion) for pairs in distorted.values() for distortion, _ in pairs)
    return ([sentence], []) if is_invalid else ([], [sentence])


def _distorted(
    latencies: Latencies, requests: Sequence[LatencyHistogram], answers: list[LatencyHistogram]
) -> dict[LatencyKind, list[Distorted]]:
    """Return the percentiles, of those that have samples enough, of which too much is the load generator's own.

    ``requests`` are upper bounds of how late requests were, ``answers`` is how late answers were seen.
    """
    by_kind = {}
    for kind, latency in latencies.items():
        percents = [percent for percent in _JUDGED_PERCENTS if latency.count >= samples_needed(percent)]
        # The service time begins when a request is sent: that it was sent late is no part of it.
        bounds = [[request, *answers] for request in requests] if kind is LatencyKind.RESPONSE_TIME else [answers]
        by_bound = [[(distortion, lags[0]) for distortion in distortions(latency, lags, percents)] for lags in bounds]
        lowest = [min(pairs, key=lambda pair: pair[0].raised) for pairs in zip(*by_bound, strict=True)]
        if too_far := [pair for pair in lowest if _is_too_far(pair[0])]:
            by_kind[kind] = too_far
    return by_kind


def _is_too_far(distortion: Distortion) -> bool:
    return distortion.share > _DEGRADED_SHARE and distortion.raised > _DEGRADED_MILLISECONDS


def _is_invalid(distortion: Distortion) -> bool:
    is_large = distortion.share > _INVALID_SHARE and distortion.raised > _INVALID_MILLISECONDS
    return distortion.percent == _MEDIAN and is_large


def _distortion_sentence(distorted: Mapping[LatencyKind, list[Distorted]]) -> str:
    worst = {kind: max(pairs, key=lambda pair: pair[0].share) for kind, pairs in distorted.items()}
    parts = [
        f"about {distortion.share:.0%} of p{distortion.percent:g} of the {kind.value.replace('_', ' ')} "
        f"({_milliseconds(distortion.measured)})"
        for kind, (distortion, _) in worst.items()
    ]
    late = _milliseconds(max(lag.percentile(99) for _, lag in worst.values()))
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
