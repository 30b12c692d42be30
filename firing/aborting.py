"""Ending a run as soon as a threshold says that it has failed."""

from __future__ import annotations

from gatecrash.reports.plan.plan import OPEN, Plan
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.thresholds.judging import Evidence, Standing, judge_thresholds
from gatecrash.reports.thresholds.parsing import declared


def failed_sentence(plan: Plan, recording: Recording, elapsed: float) -> str:
    """Say which threshold of those that end a run has failed ``elapsed`` seconds after its start; empty for none.

    What can't be judged yet ends nothing. A search and the phases of a fuzz run are no load that could be ended by it:
    the one throttles and overloads on purpose, the others fire what must fail.
    """
    if plan.capacity is not None or plan.phases:
        return ""
    wanted = declared(plan.info.settings.get("thresholds", {}))
    if not wanted.aborting or elapsed < plan.warm_up + wanted.abort_after:
        return ""
    # Seconds in which arrivals are still unanswered would look worse than they are.
    over = elapsed - plan.patience if plan.model == OPEN else elapsed
    seconds = [(number, second) for number, second in recording.series if not second.warm_up and number + 1 <= over]
    planned_rate = plan.rate if plan.model == OPEN and not plan.stages else None
    evidence = Evidence(recording, seconds, elapsed - plan.warm_up, planned_rate)
    judged = judge_thresholds(wanted.aborting, evidence) if recording.outcomes.total() else ()
    return next((one.sentence for one in judged if one.standing is Standing.FAILED), "")
