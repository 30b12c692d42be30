"""Whether a rate is held: each objective with its 95 % interval, and whether work piles up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from statistics import linear_regression, mean
from typing import Final

from gatecrash.reports.capacity.limits import want_of_reports, want_of_slots, want_of_time
from gatecrash.reports.capacity.objectives import Objective, Objectives
from gatecrash.reports.capacity.probes import BINS_A_SECOND, Bin, ProbeCounts, Step
from gatecrash.reports.statistics.intervals import share_interval

# Work that piles up this fast, as a share of the arrivals, is more than noise; half of it can be either.
_GROWTH_BROKEN: Final = 0.005
_GROWTH_UNCLEAR: Final = 0.0025
_GROWTH_LEAST: Final = 4.0
# The slope's distance from nought in standard errors; blocks next to each other are not independent.
_SLOPE_CERTAIN: Final = 4.0
_BLOCKS_LEAST: Final = 4
_STALL_MILLISECONDS: Final = 50.0
# A stall seldom comes alone; and what a burst holds is counted with what comes while it is worked off.
_BURST_FACTOR: Final = 3.0
_LASTING: Final = frozenset({Objective.LATENCY, Objective.SATURATION})
# What is seen in time of a step that must be ended early: nearly all arrivals of its last seconds late.
_HOPELESS_SHARE: Final = 0.9
_HOPELESS_SECONDS: Final = 3.0


class ProbeStanding(StrEnum):
    """What the evidence says of an objective, or of a rate."""

    HELD = "held"
    UNCLEAR = "unclear"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Assessment:
    """One objective at one rate: the share of arrivals that broke it, with its 95 % interval, all 0 to 1."""

    objective: Objective
    share: float
    low: float
    high: float
    allowed: float
    standing: ProbeStanding


@dataclass(frozen=True, slots=True)
class Probe:
    """One rate, judged. Latencies in milliseconds, rates per second, shares 0 to 1.

    ``started`` is in seconds since the run's start. ``growth`` is by how many arrivals a second the unanswered ones
    grew. ``limited`` says why the load generator, not the authorizer, was the limit; empty where it wasn't. ``untold``
    is how many workers had not told all of it in time.
    """

    step: Step
    started: float
    arrivals: int
    answered_rate: float
    dropped: int
    service_p50: float
    p50: float
    p95: float
    p99: float
    at_percentile: float
    cold_starts: int
    growth: float
    backlog: int
    assessments: tuple[Assessment, ...]
    standing: ProbeStanding
    lag_p50: float
    lag_p99: float
    lag_maximum: float
    cpu: float
    limited: str = ""
    untold: int = 0

    @property
    def rate(self) -> float:
        """Arrivals a second."""
        return self.step.rate

    @property
    def disturbed(self) -> bool:
        """Whether it is to be fired again, if it was broken: the generator stood still, or a worker was not heard.

        What was due while it stood still went out at once. A backlog may take the whole step to go down. Throttles,
        errors and wrong decisions end with the burst, so more of them than a burst can hold are the authorizer's.
        """
        if self.untold:
            return True
        if self.lag_maximum <= _STALL_MILLISECONDS:
            return False
        burst = _BURST_FACTOR * self.lag_maximum / 1000 / self.step.seconds
        return not any(
            one.objective not in _LASTING and one.standing is ProbeStanding.BROKEN and one.low > one.allowed + burst
            for one in self.assessments
        )

    @property
    def leans_to_broken(self) -> bool:
        """Whether it looks broken, where one has to say one or the other."""
        if self.standing is ProbeStanding.UNCLEAR:
            return any(one.share > one.allowed for one in self.assessments)
        return self.standing is ProbeStanding.BROKEN

    @property
    def broken(self) -> tuple[Objective, ...]:
        """The objectives that were broken or look so, the one that was missed by the largest factor first."""
        missed = [one for one in self.assessments if one.standing is ProbeStanding.BROKEN or one.share > one.allowed]
        missed.sort(key=lambda one: one.share / max(one.allowed, 1e-6), reverse=True)
        return tuple(one.objective for one in missed)


def judge_probe(
    counts: ProbeCounts,
    objectives: Objectives,
    started: float,
    *,
    slots: int | None = None,
    workers: int = 1,
    untold: int = 0,
) -> Probe:
    """Judge what was counted in a step.

    ``slots`` is how many there were, None where there were as many as the rate needs at twice the latency asked for.
    ``untold`` of the ``workers`` had not told all that became of their part.
    """
    measured = list(counts.measured())
    due = sum(one.due for one in measured)
    assessments = [_share(objective, allowed, measured) for objective, allowed in objectives.allowed.items()]
    growth, backlog, saturation = _saturation(counts)
    assessments.append(saturation)
    p50, p95, p99, asked = counts.response_times.percentiles((50.0, 95.0, 99.0, objectives.percentile))
    lag_p50, lag_p99 = counts.lag.percentiles((50.0, 99.0))
    return Probe(
        step=counts.step,
        started=started,
        arrivals=due,
        answered_rate=sum(one.completed for one in measured) / counts.step.seconds,
        dropped=sum(one.dropped for one in measured),
        service_p50=counts.service_times.percentile(50),
        p50=p50,
        p95=p95,
        p99=p99,
        at_percentile=asked,
        cold_starts=counts.cold.count,
        growth=growth,
        backlog=backlog,
        assessments=tuple(assessments),
        standing=_worst(one.standing for one in assessments),
        lag_p50=lag_p50,
        lag_p99=lag_p99,
        lag_maximum=counts.lag.maximum,
        cpu=counts.cpu,
        limited=want_of_reports(counts.step, due, workers, untold)
        or want_of_time(counts, objectives, lag_p50, lag_p99)
        or (want_of_slots(counts, objectives, slots) if slots is not None and _is_only_late(assessments) else ""),
        untold=untold,
    )


def _is_only_late(assessments: Iterable[Assessment]) -> bool:
    """Say whether answers were late, and nothing else was broken."""
    broken = {one.objective for one in assessments if one.standing is ProbeStanding.BROKEN}
    late = any(one.standing is not ProbeStanding.HELD for one in assessments if one.objective in _LASTING)
    return late and broken <= _LASTING


def _worst(standings: Iterable[ProbeStanding]) -> ProbeStanding:
    found = set(standings)
    return next((one for one in (ProbeStanding.BROKEN, ProbeStanding.UNCLEAR) if one in found), ProbeStanding.HELD)


def _broke(objective: Objective, one: Bin) -> int:
    """Return how many of a bin's arrivals broke an objective."""
    if objective is Objective.LATENCY:
        # What was never answered is late, however short it has been due.
        return one.late + max(0, one.due - one.dropped - one.answered)
    if objective is Objective.THROTTLES:
        return one.throttled
    return one.errors if objective is Objective.ERRORS else one.wrong


