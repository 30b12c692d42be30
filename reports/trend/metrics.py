"""What is followed from run to run, and what is worse: higher or lower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Final

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.comparison.comparison import Unit
from gatecrash.reports.comparison.rates import ACHIEVED_RATE, ERROR_RATE, THROTTLE_RATE
from gatecrash.reports.oracles.rules import Severity
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.run.summary import LatencyRow, Summary
from gatecrash.reports.statistics.change_points import Scale
from gatecrash.reports.trend.history import HistoryRun

CAPACITY: Final = "capacity"
RUN: Final = "run"
FUZZ: Final = "fuzz"
_PERCENTILES: Final = ("p50", "p95", "p99")


@dataclass(frozen=True, slots=True)
class TrendLimits:
    """From which change on a level is another one.

    ``significance`` is the probability, for one number, that chance alone makes a change point. ``latency``,
    ``achieved_rate`` and ``capacity`` are relative changes, ``latency_ms`` milliseconds, the other two differences of
    shares. ``runs`` is how many of the newest runs are looked at.
    """

    significance: float = 0.001
    latency: float = 0.05
    latency_ms: float = 0.5
    throttle_rate: float = 0.005
    error_rate: float = 0.002
    achieved_rate: float = 0.02
    capacity: float = 0.05
    runs: int = 90


@dataclass(frozen=True, slots=True)
class TrendMetric:
    """One number of a run. ``decides`` says whether a change for the worse is an alarm, or is only told."""

    name: str
    label: str
    unit: Unit
    higher_is_worse: bool = True
    decides: bool = True

    @property
    def factor(self) -> float:
        """By what a value is multiplied where numbers stand without their unit: a share is told in per cent."""
        return 100.0 if self.unit is Unit.SHARE else 1.0

    def scale(self, limits: TrendLimits) -> Scale:
        """Return how values are set against each other."""
        if self.unit is Unit.MILLISECONDS:
            return Scale(is_ratio=True, least=limits.latency, floor=limits.latency_ms)
        if self.unit is Unit.SHARE:
            return Scale(is_ratio=False, least=getattr(limits, self.name))
        return Scale(is_ratio=True, least=getattr(limits, self.name))


METRICS: Final = (
    # Of the two latencies that which a device waits for decides; the other one tells where the time goes.
    *(
        TrendMetric(
            f"{kind.value}.{name}", f"{kind.value.replace('_', ' ')} {name}", Unit.MILLISECONDS, decides=decides
        )
        for kind, decides in ((LatencyKind.RESPONSE_TIME, True), (LatencyKind.SERVICE_TIME, False))
        for name in _PERCENTILES
    ),
    TrendMetric(THROTTLE_RATE, "throttle rate", Unit.SHARE),
    TrendMetric(ERROR_RATE, "error rate", Unit.SHARE),
    TrendMetric(ACHIEVED_RATE, "achieved rate", Unit.PER_SECOND, higher_is_worse=False),
    TrendMetric(CAPACITY, "rate that is held", Unit.PER_SECOND, higher_is_worse=False),
)


def history_run(summary: Summary, place: str, revision: str) -> HistoryRun:
    """Return what a history keeps of a judged run."""
    kind = CAPACITY if summary.capacity is not None else FUZZ if summary.campaign is not None else RUN
    failing = [one for one in summary.findings if one.rule.severity > Severity.NOTE and one.accepted_until is None]
    return HistoryRun(
        place=place,
        info=summary.info,
        kind=kind,
        revision=revision,
        validity=summary.judgement.validity.value,
        reason=next(iter(summary.judgement.reasons), ""),
        verdict=summary.verdict.word,
        exit_code=summary.verdict.exit_code.value,
        numbers=_numbers(summary),
        findings=tuple((one.fingerprint, one.rule.code, one.rule.title) for one in failing),
    )


def _numbers(summary: Summary) -> dict[str, float]:
    if summary.capacity is not None:
        low, high = summary.capacity.low, summary.capacity.high
        return {CAPACITY: sqrt(low * high)} if low and high else {}
    # A campaign's latencies are those of attacks, as many as time allowed.
    if summary.campaign is not None or not summary.exchanges:
        return {}
    latencies = [row for row in summary.latencies if row.outcome is None and row.count]
    return {name: value for row in latencies for name, value in _percentiles(row).items()} | {
        THROTTLE_RATE: summary.throttle_rate,
        ERROR_RATE: sum(count for outcome, count in summary.outcomes.items() if Outcome(outcome).is_error)
        / summary.exchanges,
        ACHIEVED_RATE: summary.achieved_rate,
    }


def _percentiles(row: LatencyRow) -> Mapping[str, float]:
    values = {"p50": row.p50, "p95": row.p95, "p99": row.p99}
    return {f"{row.kind}.{name}": values[name] for name in _PERCENTILES if name not in row.too_few and values[name] > 0}
