"""When the load generator, not the authorizer, is the limit at a rate. Each returns why, or nothing."""

from __future__ import annotations

from typing import Final

from gatecrash.reports.capacity.objectives import Objective, Objectives
from gatecrash.reports.capacity.probes import ProbeCounts, Step

# A generator that is late by this part of the latency objective, or has no CPU left, measures itself.
_LAG_MEDIAN: Final = 0.05
_LAG_TAIL: Final = 0.5
_CPU_FULL: Final = 0.95
# So many of the arrivals without a free slot are more than a moment's.
_WAITED_SHARE: Final = 0.01


def want_of_reports(step: Step, due: int, workers: int, untold: int) -> str:
    """Say that ``untold`` of the workers had not told all of a step; ``due`` arrivals of it are known."""
    if not untold:
        return ""
    planned = round(step.rate * step.seconds)
    known = f": {due} of about {planned} arrivals are known" if due < planned else ""
    return f"{untold} of {workers} workers had not told all of it in time{known}"


def want_of_time(counts: ProbeCounts, objectives: Objectives, lag_p50: float, lag_p99: float) -> str:
    """Say that a worker had no CPU left, or that waits ended late; lags in milliseconds."""
    if counts.cpu > _CPU_FULL:
        return f"a worker used {counts.cpu:.0%} of a core"
    for percent, lag, part in ((50, lag_p50, _LAG_MEDIAN), (99, lag_p99, _LAG_TAIL)):
        if counts.lag.count and lag > part * objectives.latency * 1000:
            return f"the load generator was late: {percent} % of its waits ended up to {lag:.1f} ms after their time"
    return ""


def want_of_slots(counts: ProbeCounts, objectives: Objectives, slots: int) -> str:
    """Say that arrivals waited for one of the ``slots``, while what was sent was answered in time.

    In time is what keeps to the latency asked for from its sending on; what hangs is not.
    """
    measured = list(counts.measured())
    due = sum(one.due for one in measured)
    if counts.waited <= _WAITED_SHARE * due:
        return ""
    sent = due - sum(one.dropped for one in measured)
    unanswered = max(0, sent - sum(one.answered for one in measured))
    slow = counts.service_times.share_above(objectives.latency * 1000) * counts.service_times.count
    if slow + unanswered > objectives.allowed[Objective.LATENCY] * sent:
        return ""
    return (
        f"{counts.waited} of {due} arrivals found none of the {slots} slots free, while the authorizer answered in "
        "time: raise --users (load.users)"
    )
