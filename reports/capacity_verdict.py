"""What makes the answer of a capacity search doubtful, and what fails it."""

from __future__ import annotations

from typing import Final

from reports.capacity import Capacity
from reports.probe_judging import Probe

# Late waits of the load generator that are this part of the latency objective blur where the interval's ends lie.
_LAG_PART: Final = 0.1


def doubts(capacity: Capacity) -> list[str]:
    """Return why the interval is to be read with care; nothing when it can be trusted."""
    reasons = []
    if capacity.ended_by:
        reasons.append(f"the search was ended by {capacity.ended_by}: what it knew by then is shown")
    if capacity.low is not None and not capacity.sure:
        reasons.append("the ends of the interval were not confirmed by a second, longer measurement of each")
    blurred = [probe for probe in _ends(capacity) if _is_blurred(probe, capacity)]
    if blurred:
        worst = max(blurred, key=lambda probe: probe.lag_maximum)
        reasons.append(
            f"the load generator was late at {worst.rate:g} arrivals/s: 99 % of its waits ended within "
            f"{worst.lag_p99:.0f} ms of their time, the latest {worst.lag_maximum:.0f} ms after it, so that what was "
            "due meanwhile went out all at once"
        )
    return reasons


def _ends(capacity: Capacity) -> list[Probe]:
    """Return the probes of the interval's ends that the generator didn't limit."""
    return [probe for probe in capacity.curve() if probe.rate in {capacity.low, capacity.high} and not probe.limited]


def _is_blurred(probe: Probe, capacity: Capacity) -> bool:
    late = probe.lag_p99 > _LAG_PART * capacity.objectives.latency * 1000
    return late or (probe.disturbed and probe.leans_to_broken)


def no_answer(capacity: Capacity) -> list[str]:
    """Return why the search says nothing of the authorizer; nothing where it does."""
    if not capacity.curve():
        return ["no rate was measured to its end"]
    if capacity.low is None and capacity.limited:
        return [f"the load generator was the limit at the lowest rate already: {capacity.limited}"]
    return []


def missed(capacity: Capacity) -> tuple[str, ...]:
    """Return what was asked for and is not held."""
    asked = capacity.at_least
    if capacity.low is None and not capacity.limited:
        lowest = min((probe.rate for probe in capacity.curve()), default=None)
        return () if lowest is None else (f"the objectives were not kept even at {lowest:g} arrivals/s",)
    if asked is not None and capacity.low is not None and capacity.low < asked:
        return (f"{capacity.low:g} arrivals/s were held, not the {asked:g} that capacity.at_least asks for",)
    return ()
