"""What makes the answer of a capacity search doubtful, and what fails it."""

from __future__ import annotations

from typing import Final

from gatecrash.reports.capacity.answer import Capacity
from gatecrash.reports.capacity.judging import Probe, ProbeStanding

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
    """Return why the search says nothing of the authorizer, or not what was asked; nothing where it does."""
    if not capacity.curve():
        return ["no rate was measured to its end"]
    if capacity.low is None and capacity.limited:
        return [f"the load generator was the limit at the lowest rate already: {capacity.limited}{_advice(capacity)}"]
    asked = capacity.at_least
    if asked is None or not capacity.complete or judge_at_least(capacity, asked) is not ProbeStanding.UNCLEAR:
        return []
    held = "no rate was" if capacity.low is None else f"{capacity.low:g} arrivals/s were"
    unknown = f"whether the {asked:g} that capacity.at_least asks for are held is not known"
    return [f"{held} shown to be held, and {_why_not_known(capacity)}: {unknown}"]


def _why_not_known(capacity: Capacity) -> str:
    """Return what kept the search from trying the rate that was asked for, and what to do about it."""
    if capacity.limited:
        return f"at {capacity.high:g} the load generator was the limit ({capacity.limited}{_advice(capacity)})"
    if "limit" in capacity.ended_by:
        flags = "--seconds" if "time" in capacity.ended_by else "--requests or --cost"
        return f"the search was ended by {capacity.ended_by} (allow more by {flags}, or begin nearer by --start-rate)"
    if capacity.ended_by:
        return f"the search was ended by {capacity.ended_by}"
    return "no higher rate was tried (raise --max-rate)"


def _advice(capacity: Capacity) -> str:
    # A want of slots says itself what to do.
    if "--users" in capacity.limited:
        return ""
    return "; fire from more cores by --processes, or from more machines by --master"


def judge_at_least(capacity: Capacity, asked: float) -> ProbeStanding:
    """Say whether a rate is held; broken only where the authorizer, not what fires at it, is the bound.

    Unclear is one beyond what the load generator, the highest rate to be tried or a limit of the search let it show.
    """
    if capacity.low is not None and capacity.low >= asked:
        return ProbeStanding.HELD
    # Between both ends of a finished search nothing more can be told: it is not shown to be held.
    if capacity.high is not None and not (capacity.limited or capacity.ended_by):
        return ProbeStanding.BROKEN
    bound = capacity.broken_at
    return ProbeStanding.BROKEN if bound is not None and bound <= asked else ProbeStanding.UNCLEAR


def missed(capacity: Capacity) -> tuple[str, ...]:
    """Return what was asked for and is not held."""
    asked = capacity.at_least
    if asked is not None and judge_at_least(capacity, asked) is ProbeStanding.UNCLEAR:
        return ()
    if capacity.low is None and not capacity.limited:
        lowest = min((probe.rate for probe in capacity.curve()), default=None)
        return () if lowest is None else (f"the objectives were not kept even at {lowest:g} arrivals/s",)
    if asked is not None and judge_at_least(capacity, asked) is ProbeStanding.BROKEN:
        held = "no rate was" if capacity.low is None else f"{capacity.low:g} arrivals/s were"
        return (f"{held} held, not the {asked:g} that capacity.at_least asks for",)
    return ()