def _share(objective: Objective, allowed: float, measured: Sequence[Bin]) -> Assessment:
    blocks = [measured[start : start + BINS_A_SECOND] for start in range(0, len(measured), BINS_A_SECOND)]
    pairs = [(sum(_broke(objective, one) for one in block), sum(one.due for one in block)) for block in blocks]
    broke, due = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    if not due:
        return Assessment(objective, 0.0, 0.0, 1.0, allowed, ProbeStanding.UNCLEAR)
    share = min(1.0, broke / due)
    effective = max(1, round(due / design_effect(pairs)))
    low, high = share_interval(min(effective, round(share * effective)), effective)
    # Rounding must not hide what was seen, or show what wasn't.
    low, high = min(low, share), max(high, share)
    if allowed == 0.0:
        # One is enough: none is allowed. That there was none is all that can be asked for.
        standing = ProbeStanding.BROKEN if broke else ProbeStanding.HELD
    elif high <= allowed:
        standing = ProbeStanding.HELD
    else:
        standing = ProbeStanding.BROKEN if low > allowed else ProbeStanding.UNCLEAR
    return Assessment(objective, share, low, high, allowed, standing)


def design_effect(pairs: Sequence[tuple[int, int]]) -> float:
    """Return by what factor the variance of a share is larger than that of independent arrivals; 1 at least.

    ``pairs`` are (how many broke, how many there were) of each second: what goes wrong comes in clusters, and a
    cluster is one observation rather than many (L. Kish, Survey Sampling, 1965, section 5.4).
    """
    pairs = [pair for pair in pairs if pair[1]]
    broke, total = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    if len(pairs) < _BLOCKS_LEAST or not 0 < broke < total:
        return 1.0
    share = broke / total
    between = sum((part - share * size) ** 2 for part, size in pairs) * len(pairs) / (len(pairs) - 1)
    return max(1.0, between / (share * (1 - share) * total))


def _saturation(counts: ProbeCounts) -> tuple[float, int, Assessment]:
    """Return how fast the backlog grew, the backlog at the end, and whether that is more than noise."""
    first = round(counts.step.measured_from * BINS_A_SECOND)
    backlogs = counts.backlogs()[first:]
    size = max(1, len(backlogs) // (2 * _BLOCKS_LEAST) if len(backlogs) < 8 * BINS_A_SECOND else BINS_A_SECOND)
    blocks = [mean(backlogs[start : start + size]) for start in range(0, len(backlogs) - size + 1, size)]
    end = backlogs[-1] if backlogs else 0
    if len(blocks) < _BLOCKS_LEAST:
        return 0.0, end, Assessment(Objective.SATURATION, 0.0, 0.0, 1.0, _GROWTH_BROKEN, ProbeStanding.UNCLEAR)
    slope, error = slope_of(blocks)
    growth = slope * BINS_A_SECOND / size
    seconds, rate = counts.step.seconds, counts.step.rate
    share, spread = max(0.0, growth / rate), 2 * error * BINS_A_SECOND / size / rate
    certain = slope > _SLOPE_CERTAIN * error and growth * seconds >= _GROWTH_LEAST
    standing = ProbeStanding.HELD
    if certain and share > _GROWTH_UNCLEAR:
        standing = ProbeStanding.BROKEN if share > _GROWTH_BROKEN else ProbeStanding.UNCLEAR
    # What isn't certain is none: the share decides where one has to say one or the other.
    seen = share if certain else 0.0
    interval = (max(0.0, seen - spread), min(1.0, seen + spread))
    return growth, end, Assessment(Objective.SATURATION, seen, *interval, _GROWTH_BROKEN, standing)


def slope_of(values: Sequence[float]) -> tuple[float, float]:
    """Return the slope of equally distant values by least squares, and its standard error."""
    places = range(len(values))
    slope, start = linear_regression(places, values)
    residuals = sum((value - start - slope * place) ** 2 for place, value in zip(places, values, strict=True))
    centre = (len(values) - 1) / 2
    return slope, sqrt(residuals / max(1, len(values) - 2) / sum((place - centre) ** 2 for place in places))


def is_hopeless(counts: ProbeCounts, now: float) -> bool:
    """Say whether a step can be ended early ``now``, in seconds since its start: nearly all of the last are late."""
    if now - counts.latency - counts.step.measured_from < _HOPELESS_SECONDS:
        return False
    last = int((now - counts.latency) * BINS_A_SECOND)
    seen = [counts.bins.get(number, Bin()) for number in range(last - BINS_A_SECOND, last)]
    due = sum(one.due for one in seen)
    return due > 0 and sum(_broke(Objective.LATENCY, one) for one in seen) > _HOPELESS_SHARE * due
