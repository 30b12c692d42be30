"""When each arrival is meant to start: of schedules, steps of a search, and phases. Arithmetic only; a clock is given.

Every worker walks the same schedule and takes each n-th arrival, so what is fired does not depend on how many
workers there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from random import Random
from typing import NamedTuple

from gatecrash.reports.capacity.probes import Step
from gatecrash.reports.plan.plan import POISSON, Phase, Plan


class Arrival(NamedTuple):
    """One planned firing: its number in the whole run, and its intended start in seconds from the run's start.

    ``case`` is the case to fire; None is the one whose turn it is by the number.
    """

    number: int
    intended_start: float
    case: int | None = None
    phase: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """Which of the workers this one is: ``position`` counts from 0 to ``count`` - 1."""

    position: int
    count: int


def schedule(plan: Plan, share: Share) -> Iterator[Arrival]:
    """Yield this worker's arrivals in order, to the end of the plan."""
    if not plan.stages:
        yield from spread(plan.rate, plan.length, share, random=_random_of(plan))
        return
    start, number = 0.0, 0
    for place, (rate, seconds) in enumerate(_parts(plan)):
        for arrival in spread(rate, seconds, share, random=_random_of(plan, place), first=number):
            yield Arrival(arrival.number, start + arrival.intended_start)
        start, number = start + seconds, number + ceil(rate * seconds)


def _parts(plan: Plan) -> list[tuple[float, float]]:
    """Return the rates of a plan one after the other, each with how many seconds it lasts."""
    if not plan.stages:
        return [(plan.rate, plan.length)]
    return [(plan.rate, plan.warm_up), *((stage.rate, stage.seconds) for stage in plan.stages)]


def due_after(plan: Plan, moment: float) -> float:
    """Return how many arrivals, of all workers, a plan has after a moment in seconds from the run's start."""
    start, due = 0.0, 0.0
    for rate, seconds in _parts(plan):
        due += rate * max(0.0, start + seconds - max(start, moment))
        start += seconds
    return due


def step_arrivals(plan: Plan, step: Step, start: float, share: Share) -> Iterator[Arrival]:
    """Yield this worker's arrivals of one step of a capacity search, which begins at ``start``."""
    number = step.first
    for rate, seconds in ((step.drain_rate, step.drain), (step.rate, step.warm_up + step.seconds)):
        if not seconds:
            continue
        for arrival in spread(rate, seconds, share, random=_random_of(plan, step.number), first=number):
            yield Arrival(arrival.number, start + arrival.intended_start)
        number, start = number + ceil(rate * seconds), start + seconds


def own_concurrency(phase: Phase, share: Share) -> int:
    """Return how many requests this worker may have in flight: its part of the phase's, one at least."""
    return max(1, phase.concurrency // share.count + (share.position < phase.concurrency % share.count))


def phase_arrivals(phase: Phase, share: Share, elapsed: Callable[[], float]) -> Iterator[Arrival]:
    """Yield this worker's part of a phase, until its seconds are over.

    A phase of one request at a time is fired by the first worker alone: its order is what it is about. The intended
    start is the earliest moment that the phase's rate allows.
    """
    workers = min(share.count, phase.concurrency)
    if share.position >= workers:
        return
    started = elapsed()
    gap = workers / phase.rate if phase.rate else 0.0
    for place, case in enumerate(phase.cases[share.position :: workers]):
        intended = started + place * gap
        if max(intended, elapsed()) - started > phase.seconds:
            return
        yield Arrival(place * workers + share.position, intended, case, phase.name)


def spread(
    rate: float, seconds: float, share: Share, *, random: Random | None = None, first: int = 0
) -> Iterator[Arrival]:
    """Yield this worker's part of the arrivals at one rate, numbered from ``first`` on; the first is due at once.

    Even arrivals are 1/rate apart. With ``random`` they have exponential gaps with that mean, as independent devices
    would arrive.
    """
    if random is None:
        yield from _even(rate, seconds, share, first)
        return
    for number, start in enumerate(_poisson(rate, seconds, random), first):
        if number % share.count == share.position:
            yield Arrival(number, start)


def _random_of(plan: Plan, *parts: int) -> Random | None:
    if plan.arrivals != POISSON:
        return None
    return Random(":".join(("arrivals", str(plan.seed), *map(str, parts))))


def _even(rate: float, seconds: float, share: Share, first: int) -> Iterator[Arrival]:
    number = first + (share.position - first) % share.count
    # Divided rather than summed up: no rounding error grows over hours.
    while (start := (number - first) / rate) < seconds:
        yield Arrival(number, start)
        number += share.count


def _poisson(rate: float, seconds: float, random: Random) -> Iterator[float]:
    start = random.expovariate(rate)
    while start < seconds:
        yield start
        start += random.expovariate(rate)
