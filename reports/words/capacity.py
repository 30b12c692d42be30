"""How the answer of a capacity search is worded, alike on the terminal and in the page."""

from __future__ import annotations

from typing import Final

from gatecrash.reports.capacity.answer import Capacity
from gatecrash.reports.capacity.judging import Assessment, Probe, ProbeStanding
from gatecrash.reports.capacity.objectives import Objective, Objectives
from gatecrash.reports.capacity.probes import StepKind
from gatecrash.reports.words.spelling import milliseconds, percent, plural, visible

_OBJECTIVE_LABELS: Final = {
    Objective.LATENCY: "latency",
    Objective.THROTTLES: "throttles",
    Objective.ERRORS: "errors",
    Objective.WRONG_DECISIONS: "wrong decisions",
    Objective.SATURATION: "saturation: unanswered requests pile up",
}
_STEP_LABELS: Final = {
    StepKind.REST: "at rest",
    StepKind.DOUBLE: "double",
    StepKind.BISECT: "bisect",
    StepKind.CONFIRM: "confirm",
    StepKind.RECOVER: "recovery",
}
COLUMNS: Final = ("rate", "step", "seconds", "arrivals", "p50", "p95", "p99", "throttled", "errors", "wrong", "growth")
LEGEND: Final = (
    "Rates in arrivals a second, response times from the intended start in ms, shares of the arrivals that were due; "
    "growth is by how many a second the unanswered requests grew."
)


def rate(value: float) -> str:
    """Return a rate, which is in arrivals a second."""
    return f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"


def answer(capacity: Capacity) -> str:
    """Return the answer in one sentence."""
    if capacity.low is None:
        lowest = min((probe.rate for probe in capacity.curve()), default=None)
        if lowest is None:
            return "No rate was measured to its end."
        if capacity.limited:
            return (
                f"At {rate(capacity.high or lowest)} arrivals/s already the load generator was the limit "
                f"({visible(capacity.limited)}), so what the authorizer holds is not known."
            )
        return f"The objectives are not kept even at {rate(lowest)} arrivals/s."
    if capacity.limited:
        return (
            f"Holds at least {rate(capacity.low)} arrivals/s. At {rate(capacity.high or 0)} the load generator was the "
            f"limit ({visible(capacity.limited)}), so what the authorizer holds beyond that is not known."
        )
    if capacity.high is None:
        return f"Holds at least {rate(capacity.low)} arrivals/s: no higher rate was tried."
    return f"Holds between {rate(capacity.low)} and {rate(capacity.high)} arrivals/s."


def objectives_sentence(objectives: Objectives) -> str:
    """Return what was asked of the authorizer."""
    wrong = percent(objectives.wrong_rate) if objectives.wrong_rate else "no"
    return (
        f"{objectives.percentile:g} % of response times within {objectives.latency * 1000:,.4g} ms, at most "
        f"{percent(objectives.throttle_rate)} throttled, {percent(objectives.error_rate)} errors, {wrong} wrong "
        "decisions"
    )


def facts(capacity: Capacity) -> list[tuple[str, str]]:
    """Return what goes with the answer, label and value."""
    rows = [("objectives", objectives_sentence(capacity.objectives))]
    if capacity.binding:
        rows.append(("breaks first", "; ".join(_OBJECTIVE_LABELS[one] for one in capacity.binding)))
    if capacity.low is not None and capacity.high is not None and not capacity.limited:
        width = (capacity.high - capacity.low) / (capacity.high + capacity.low) * 2
        state = "both ends confirmed" if capacity.sure else "not confirmed"
        near = "; rates between were too near an objective to tell" if _is_soft(capacity) else ""
        rows.append(("interval", f"{percent(width)} wide, {state}{near}"))
    if capacity.bucket is not None:
        burst = f" and at least {capacity.bucket.burst:,.0f} saved up" if capacity.bucket.burst >= 1 else ""
        rows.append(
            ("throttling lets through", f"{capacity.bucket.rate:,.1f} a second{burst} (estimated token bucket)")
        )
    if capacity.recovery is not None:
        rows.append(("recovery", _recovery(capacity)))
    if capacity.cold_starts is not None:
        cold = capacity.cold_starts
        times = (
            f"p50 {milliseconds(cold.p50)} ms, p99 {milliseconds(cold.p99)} ms, at most {milliseconds(cold.maximum)} ms"
        )
        rows.append(("cold starts", f"{cold.count:,}, not counted as late: {times}"))
    if capacity.apart:
        verbs = ("was", "is") if capacity.apart == 1 else ("were", "are")
        cases = plural(capacity.apart, "case")
        rows.append(("wrong at rest", f"{cases} {verbs[0]} wrong at rest and {verbs[1]} not counted again"))
    return rows


def _is_soft(capacity: Capacity) -> bool:
    low, high = capacity.low or 0.0, capacity.high or 0.0
    return any(
        low < probe.rate < high and probe.standing is ProbeStanding.UNCLEAR
        for probe in capacity.probes
        if probe.step.kind is StepKind.CONFIRM
    )


def _recovery(capacity: Capacity) -> str:
    recovery = capacity.recovery
    assert recovery is not None  # noqa: S101 - only asked where there is one
    if recovery.seconds is None:
        how = f"objectives were still broken {recovery.watched:.1f} s"
    else:
        how = f"objectives were kept again {recovery.seconds:.1f} s"
    return f"{how} after {rate(recovery.overload)} arrivals/s had gone down to {rate(recovery.rate)}"


def rows(capacity: Capacity) -> list[list[str]]:
    """Return a row for each probe: a cell for each of ``COLUMNS`` and one for how it went."""
    return list(map(_row, capacity.probes))


def _row(probe: Probe) -> list[str]:
    shares = {one.objective: one for one in probe.assessments}
    return [
        rate(probe.rate),
        _STEP_LABELS[probe.step.kind],
        f"{probe.step.seconds:g}",
        f"{probe.arrivals:,}",
        *(milliseconds(value) for value in (probe.p50, probe.p95, probe.p99)),
        *(_share(shares[name]) for name in (Objective.THROTTLES, Objective.ERRORS, Objective.WRONG_DECISIONS)),
        f"{probe.growth:+,.1f}" if abs(probe.growth) >= 0.05 else "0",
        verdict(probe),
    ]


def line(probe: Probe) -> str:
    """Return a probe as one line, for whoever follows a search."""
    kind, p95 = _STEP_LABELS[probe.step.kind], milliseconds(probe.p95)
    return f"{rate(probe.rate):>7} arrivals/s  {kind:<9} p95 {p95:>6} ms  {verdict(probe)}".rstrip()


def _share(assessment: Assessment) -> str:
    # A dash is quickly read.
    return percent(assessment.share) if assessment.share else "-"


def verdict(probe: Probe) -> str:
    """Return how a probe went, and what was broken."""
    if probe.step.kind in {StepKind.REST, StepKind.RECOVER}:
        return ""
    if probe.limited:
        return "generator's limit"
    label = probe.standing.value
    if probe.standing is ProbeStanding.UNCLEAR:
        label = "looks broken" if probe.broken else "looks held"
    return f"{label}: {', '.join(one.value.replace('_', ' ') for one in probe.broken)}" if probe.broken else label
