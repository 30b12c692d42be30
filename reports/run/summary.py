"""The summary: every number that a report shows, computed once from a stored run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gatecrash.authorizers.contract import LATENCY_OUTCOMES, Outcome
from gatecrash.reports.capacity.answer import Capacity
from gatecrash.reports.capacity.verdict import missed
from gatecrash.reports.course.drift import Drift, drift_of
from gatecrash.reports.course.families import FamilyRow, KindOf, families_of
from gatecrash.reports.course.heat import LatencyHeat, heat_of
from gatecrash.reports.course.memory import MemoryRow, memory_rows
from gatecrash.reports.course.spike import Spike, spike_of
from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.oracles.rules import Severity
from gatecrash.reports.plan.facts import RunInfo
from gatecrash.reports.plan.plan import CLOSED
from gatecrash.reports.recording.latency import PERCENTILES, LatencyHistogram
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.run.campaign import Campaign
from gatecrash.reports.run.folder import RunState, StoredRun
from gatecrash.reports.run.verdict import Measurement, ValidityJudgement, Verdict, decide, judge_validity
from gatecrash.reports.statistics.intervals import percentile_ranks, samples_needed
from gatecrash.reports.thresholds.judging import Evidence, Standing, ThresholdJudgement, judge_thresholds
from gatecrash.reports.thresholds.parsing import declared
from gatecrash.reports.thresholds.threshold import Job

# From and to; None is a side on which no sample bounds the percentile.
Interval = tuple[float | None, float | None]
_ROUNDING: Final = 1e-6
# The percentiles of PERCENTILES, as the members of a row name them.
PERCENTILE_NAMES: Final = ("p50", "p90", "p95", "p99", "p99_9")


@dataclass(frozen=True, slots=True)
class LatencyRow:
    """One distribution; times in milliseconds. ``outcome`` is None for all answered exchanges together.

    ``intervals`` are the 95 % confidence intervals of the percentiles by their names; ``too_few`` names the percentiles
    that fewer exchanges than needed lie above.
    """

    outcome: str | None
    kind: str
    count: int
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    p99_9: float
    maximum: float
    intervals: dict[str, Interval]
    too_few: tuple[str, ...]

    @classmethod
    def of(cls, outcome: str | None, kind: LatencyKind, histogram: LatencyHistogram) -> LatencyRow:
        """Read a row from a histogram."""
        count = histogram.count
        p50, p90, p95, p99, p99_9 = histogram.percentiles(PERCENTILES)
        intervals = _intervals(histogram) if count else {}
        named = zip(PERCENTILE_NAMES, PERCENTILES, strict=True)
        too_few = tuple(name for name, percent in named if count < samples_needed(percent))
        numbers = (histogram.mean, p50, p90, p95, p99, p99_9, histogram.maximum)
        return cls(outcome, kind.value, count, *numbers, intervals, too_few)


def _intervals(histogram: LatencyHistogram) -> dict[str, Interval]:
    ranks = [percentile_ranks(histogram.count, percent) for percent in PERCENTILES]
    values = histogram.at_ranks([rank or 1 for pair in ranks for rank in pair])
    found: dict[str, Interval] = {}
    for place, (name, (lowest, highest)) in enumerate(zip(PERCENTILE_NAMES, ranks, strict=True)):
        low, high = values[2 * place : 2 * place + 2]
        found[name] = (low if lowest else None, high if highest else None)
    return found


@dataclass(frozen=True, slots=True)
class SecondRow:
    """One second: counts, and percentiles of both latencies in milliseconds (None when nothing came back).

    ``wrong`` decisions are None where nobody counted them.
    """

    second: int
    warm_up: bool
    planned: int
    dropped: int
    outcomes: dict[str, int]
    service_p50: float | None
    service_p95: float | None
    response_p50: float | None
    response_p95: float | None
    service_p99: float | None = None
    response_p99: float | None = None
    wrong: int | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """A run, ready to be written in any format.

    Counts and rates are of the measured part unless they say otherwise: ``planned`` and ``dropped`` arrivals and
    ``exchanges`` recorded, ``warm_up_exchanges`` kept apart. Rates are per second; ``achieved_rate`` counts
    exchanges by their intended start. ``throttle_rate`` is a share of the exchanges, 0 to 1. ``wrong_bound`` is
    the upper 95 % bound on the share of wrong decisions when none was seen (rule of three), else None.
    ``latencies`` has all answered exchanges first, then a row for each outcome, both kinds each; ``curves`` are
    (percentile, milliseconds) pairs by kind. ``families`` are what the corpus of a run under load covered; empty where
    it is gone.
    """

    info: RunInfo
    state: RunState
    judgement: ValidityJudgement
    verdict: Verdict
    findings: list[Finding]
    planned: int
    dropped: int
    exchanges: int
    warm_up_exchanges: int
    cold_starts: int
    measured_seconds: float
    planned_rate: float
    achieved_rate: float
    throttle_rate: float
    wrong_bound: float | None
    outcomes: dict[str, int]
    latencies: list[LatencyRow]
    curves: dict[str, list[tuple[float, float]]]
    lag: LatencyRow
    seconds: list[SecondRow]
    cases_seen: int
    campaign: Campaign | None = None
    capacity: Capacity | None = None
    spike: Spike | None = None
    drift: Drift | None = None
    memory: tuple[MemoryRow, ...] = ()
    heat: LatencyHeat | None = None
    thresholds: tuple[ThresholdJudgement, ...] = ()
    families: tuple[FamilyRow, ...] = ()


def summarise(run: StoredRun, kind_of: KindOf | None = None) -> Summary:
    """Compute the summary of a stored run; ``kind_of`` tells of the cases, None where their corpus is gone."""
    recording = run.recording
    measured = [second for _, second in recording.series if not second.warm_up]
    planned, dropped = sum(second.planned for second in measured), sum(second.dropped for second in measured)
    exchanges = sum(recording.outcomes.values())
    outcomes = {outcome.value: recording.outcomes[outcome] for outcome in Outcome if recording.outcomes[outcome]}
    broken = run.campaign.broken if run.campaign else None
    judgement = judge_validity(
        Measurement(
            run.state,
            planned,
            dropped,
            exchanges,
            outcomes,
            recording.lag,
            broken,
            run.capacity,
            delays=recording.delays,
            latencies={kind: recording.latencies.total(kind, LATENCY_OUTCOMES) for kind in LatencyKind},
            unaccounted=_unaccounted(run),
            clock_jumps=tuple(recording.clock_jumps),
            is_timed_by_kernel=recording.is_timed_by_kernel,
        )
    )
    seconds_measured = _measured_seconds(run, len(measured))
    planned_rate = _planned_rate(run, planned, seconds_measured)
    wanted = declared(run.info.settings.get("thresholds", {}))
    thresholds = judge_thresholds(wanted.thresholds, _evidence(run, seconds_measured, planned_rate, kind_of))
    failed = tuple(
        one.sentence
        for one in thresholds
        if one.standing is Standing.FAILED or (one.standing is Standing.NOT_JUDGED and wanted.too_few_fails)
    )
    verdict = decide(run.findings, judgement, run.state, (*(missed(run.capacity) if run.capacity else ()), *failed))
    return Summary(
        info=run.info,
        state=run.state,
        judgement=judgement,
        verdict=verdict,
        findings=run.findings,
        planned=planned,
        dropped=dropped,
        exchanges=exchanges,
        warm_up_exchanges=recording.warm_up_exchanges,
        cold_starts=recording.cold_starts,
        measured_seconds=seconds_measured,
        planned_rate=planned_rate,
        achieved_rate=exchanges / seconds_measured if seconds_measured else 0.0,
        throttle_rate=recording.outcomes[Outcome.THROTTLED] / exchanges if exchanges else 0.0,
        wrong_bound=_wrong_bound(run),
        outcomes=outcomes,
        latencies=_latency_rows(run),
        curves={kind.value: recording.latencies.total(kind, LATENCY_OUTCOMES).curve() for kind in LatencyKind},
        lag=LatencyRow.of(None, LatencyKind.RESPONSE_TIME, recording.lag),
        seconds=_second_rows(run),
        cases_seen=len(recording.ledger),
        campaign=run.campaign,
        capacity=run.capacity,
        spike=spike_of(run.info.plan, recording.series),
        drift=drift_of(recording.series) if _is_soak(run) else None,
        memory=tuple(memory_rows(run.memory)),
        heat=heat_of(recording.series),
        thresholds=thresholds,
        families=families_of(recording.ledger, kind_of) if kind_of is not None else (),
    )


def _evidence(run: StoredRun, measured_seconds: float, planned_rate: float, kind_of: KindOf | None) -> Evidence:
    seconds = [(number, second) for number, second in run.recording.series if not second.warm_up]
    # The second in which a run ended is no whole one, unless its plan ends with it.
    end = (run.info.plan.warm_up or 0.0) + measured_seconds
    if seconds and (not run.state.complete or seconds[-1][0] + 1 > end + _ROUNDING):
        seconds = seconds[:-1]
    has_schedule = planned_rate > 0 and run.info.plan.model != CLOSED and run.campaign is None
    return Evidence(
        run.recording,
        seconds,
        measured_seconds,
        planned_rate if has_schedule else None,
        run.findings,
        run.capacity,
        (lambda index: kind_of(index)[0]) if kind_of is not None else None,
        job=_job(run),
    )


def _job(run: StoredRun) -> Job:
    scenario = run.info.plan.scenario
    if run.campaign is not None or scenario == "fuzz":
        return Job.FUZZ
    return Job.CAPACITY if run.capacity is not None or scenario == "capacity" else Job.RUN


def _is_soak(run: StoredRun) -> bool:
    return run.info.plan.scenario == "soak"


def _planned_rate(run: StoredRun, planned: int, seconds: float) -> float:
    """Return the rate of the plan, over all its stages where it has several."""
    if run.info.plan.stages:
        return planned / seconds if seconds else 0.0
    return run.info.plan.rate or 0.0


def _measured_seconds(run: StoredRun, seconds_seen: int) -> float:
    """Return the length of the measured part: what was planned, or as far as the run got."""
    duration = float(run.info.plan.duration or seconds_seen)
    if run.state.complete:
        return duration
    return max(0.0, min(duration, run.state.elapsed - (run.info.plan.warm_up or 0.0)))


def _unaccounted(run: StoredRun) -> int:
    """Return how many arrivals of a complete run were neither dropped nor recorded as exchanges, warm-up included."""
    seconds = [second for _, second in run.recording.series]
    planned = sum(second.planned for second in seconds)
    if not planned or not run.state.complete or run.state.workers_lost or run.campaign is not None:
        return 0
    seen = sum(second.dropped + second.outcomes.total() for second in seconds)
    return max(0, planned - seen)


def _wrong_bound(run: StoredRun) -> float | None:
    decided = sum(run.recording.outcomes[outcome] for outcome in Outcome if outcome.is_decision)
    wrong = any(finding.rule.severity > Severity.NOTE for finding in run.findings)
    return None if wrong or not decided else min(1.0, 3.0 / decided)


def _latency_rows(run: StoredRun) -> list[LatencyRow]:
    book = run.recording.latencies
    rows = [LatencyRow.of(None, kind, book.total(kind, LATENCY_OUTCOMES)) for kind in LatencyKind]
    return rows + [LatencyRow.of(outcome.value, kind, histogram) for outcome, kind, histogram in book]


def _second_rows(run: StoredRun) -> list[SecondRow]:
    return [
        SecondRow(
            number,
            second.warm_up,
            second.planned,
            second.dropped,
            {outcome: count for outcome, count in second.outcomes.items() if count},
            second.percentile(second.service_times, 50),
            second.percentile(second.service_times, 95),
            second.percentile(second.response_times, 50),
            second.percentile(second.response_times, 95),
            second.percentile(second.service_times, 99),
            second.percentile(second.response_times, 99),
            second.wrong,
        )
        for number, second in run.recording.series
    ]
