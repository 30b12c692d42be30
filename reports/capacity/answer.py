"""The answer to "how much does my authorizer hold?": an interval, what limits it, and the evidence."""

from __future__ import annotations

from dataclasses import dataclass

from gatecrash.reports.capacity.bucket import Bucket
from gatecrash.reports.capacity.judging import Probe
from gatecrash.reports.capacity.objectives import Objective, Objectives
from gatecrash.reports.capacity.probes import BINS_A_SECOND, ProbeCounts, StepKind
from gatecrash.reports.recording.latency import LatencyHistogram
from gatecrash.reports.statistics.intervals import share_interval

_BLOCK: int = BINS_A_SECOND // 2


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long objectives stayed broken after the load had gone down from ``overload`` to ``rate`` arrivals a second.

    ``seconds`` is None where they still were at the end of the ``watched`` seconds.
    """

    overload: float
    rate: float
    seconds: float | None
    watched: float


@dataclass(frozen=True, slots=True)
class ColdStarts:
    """The exchanges that started an execution environment; times in milliseconds from the intended start."""

    count: int
    p50: float
    p99: float
    maximum: float

    @classmethod
    def of(cls, histogram: LatencyHistogram) -> ColdStarts:
        """Read them from a histogram."""
        p50, p99 = histogram.percentiles((50.0, 99.0))
        return cls(histogram.count, p50, p99, histogram.maximum)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a search found. Rates in arrivals a second.

    ``low`` is the highest rate that was held, ``high`` the lowest that was not; None where there was none. ``sure``
    says that both were confirmed; ``ended_by`` names the limit that ended the search before that, and ``limited`` why
    the load generator was the limit where it was. ``apart`` is how many cases were answered wrongly at rest.
    """

    objectives: Objectives
    probes: tuple[Probe, ...] = ()
    low: float | None = None
    high: float | None = None
    sure: bool = False
    complete: bool = False
    ended_by: str = ""
    limited: str = ""
    binding: tuple[Objective, ...] = ()
    bucket: Bucket | None = None
    recovery: Recovery | None = None
    cold_starts: ColdStarts | None = None
    apart: int = 0
    at_least: float | None = None

    @property
    def broken_at(self) -> float | None:
        """The lowest rate above ``low`` that the authorizer itself didn't hold; None where it showed none."""
        broken = [probe.rate for probe in self.curve() if probe.leans_to_broken and not probe.limited]
        return min((rate for rate in broken if rate > (self.low or 0.0)), default=None)

    def curve(self) -> list[Probe]:
        """Return the latest probe of each rate that measured capacity, by rate."""
        latest = {
            probe.rate: probe for probe in self.probes if probe.step.kind not in {StepKind.REST, StepKind.RECOVER}
        }
        return [latest[rate] for rate in sorted(latest)]


def bad_until(counts: ProbeCounts, objectives: Objectives, until: float) -> float:
    """Return when, in seconds since the step's start, an objective was broken last; 0 when it never was.

    Looked at is each half second up to ``until``.
    """
    last = 0.0
    for start in range(0, int(until * BINS_A_SECOND) - _BLOCK + 1, _BLOCK):
        seen = [counts.bins[number] for number in range(start, start + _BLOCK) if number in counts.bins]
        due = sum(one.due for one in seen)
        shares = {
            Objective.LATENCY: sum(one.late + max(0, one.due - one.dropped - one.answered) for one in seen),
            Objective.THROTTLES: sum(one.throttled for one in seen),
            Objective.ERRORS: sum(one.errors for one in seen),
            Objective.WRONG_DECISIONS: sum(one.wrong for one in seen),
        }
        # So few arrivals show no share of one in a hundred: what counts is what can't be chance.
        if due and any(share_interval(shares[name], due)[0] > allowed for name, allowed in objectives.allowed.items()):
            last = (start + _BLOCK) / BINS_A_SECOND
    return last
