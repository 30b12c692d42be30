"""The open schedule: when each arrival is meant to start. Arithmetic only, no clock.

Every worker walks the same schedule and takes each n-th arrival, so what is fired does not depend on how many
workers there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from reports.plan import POISSON, Plan


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
    """Yield this worker's arrivals in order, to the end of the plan.

    Even arrivals are 1/rate apart. Poisson arrivals have exponential gaps with that mean, drawn from the plan's
    seed, as independent devices would arrive.
    """
    if plan.arrivals != POISSON:
        yield from _even(plan, share)
        return
    for number, start in enumerate(_poisson(plan)):
        if number % share.count == share.position:
            yield Arrival(number, start)


def _even(plan: Plan, share: Share) -> Iterator[Arrival]:
    number, rate, length = share.position, plan.rate, plan.length
    # Divided rather than summed up: no rounding error grows over hours.
    while (start := number / rate) < length:
        yield Arrival(number, start)
        number += share.count


def _poisson(plan: Plan) -> Iterator[float]:
    rng = Random(f"arrivals:{plan.seed}")
    start = rng.expovariate(plan.rate)
    while start < plan.length:
        yield start
        start += rng.expovariate(plan.rate)
