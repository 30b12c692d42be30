"""The search for capacity: which rate to fire next. Pure: it is told how each rate went, and knows no clock.

Rates double until one is not held, are bisected between the highest that was held and the lowest that wasn't, and
both ends are then fired again for longer, until each is certain by its confidence intervals.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import Final

from gatecrash.reports.capacity.bucket import Bucket
from gatecrash.reports.capacity.judging import Probe, ProbeStanding
from gatecrash.reports.capacity.objectives import Objective
from gatecrash.reports.capacity.probes import Step, StepKind
from gatecrash.reports.plan.facts import SearchPlan

# How near both ends come before they are confirmed, and how near they must be in the end.
_RATIO_BISECTED: Final = 1.10
_STEP_ASIDE: Final = 1.04
_STEP_LEAST: Final = 1.01
_ASIDE_MAXIMUM: Final = 5
_CONFIRM_FACTOR: Final = 2.0
_RECOVER_SECONDS: Final = 12.0
_RECOVER_SHARE: Final = 0.5
_DRAIN_FACTOR: Final = 1.5
_DRAIN_SECONDS_MAXIMUM: Final = 20.0
# What was broken while the generator stood still for a moment is fired again.
_REPEATS_MAXIMUM: Final = 2
_REPEATS_IN_ALL: Final = 8
# Samples for a percentile: this many beyond it.
_BEYOND: Final = 10
_SAMPLES_LEAST: Final = 50
# A step is never longer, however many samples the objectives would need.
_PROBE_SECONDS_MAXIMUM: Final = 60.0
# From this part of the first rate on downwards, nothing is held at all.
_LOWEST_PART: Final = 16


@dataclass(frozen=True, slots=True)
class SearchEnd:
    """Where a search stands: the highest rate that was held, and the lowest that was not; None where there is none.

    ``sure`` says that the confidence intervals leave no doubt about either.
    """

    low: Probe | None
    high: Probe | None
    sure: bool


@dataclass(slots=True)
class _Known:
    """What is known so far: the latest probe of each rate, and which rates are certain."""

    held: dict[float, Probe]
    broken: dict[float, Probe]

    def enter(self, probe: Probe, *, broken: bool) -> None:
        here, there = (self.broken, self.held) if broken else (self.held, self.broken)
        here[probe.rate] = probe
        there.pop(probe.rate, None)
        # A rate above one that isn't held, or below one that is, was misjudged or the authorizer changed.
        for rate in [rate for rate in there if (rate >= probe.rate if broken else rate <= probe.rate)]:
            del there[rate]

    @property
    def low(self) -> Probe | None:
        return self.held[max(self.held)] if self.held else None

    @property
    def high(self) -> Probe | None:
        return self.broken[min(self.broken)] if self.broken else None


Steps = Generator[Step, tuple[Probe, Bucket | None], None]


class Search:
    """One search for capacity."""

    def __init__(self, plan: SearchPlan) -> None:
        self._rates, self._objectives = plan.search, plan.objectives
        self._known = _Known({}, {})
        self._sure: set[tuple[float, bool]] = set()
        self._unclear: set[float] = set()
        self._bucket: Bucket | None = None
        self._number = 0
        self._recovered = False
        self._repeats_left = _REPEATS_IN_ALL

    def steps(self) -> Steps:
        """Yield the steps to fire one after the other; send in how each went, and what is known of a bucket."""
        yield from self._fire(StepKind.REST, self._rates.start_rate, self._rates.rest_seconds)
        yield from self._double()
        if self._known.low is None:
            yield from self._halve()
        while (rate := self._between(_RATIO_BISECTED)) is not None:
            yield from self._probe(StepKind.BISECT, rate)
        yield from self._confirm()
        if self._known.high is None and (low := self._known.low) is not None:
            yield from self._make_sure(low.rate, broken=False)

    def _double(self) -> Steps:
        rate, top = self._rates.start_rate, self._rates.max_rate
        while True:
            rate = min(rate, top) if top else rate
            probe = yield from self._probe(StepKind.DOUBLE, rate)
            if self._is_broken(probe) or rate == top:
                return
            rate *= 2

    def _halve(self) -> Steps:
        rate = self._rates.start_rate
        while self._known.low is None and rate > self._rates.start_rate / _LOWEST_PART:
            rate /= 2
            yield from self._probe(StepKind.DOUBLE, rate)

    def _between(self, ratio: float) -> float | None:
        """Return the next rate between both ends, None when they are as near as ``ratio`` or one is missing."""
        low, high = self._known.low, self._known.high
        if low is None or high is None or high.rate / low.rate <= ratio:
            return None
        if any(low.rate < rate < high.rate for rate in self._unclear):
            # What is between them is too near an objective: no rate there would say more.
            return None
        near = (low.rate * _STEP_LEAST, high.rate / _STEP_LEAST)
        hint = self._hint(high)
        for rate in (rounded(hint / _STEP_ASIDE), rounded(hint * _STEP_ASIDE)) if hint else ():
            if near[0] < rate < near[1]:
                return rate
        return rounded(sqrt(low.rate * high.rate))

    def _hint(self, high: Probe) -> float | None:
        """Return what an overload tells of the rate that is held: what gets through it. It may be less than that."""
        if high.limited:
            return None
        if Objective.THROTTLES in high.broken and self._bucket is not None:
            return self._bucket.rate
        return high.answered_rate if Objective.SATURATION in high.broken else None

    def _confirm(self) -> Steps:
        """Fire both ends for longer; one that isn't certain moves aside, one that was misjudged changes sides."""
        while (low := self._known.low) is not None and (high := self._known.high) is not None:
            if (rate := self._between(self._ratio_wanted)) is not None:
                yield from self._probe(StepKind.BISECT, rate)
            elif (low.rate, False) not in self._sure:
                yield from self._make_sure(low.rate, broken=False)
            elif (high.rate, True) not in self._sure and not high.limited:
                yield from self._make_sure(high.rate, broken=True)
            else:
                return

    @property
    def _ratio_wanted(self) -> float:
        half = self._rates.width / 2
        return (1 + half) / (1 - half)

    def _make_sure(self, rate: float, *, broken: bool) -> Steps:
        """Fire an end for longer; one that is too near to say moves away, for the interval must hold the truth."""
        for distance in range(_ASIDE_MAXIMUM):
            probe = yield from self._probe(StepKind.CONFIRM, rate)
            if _is_clear(probe):
                self._sure.add((rate, self._is_broken(probe)))
                return
            self._unclear.add(rate)
            self._known.held.pop(rate, None)
            self._known.broken.pop(rate, None)
            factor = _STEP_ASIDE ** (2**distance)
            rate = self._no_further(rounded(rate * factor if broken else rate / factor), broken=broken)
            if (rate, broken) in self._sure:
                return

    def _no_further(self, rate: float, *, broken: bool) -> float:
        """Return a rate, or the end that is known beyond which there is nothing to find out."""
        end = self._known.high if broken else self._known.low
        if end is None:
            return rate
        return min(rate, end.rate) if broken else max(rate, end.rate)

    def _probe(self, kind: StepKind, rate: float) -> Generator[Step, tuple[Probe, Bucket | None], Probe]:
        seconds = min(self._seconds(kind, rate), _PROBE_SECONDS_MAXIMUM)
        probe = yield from self._fire(kind, rate, seconds)
        for _ in range(_REPEATS_MAXIMUM):
            # A machine that stands still all the time is not worth waiting for.
            if not (self._is_broken(probe) and probe.disturbed and self._repeats_left):
                break
            self._repeats_left -= 1
            probe = yield from self._fire(kind, rate, seconds)
        broken = self._is_broken(probe)
        if kind is not StepKind.CONFIRM or _is_clear(probe):
            self._known.enter(probe, broken=broken)
        if broken and not self._recovered and not probe.limited:
            self._recovered = True
            yield from self._fire(StepKind.RECOVER, self._recovery_rate(rate), _RECOVER_SECONDS)
        return probe

    def _recovery_rate(self, rate: float) -> float:
        low = self._known.low
        return rounded((low.rate if low else rate / 2) * _RECOVER_SHARE)

    def _seconds(self, kind: StepKind, rate: float) -> float:
        """Return how long to measure: what is to be sure needs as many samples as the strictest objective asks for."""
        if kind is not StepKind.CONFIRM:
            return max(self._rates.probe_seconds, ceil(_SAMPLES_LEAST / rate))
        shares = [share for share in self._objectives.allowed.values() if share > 0]
        samples = _BEYOND / min(shares, default=1.0)
        return max(self._rates.probe_seconds * _CONFIRM_FACTOR, ceil(samples / rate))

    def _is_broken(self, probe: Probe) -> bool:
        return bool(probe.limited) or probe.leans_to_broken

    def _fire(self, kind: StepKind, rate: float, seconds: float) -> Generator[Step, tuple[Probe, Bucket | None], Probe]:
        step = Step(self._number, kind, rate, self._rates.warm_up, seconds)
        self._number += 1
        probe, bucket = yield self._drained(step)
        if self._bucket is None and bucket is not None:
            # The first is of a bucket that had time to fill. What passed on calls that were saved up proves nothing.
            self._bucket = bucket
            for rate in [rate for rate in self._known.held if rate > bucket.rate]:
                del self._known.held[rate]
        return probe

    def _drained(self, step: Step) -> Step:
        """Put a drain before a step where calls that were saved up would let it pass."""
        bucket, high = self._bucket, self._known.high
        if bucket is None or high is None or Objective.THROTTLES not in high.broken:
            return step
        if step.kind in {StepKind.REST, StepKind.RECOVER}:
            return step
        rate = max(bucket.rate * _DRAIN_FACTOR, step.rate)
        seconds = min(_DRAIN_SECONDS_MAXIMUM, bucket.burst / (rate - bucket.rate) + 0.5) if rate > bucket.rate else 0.0
        return replace(step, drain_rate=rate, drain=round(seconds, 1)) if seconds else step

    def end(self) -> SearchEnd:
        """Return what is known by now."""
        low, high = self._known.low, self._known.high
        if high is None:
            return SearchEnd(low, None, sure=low is not None and (low.rate, False) in self._sure)
        sure = low is not None and (low.rate, False) in self._sure
        return SearchEnd(low, high, sure=sure and (bool(high.limited) or (high.rate, True) in self._sure))


def _is_clear(probe: Probe) -> bool:
    return probe.standing is not ProbeStanding.UNCLEAR or bool(probe.limited)


def rounded(rate: float) -> float:
    """Return a rate with four significant digits: a person reads it."""
    return float(f"{rate:.4g}")
