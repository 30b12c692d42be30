"""Comparing two runs in every aspect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from gatecrash.reports.comparison.comparability import differences, doubts, obstacles, other_cases
from gatecrash.reports.comparison.comparison import (
    Aspect,
    Change,
    Comparison,
    ComparisonLimits,
    LatencyTable,
    Side,
    summed_up,
)
from gatecrash.reports.comparison.decisions import DecisionDiff, compare_decisions
from gatecrash.reports.comparison.findings import compare_findings
from gatecrash.reports.comparison.latency import compare_latencies, curves, over_time
from gatecrash.reports.comparison.rates import compare_rates
from gatecrash.reports.plan.plan import CLOSED
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.records import CaseFacts, LatencyKind
from gatecrash.reports.run.summary import Summary
from gatecrash.reports.statistics.directions import Direction

LATENCY: Final = "latency"
FINDINGS: Final = "findings"
DECISIONS: Final = "decisions"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the corpus that both runs fired: the facts of a case, without its request and with it."""

    facts: Callable[[int], CaseFacts]
    in_full: Callable[[int], CaseFacts]


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One of two runs: its summary, its recording, and its folder or what else it is known by."""

    summary: Summary
    recording: Recording
    place: str

    @property
    def side(self) -> Side:
        """What a comparison tells of it."""
        info = self.summary.info
        return Side(info.name, self.place, info.started_at, self.summary.exchanges, self.summary.measured_seconds)


def compare(
    earlier: ComparedRun,
    later: ComparedRun,
    limits: ComparisonLimits,
    known: Known | None = None,
    *,
    policies: bool = True,
    paired: bool = False,
) -> Comparison:
    """Compare a later run with an earlier one; a comparison that was ``refused`` says why it can't be.

    ``paired`` says that both were fired by turns, one exchange after the other: their seconds are the same moments, and
    there was no schedule to keep to. ``policies`` False: a policy that changed doesn't count.
    """
    reasons = obstacles(earlier.summary, later.summary)
    made = partial(Comparison, earlier.side, later.side, limits, replayable=not paired)
    if reasons:
        return made(refused=tuple(reasons))
    is_campaign = later.summary.campaign is not None
    latencies: list[LatencyTable] = []
    rates: list[Change] = []
    if not is_campaign:
        judge = LatencyKind.RESPONSE_TIME
        if paired or later.summary.info.plan.model == CLOSED:
            judge = LatencyKind.SERVICE_TIME
        latencies = compare_latencies(earlier.recording, later.recording, limits, judge, paired=paired)
        rates = compare_rates(earlier.recording.series, later.recording.series, limits, pace=not paired)
    found = compare_findings(earlier.summary.findings, later.summary.findings)
    decided, why = _decisions(earlier, later, limits, known, policies=policies)
    return made(
        aspects=(
            *_latency_aspects(latencies),
            *(Aspect(one.name, one.direction, one.reason) for one in rates),
            Aspect(FINDINGS, summed_up(found.directions)),
            Aspect(DECISIONS, decided.direction, why),
        ),
        latencies=tuple(latencies),
        rates=tuple(rates),
        findings=found,
        decisions=decided,
        doubts=tuple(doubts(earlier.summary, later.summary)),
        differences=tuple(differences(earlier.summary.info, later.summary.info)),
        curves=curves(earlier.recording, later.recording) if latencies else {},
        over_time=over_time(earlier.recording, later.recording) if latencies else {},
    )


def _latency_aspects(tables: list[LatencyTable]) -> list[Aspect]:
    judged = [change for table in tables if table.judged for change in table.changes]
    if not judged:
        return []
    direction = summed_up(change.direction for change in judged)
    return [Aspect(LATENCY, direction, judged[0].reason if direction is Direction.UNJUDGED else "")]


def _decisions(
    earlier: ComparedRun, later: ComparedRun, limits: ComparisonLimits, known: Known | None, *, policies: bool
) -> tuple[DecisionDiff, str]:
    if later.summary.campaign is not None:
        return DecisionDiff(), "a fuzz run chooses its requests as it goes: its findings are compared"
    if (why := other_cases(earlier.summary.info, later.summary.info)) is not None:
        return DecisionDiff(), why
    ledgers: tuple[Ledger, Ledger] = (earlier.recording.ledger, later.recording.ledger)
    facts, in_full = (known.facts, known.in_full) if known is not None else (None, None)
    diff = compare_decisions(*ledgers, limits.confidence, facts, in_full, policies=policies)
    return diff, "" if diff.compared else "no case was answered in both runs"
