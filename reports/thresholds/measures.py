"""What a threshold's metric comes to, of a whole run or of a stretch of it, and how much that takes to be told."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from gatecrash.authorizers.contract import LATENCY_OUTCOMES, Outcome
from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.oracles.rules import FindingKind, Severity
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.recording.series import Second, milliseconds_of
from gatecrash.reports.statistics.intervals import samples_needed
from gatecrash.reports.thresholds.threshold import LATENCY, LimitUnit, Threshold

OF_FINDINGS: Final = {
    "fail_open": FindingKind.FAIL_OPEN,
    "fail_closed": FindingKind.FAIL_CLOSED,
    "inconsistent": FindingKind.INCONSISTENT,
}
# Where so many arrivals are expected and come at random (Poisson), fewer than half come in one of 30,000 stretches.
LEAST: Final = 50


class UnknownError(Exception):
    """There is nothing to judge by; the text says why."""


def samples_of(threshold: Threshold) -> int:
    """Return how many exchanges (of ``drop_rate``: arrivals) a threshold needs, of the whole run or in each stretch.

    A percentile needs ten above it. A share needs so many that one of them is no more than half of what the limit
    leaves, and no fewer than 50; so does a percentile over a window. 0 is for what is counted, not drawn.
    """
    if threshold.percent is not None:
        needed = samples_needed(threshold.percent)
        return max(LEAST, needed) if threshold.window else needed
    if threshold.metric == LATENCY:
        return 1
    if threshold.unit is not LimitUnit.SHARE or threshold.metric == "achieved_rate":
        return 0
    left = min(threshold.limit, 1 - threshold.limit)
    return max(LEAST, math.ceil(round(2 / left, 6))) if left > 0 else LEAST


def check_samples(threshold: Threshold, count: int) -> None:
    """Raise UnknownError for fewer exchanges than needed; a stretch is judged from half of them on.

    So neither a dropped arrival nor the chance by which arrivals come leaves a stretch unjudged.
    """
    needed = samples_of(threshold)
    if count >= (math.ceil(needed / 2) if threshold.window else needed):
        return
    what = "arrivals" if threshold.metric == "drop_rate" else "exchanges"
    name = threshold.statistic or f"{threshold.metric} {threshold.comparison} {threshold.limit_text}"
    text = f"{count:,} {what} are too few" if count != 1 else f"1 {what[:-1]} is too few"
    raise UnknownError(f"{text}: {name} needs {needed:,}{', at least half of them' if threshold.window else ''}")


def latency(threshold: Threshold, recording: Recording) -> float:
    """Return a latency of the answered exchanges of a whole run, in milliseconds."""
    outcome = threshold.selected("outcome")
    kind = LatencyKind(threshold.selected("kind") or LatencyKind.RESPONSE_TIME)
    outcomes = LATENCY_OUTCOMES if outcome is None else (Outcome(outcome),)
    histogram = recording.latencies.total(kind, outcomes)
    check_samples(threshold, histogram.count)
    if threshold.percent is not None:
        return histogram.percentile(threshold.percent)
    return histogram.mean if threshold.statistic == "mean" else histogram.maximum


def latency_of_stretch(threshold: Threshold, stretch: Sequence[Second]) -> float:
    """Return a latency of the answered exchanges of a stretch, in milliseconds; within 4.5 %."""
    kind = LatencyKind(threshold.selected("kind") or LatencyKind.RESPONSE_TIME)
    buckets: Counter[int] = Counter()
    for second in stretch:
        buckets.update(second.answered(kind))
    check_samples(threshold, buckets.total())
    if threshold.statistic == "max":
        return milliseconds_of(max(buckets))
    if threshold.statistic == "mean":
        return sum(milliseconds_of(bucket) * count for bucket, count in buckets.items()) / buckets.total()
    found = Second().percentile(buckets, threshold.percent or 0.0)
    assert found is not None  # noqa: S101 - there are values
    return found


def achieved(threshold: Threshold, exchanges: int, seconds: float, planned: float | None) -> float:
    """Return exchanges a second, or as a share of what was planned, which is None where nothing was."""
    if threshold.unit is LimitUnit.PER_SECOND:
        if not seconds:
            raise UnknownError("no second was measured")
        return exchanges / seconds
    if planned is None:
        raise UnknownError("the load had no schedule: ask for exchanges a second, such as achieved_rate > 100/s")
    if not planned:
        raise UnknownError("no arrival was planned")
    return exchanges / planned


def dropped(threshold: Threshold, seconds: Sequence[Second]) -> float:
    """Return which share of the planned arrivals was dropped."""
    planned = sum(second.planned for second in seconds)
    if not planned:
        raise UnknownError("no arrival was planned")
    check_samples(threshold, planned)
    return sum(second.dropped for second in seconds) / planned


def counted(threshold: Threshold, outcomes: Mapping[str, int]) -> float:
    """Return a number of exchanges, or a share of them, by the counts of their outcomes."""
    total, wanted = sum(outcomes.values()), threshold.selected("outcome")
    if threshold.metric == "exchanges":
        return float(total if wanted is None else outcomes.get(wanted, 0))
    check_samples(threshold, total)
    if threshold.metric == "throttle_rate":
        return outcomes.get(Outcome.THROTTLED, 0) / total
    if threshold.metric == "error_rate":
        return sum(outcomes.get(outcome, 0) for outcome in Outcome if outcome.is_error) / total
    return outcomes.get(wanted or "", 0) / total


def of_findings(threshold: Threshold, findings: Sequence[Finding]) -> float:
    """Return how many findings there are of what is asked for, or how many requests showed them."""
    found = [finding for finding in findings if finding.accepted_until is None]
    if threshold.metric != "findings":
        kind = OF_FINDINGS[threshold.metric]
        return float(sum(one.cases for one in found if one.rule.kind is kind and one.rule.severity > Severity.NOTE))
    code, severity, family = (threshold.selected(name) for name in ("code", "severity", "family"))
    if severity is None and code is None:
        found = [one for one in found if one.rule.severity > Severity.NOTE]
    return float(
        sum(
            (code is None or one.rule.code == code)
            and (severity is None or one.rule.severity.label == severity)
            and (family is None or one.case_name.partition("/")[0] == family)
            for one in found
        )
    )
