"""Whether the measurement can be trusted, whether the authorizer passed, and the exit code that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final

from authorizers.contract import Outcome
from reports.clocks import ClockJump, jump_sentences
from reports.distortion import Distortion, distortions
from reports.findings import Finding
from reports.intervals import samples_needed
from reports.latency import LatencyHistogram
from reports.records import LatencyKind
from reports.rules import Severity
from reports.run_folder import RunState

_DROPPED_DEGRADED: Final = 0.001
_DROPPED_INVALID: Final = 0.05
# A generator that is this late as a rule can't keep its schedule, and measures itself.
_LAG_MILLISECONDS: Final = 100.0
# How much of a percentile may be the load generator's own: a twentieth, and what is too little to matter to anybody.
_DISTORTED_DEGRADED: Final = 0.05
_DISTORTED_DEGRADED_MILLISECONDS: Final = 0.1
_DISTORTED_INVALID: Final = 0.5
_DISTORTED_INVALID_MILLISECONDS: Final = 10.0
_JUDGED_PERCENTS: Final = (50.0, 99.0, 99.9)
# A request is late, and late an answer is seen: the lag is twice in a response time.
_LAGS: Final = {LatencyKind.SERVICE_TIME: 1, LatencyKind.RESPONSE_TIME: 2}
_WAITED_DEGRADED: Final = 0.01
_WAITED_MILLISECONDS: Final = 1.0
_WAITED_OF_MEDIAN: Final = 0.05
_CPU_DEGRADED: Final = 0.9
_UNREACHED_INVALID: Final = 0.05
_TIMED_OUT: Final = Outcome.TIMED_OUT
_SIGNALS: Final = {"SIGINT": 130, "SIGTERM": 143}


class ExitCode(IntEnum):
    """What the process ends with; see the reference of the command line."""

    PASS = 0
    THRESHOLD_FAILED = 1
    USAGE = 2
    WRONG_DECISIONS = 3
    INVALID_MEASUREMENT = 4
    INTERRUPTED = 130
    TERMINATED = 143


class Validity(StrEnum):
    """Whether the measurement can be trusted. It is never mixed up with pass or fail."""

    VALID = "valid"
    DEGRADED = "degraded"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Measurement:
    """What the judgement of validity needs to know of a run. Counts are of arrivals and exchanges.

    ``broken`` is why the target or the credentials can't be tested at all, as the controls of a fuzz run told.
    ``latencies`` are those of all answered exchanges, ``delays`` how long after their intended start arrivals were
    fired; ``unaccounted`` arrivals were neither dropped nor recorded.
    """

    state: RunState
    planned: int
    dropped: int
    answered: int
    outcomes: dict[str, int]
    lag: LatencyHistogram
    broken: str | None = None
    delays: LatencyHistogram = field(default_factory=LatencyHistogram)
    latencies: Mapping[LatencyKind, LatencyHistogram] = field(default_factory=dict)
    unaccounted: int = 0
    clock_jumps: tuple[ClockJump, ...] = ()


@dataclass(frozen=True, slots=True)
class ValidityJudgement:
    """A validity and the sentences that explain it; none when it is valid."""

    validity: Validity
    reasons: tuple[str, ...]


def judge_validity(seen: Measurement) -> ValidityJudgement:
    """Judge whether a measurement can be trusted."""
    invalid = [*_invalid_reasons(seen)]
    degraded = [*_degraded_reasons(seen)]
    if invalid:
        return ValidityJudgement(Validity.INVALID, (*invalid, *degraded))
    return ValidityJudgement(Validity.DEGRADED if degraded else Validity.VALID, tuple(degraded))


def _invalid_reasons(seen: Measurement) -> list[str]:
    reasons = [seen.broken] if seen.broken else []
    if seen.answered == 0:
        reasons.append("no exchange was measured")
    elif not any(seen.outcomes.get(outcome, 0) for outcome in Outcome if outcome.is_answer or outcome is _TIMED_OUT):
        reasons.append("no exchange was answered by the authorizer: all were throttled or did not get through")
    if seen.state.workers_lost:
        reasons.append(
            f"{seen.state.workers_lost} of {seen.state.workers} workers were lost: their share of the load "
            "and up to three seconds of their records are missing"
        )
    if seen.state.stopped_by is not None and seen.state.stopped_by not in _SIGNALS:
        reasons.append(f"the run was ended after {seen.state.elapsed:.1f} s by {seen.state.stopped_by}")
    if not seen.state.complete and seen.state.stopped_by is None:
        reasons.append("the run was cut off: what its last checkpoint holds is shown")
    unreached = seen.outcomes.get(Outcome.TRANSPORT_ERROR, 0) + seen.outcomes.get(Outcome.UNAVAILABLE, 0)
    if seen.answered and unreached / seen.answered > _UNREACHED_INVALID:
        reasons.append(f"the target could not be reached in {unreached} of {seen.answered} exchanges")
    if seen.planned and seen.dropped / seen.planned > _DROPPED_INVALID:
        reasons.append(_dropped(seen))
    if seen.planned and seen.unaccounted / seen.planned > _DROPPED_INVALID:
        reasons.append(_unaccounted(seen))
    if seen.lag.percentile(50) > _LAG_MILLISECONDS:
        reasons.append(_lag(seen, 50))
    elif any(_is_invalid(one) for ones in _distorted(seen).values() for one in ones):
        reasons.append(_distortion(seen))
    return reasons


def _degraded_reasons(seen: Measurement) -> list[str]:
    reasons = []
    if seen.state.stopped_by in _SIGNALS:
        reasons.append(f"the run was stopped early by {seen.state.stopped_by} after {seen.state.elapsed:.1f} s")
    if seen.planned and _DROPPED_DEGRADED < seen.dropped / seen.planned <= _DROPPED_INVALID:
        reasons.append(_dropped(seen))
    if seen.planned and 0 < seen.unaccounted / seen.planned <= _DROPPED_INVALID:
        reasons.append(_unaccounted(seen))
    if seen.lag.percentile(50) <= _LAG_MILLISECONDS:
        reasons += _lateness(seen)
    if (waited := _waited(seen)) is not None:
        reasons.append(waited)
    if seen.state.cpu > _CPU_DEGRADED:
        reasons.append(f"a worker used {seen.state.cpu:.0%} of a core: it may have been the limit itself")
    return [*reasons, *jump_sentences(seen.clock_jumps), *seen.state.incidents]


def _lateness(seen: Measurement) -> list[str]:
    """Return what a lag that is no reason for an invalid measurement does to it."""
    distorted = _distorted(seen)
    if distorted and not any(_is_invalid(one) for ones in distorted.values() for one in ones):
        return [_distortion(seen)]
    return [_lag(seen, 99)] if not distorted and seen.lag.percentile(99) > _LAG_MILLISECONDS else []


def _distorted(seen: Measurement) -> dict[LatencyKind, list[Distortion]]:
    """Return the percentiles, of those that have samples enough, of which too much is the load generator's own."""
    found = {}
    for kind, latency in seen.latencies.items():
        percents = [percent for percent in _JUDGED_PERCENTS if latency.count >= samples_needed(percent)]
        its = distortions(latency, seen.lag, percents, _LAGS[kind])
        distorted = [
            one for one in its if one.share > _DISTORTED_DEGRADED and one.raised > _DISTORTED_DEGRADED_MILLISECONDS
        ]
        if distorted:
            found[kind] = distorted
    return found


