"""Whether thresholds hold of what was recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from authorizers.contract import Outcome
from reports.capacity import Capacity
from reports.drift import SECONDS_LEAST, drift_of
from reports.findings import Finding
from reports.intervals import samples_needed
from reports.recording import Recording
from reports.records import LatencyKind
from reports.rules import Kind, Severity
from reports.series import Second, milliseconds_of
from reports.thresholds import LATENCY, Threshold, Unit, value_text

_UNANSWERED: Final = frozenset({Outcome.THROTTLED, Outcome.UNAVAILABLE, Outcome.TRANSPORT_ERROR})
_ANSWERED: Final = tuple(outcome for outcome in Outcome if outcome not in _UNANSWERED)
_ERRORS: Final = (
    Outcome.TIMED_OUT,
    Outcome.HANDLER_ERROR,
    Outcome.INVALID_RESPONSE,
    Outcome.UNAVAILABLE,
    Outcome.TRANSPORT_ERROR,
)
_OF_FINDINGS: Final = {
    "fail_open": Kind.FAIL_OPEN,
    "fail_closed": Kind.FAIL_CLOSED,
    "inconsistent": Kind.INCONSISTENT,
}


class Standing(StrEnum):
    """What a run says of a threshold."""

    HELD = "held"
    FAILED = "failed"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class ThresholdJudgement:
    """A threshold with what was measured: ``value`` in its unit, None where nothing can be said, for ``reason``.

    ``second`` is where the worst window begins, None without a window.
    """

    threshold: Threshold
    standing: Standing
    value: float | None = None
    second: int | None = None
    reason: str = ""

    @property
    def sentence(self) -> str:
        """What is wrong, for whoever reads why a run failed."""
        if self.standing is Standing.NOT_JUDGED:
            return f"the threshold {self.threshold} can't be judged: {self.reason}"
        return f"the threshold {self.threshold} failed: it was {self.measured}"

    @property
    def measured(self) -> str:
        """The measured value with its unit and place."""
        if self.value is None:
            return "-"
        text = value_text(float(f"{self.value:.4g}"), self.threshold.unit)
        return text if self.second is None else f"{text} in the {self.threshold.window} s from second {self.second}"

    def encode(self) -> dict[str, Any]:
        """Return a JSON value; times in milliseconds, shares 0 to 1."""
        threshold = {**asdict(self.threshold), "selectors": dict(self.threshold.selectors)}
        return {
            "expression": str(self.threshold),
            **threshold,
            "standing": self.standing.value,
            "value": self.value,
            "second": self.second,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """What thresholds are judged by. ``seconds`` are the measured ones in their order.

    ``planned_rate`` is in arrivals a second, None where the load had no schedule; ``family_of`` names a case's family,
    None where the cases are unknown.
    """

    recording: Recording
    seconds: Sequence[tuple[int, Second]]
    measured_seconds: float
    planned_rate: float | None
    findings: Sequence[Finding] = ()
    capacity: Capacity | None = None
    family_of: Callable[[int], str] | None = None
    by_family: dict[str, Counter[str]] = field(default_factory=dict)


class _UnknownError(Exception):
    """There is nothing to judge by; the text says why."""


def judge_thresholds(thresholds: Iterable[Threshold], evidence: Evidence) -> tuple[ThresholdJudgement, ...]:
    """Judge each threshold."""
    return tuple(judge_threshold(threshold, evidence) for threshold in thresholds)


def judge_threshold(threshold: Threshold, evidence: Evidence) -> ThresholdJudgement:
    """Judge one threshold; with a window, by the stretch that is furthest from what is asked for."""
    try:
        if threshold.window is None:
            value, second = _value(threshold, evidence), None
        else:
            second, value = _worst(threshold, evidence)
    except _UnknownError as reason:
        return ThresholdJudgement(threshold, Standing.NOT_JUDGED, reason=str(reason))
    standing = Standing.HELD if threshold.holds(value) else Standing.FAILED
    return ThresholdJudgement(threshold, standing, value, second)


def _worst(threshold: Threshold, evidence: Evidence) -> tuple[int, float]:
    window = threshold.window or 0
    worst: tuple[int, float] | None = None
    reason = f"the measured part is shorter than {window} s"
    for first, stretch in _stretches(evidence.seconds, window):
        try:
            value = _windowed(threshold, stretch, evidence.planned_rate)
        except _UnknownError as unknown:
            reason = str(unknown)
            continue
        if worst is None or threshold.worse(value, worst[1]):
            worst = (first, value)
    if worst is None:
        raise _UnknownError(reason)
    return worst


def _stretches(seconds: Sequence[tuple[int, Second]], window: int) -> Iterator[tuple[int, list[Second]]]:
    """Yield every stretch of so many seconds within the measured part; a second in which nothing was is empty."""
    if not seconds:
        return
    by_number = dict(seconds)
    first, last = seconds[0][0], seconds[-1][0]
    for start in range(first, last - window + 2):
        yield start, [by_number.get(number, Second()) for number in range(start, start + window)]


def _windowed(threshold: Threshold, stretch: Sequence[Second], planned_rate: float | None) -> float:
    outcomes: Counter[str] = Counter()
    for second in stretch:
        outcomes.update(second.outcomes)
    if threshold.metric == LATENCY:
        return _coarse_latency(threshold, stretch)
    if threshold.metric == "achieved_rate":
        planned = sum(second.planned for second in stretch)
        return _achieved(threshold, outcomes.total(), len(stretch), planned if planned_rate is not None else None)
    if threshold.metric == "drop_rate":
        return _dropped(stretch)
    return _counted(threshold, outcomes)


def _value(threshold: Threshold, evidence: Evidence) -> float:
    recording, metric = evidence.recording, threshold.metric
    if metric == LATENCY:
        return _latency(threshold, recording)
    if metric in _OF_FINDINGS or metric == "findings":
        return _of_findings(threshold, evidence)
    if metric == "capacity":
        if evidence.capacity is None:
            raise _UnknownError("only `gatecrash capacity` searches it")
        return evidence.capacity.low or 0.0
    if metric == "latency_drift":
        drift = drift_of(evidence.seconds)
        if drift is None:
            raise _UnknownError(f"a run of less than {SECONDS_LEAST} measured seconds has no drift")
        return max(0.0, drift.p95.low)
    if metric == "cold_starts":
        return float(recording.cold_starts)
    if metric == "drop_rate":
        return _dropped([second for _, second in evidence.seconds])
    if metric == "achieved_rate":
        planned = None if evidence.planned_rate is None else evidence.planned_rate * evidence.measured_seconds
        return _achieved(threshold, recording.outcomes.total(), evidence.measured_seconds, planned)
    family = threshold.selected("family")
    return _counted(threshold, recording.outcomes if family is None else _family(family, evidence))


def _latency(threshold: Threshold, recording: Recording) -> float:
    outcome = threshold.selected("outcome")
    kind = LatencyKind(threshold.selected("kind") or LatencyKind.RESPONSE_TIME)
    outcomes = _ANSWERED if outcome is None else (Outcome(outcome),)
    histogram = recording.latencies.total(kind, outcomes)
    _check_count(threshold, histogram.count)
    if threshold.percent is not None:
        return histogram.percentile(threshold.percent)
    return histogram.mean if threshold.statistic == "mean" else histogram.maximum


def _coarse_latency(threshold: Threshold, stretch: Sequence[Second]) -> float:
    service = threshold.selected("kind") == LatencyKind.SERVICE_TIME
    buckets: Counter[int] = Counter()
    for second in stretch:
        buckets.update(second.service_times if service else second.response_times)
    _check_count(threshold, buckets.total())
    if threshold.statistic == "max":
        return milliseconds_of(max(buckets))
    if threshold.statistic == "mean":
        return sum(milliseconds_of(bucket) * count for bucket, count in buckets.items()) / buckets.total()
    found = Second().percentile(buckets, threshold.percent or 0.0)
    assert found is not None  # noqa: S101 - there are values
    return found


def _check_count(threshold: Threshold, count: int) -> None:
    needed = samples_needed(threshold.percent) if threshold.percent is not None else 1
    if count < needed:
        raise _UnknownError(f"{count:,} exchanges are too few: {threshold.statistic} needs {needed:,}")


def _achieved(threshold: Threshold, exchanges: int, seconds: float, planned: float | None) -> float:
    if threshold.unit is Unit.PER_SECOND:
        if not seconds:
            raise _UnknownError("no second was measured")
        return exchanges / seconds
    if not planned:
        raise _UnknownError("the load had no schedule: ask for exchanges a second, such as achieved_rate > 100/s")
    return exchanges / planned


def _dropped(seconds: Sequence[Second]) -> float:
    planned = sum(second.planned for second in seconds)
    if not planned:
        raise _UnknownError("no arrival was planned")
    return sum(second.dropped for second in seconds) / planned


def _counted(threshold: Threshold, outcomes: Mapping[str, int]) -> float:
    total, wanted = sum(outcomes.values()), threshold.selected("outcome")
    if threshold.metric == "exchanges":
        return float(total if wanted is None else outcomes.get(wanted, 0))
    if not total:
        raise _UnknownError("no exchange was measured")
    if threshold.metric == "throttle_rate":
        return outcomes.get(Outcome.THROTTLED, 0) / total
    if threshold.metric == "error_rate":
        return sum(outcomes.get(outcome, 0) for outcome in _ERRORS) / total
    return outcomes.get(wanted or "", 0) / total


def _family(name: str, evidence: Evidence) -> Counter[str]:
    """Return the outcomes that a family's cases got, the warm-up's among them."""
    if evidence.family_of is None:
        raise _UnknownError("the corpus of the run is gone, so the families of its cases are unknown")
    if not evidence.by_family:
        for index, entry in evidence.recording.ledger:
            counts = evidence.by_family.setdefault(evidence.family_of(index), Counter())
            for sighting in entry:
                counts[sighting.outcome.value] += sighting.count
    if name not in evidence.by_family:
        known = ", ".join(sorted(evidence.by_family)) or "none"
        raise _UnknownError(f"no case of the family {name} was fired; there are {known}")
    return evidence.by_family[name]


def _of_findings(threshold: Threshold, evidence: Evidence) -> float:
    found = [finding for finding in evidence.findings if finding.accepted_until is None]
    if threshold.metric != "findings":
        kind = _OF_FINDINGS[threshold.metric]
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
