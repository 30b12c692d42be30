"""Phases: given cases in their order, so many at a time. Arithmetic only; the clock is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gatecrash.firing.arrivals import Arrival, Share
from gatecrash.reports.run.plan import Phase


def own_concurrency(phase: Phase, share: Share) -> int:
    """Return how many requests this worker may have in flight: its part of the phase's, one at least."""
    mine = phase.concurrency // share.count + (share.position < phase.concurrency % share.count)
    return max(1, mine)


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