def _is_invalid(one: Distortion) -> bool:
    is_median = one.percent == _JUDGED_PERCENTS[0]
    return is_median and one.share > _DISTORTED_INVALID and one.raised > _DISTORTED_INVALID_MILLISECONDS


def _distortion(seen: Measurement) -> str:
    worst = {kind: max(ones, key=lambda one: one.share) for kind, ones in _distorted(seen).items()}
    parts = [
        f"about {one.share:.0%} of p{one.percent:g} of the {kind.value.replace('_', ' ')} ({one.measured:.3g} ms)"
        for kind, one in worst.items()
    ]
    return (
        f"the load generator was late itself, in 1 % of the time by {seen.lag.percentile(99):.2g} ms or more: that is "
        f"{' and '.join(parts)}: it has too little CPU for this rate"
    )


def _waited(seen: Measurement) -> str | None:
    """Return what it means that arrivals left late where the load generator itself was not."""
    if not seen.delays.count:
        return None
    response = seen.latencies.get(LatencyKind.RESPONSE_TIME, LatencyHistogram())
    limit = max(_WAITED_MILLISECONDS, _WAITED_OF_MEDIAN * response.percentile(50))
    waited = seen.delays.share_above(limit) - seen.lag.share_above(limit)
    if waited <= _WAITED_DEGRADED or waited <= seen.lag.share_above(limit):
        return None
    return (
        f"{waited:.1%} of the arrivals found no free slot when they were due and left late, 1 % of all by "
        f"{seen.delays.percentile(99):.3g} ms or more: the load that was offered is not the one that was planned; "
        "raise --users"
    )


def _unaccounted(seen: Measurement) -> str:
    return (
        f"{seen.unaccounted} of {seen.planned} planned arrivals were neither dropped nor recorded: the load generator "
        "failed them; locust.log in the run folder has the reason"
    )


def _dropped(seen: Measurement) -> str:
    return (
        f"{seen.dropped} of {seen.planned} planned arrivals were dropped, no slot being free for them in time: "
        "raise --users, or lower --rate if the authorizer can't hold it"
    )


def _lag(seen: Measurement, percent: int) -> str:
    return (
        f"the load generator was late itself: in {100 - percent} % of the time by {seen.lag.percentile(percent):.0f} "
        "ms or more; it has too little CPU for this rate"
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """The word for people and the code for CI."""

    exit_code: ExitCode
    word: str
    reasons: tuple[str, ...]


def decide(findings: list[Finding], judgement: ValidityJudgement, state: RunState) -> Verdict:
    """Decide: an invalid measurement outranks wrong decisions; a signal keeps its own code."""
    wrong = [
        finding for finding in findings if finding.rule.severity > Severity.NOTE and finding.accepted_until is None
    ]
    reasons = tuple(finding.sentence for finding in wrong)
    if state.stopped_by in _SIGNALS:
        return Verdict(ExitCode(_SIGNALS[state.stopped_by]), "STOPPED", (*judgement.reasons, *reasons))
    if judgement.validity is Validity.INVALID:
        return Verdict(ExitCode.INVALID_MEASUREMENT, "INVALID", (*judgement.reasons, *reasons))
    if wrong:
        return Verdict(ExitCode.WRONG_DECISIONS, "FAIL", reasons)
    return Verdict(ExitCode.PASS, "PASS", ())
