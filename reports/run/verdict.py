"""Whether the measurement can be trusted, whether the authorizer passed, and the exit code that says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final

from gatecrash.authorizers.contract import Outcome
from gatecrash.authorizers.errors import INVALID_EXIT_CODE, USAGE_EXIT_CODE
from gatecrash.reports.capacity.answer import Capacity
from gatecrash.reports.capacity.verdict import doubts, no_answer
from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.oracles.rules import Severity
from gatecrash.reports.recording.clocks import ClockJump, jump_sentences
from gatecrash.reports.recording.latency import LatencyHistogram
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.recording.workers import SILENCE_TOLD_SECONDS, lost_sentence, silence_sentence
from gatecrash.reports.run.folder import STOPPED_IN_WEB_PAGE, STOPPED_WITH_LOCUST, RunState
from gatecrash.reports.run.lateness import judge_lag, judge_waiting

_DROPPED_DEGRADED: Final = 0.001
_DROPPED_INVALID: Final = 0.05
_CPU_DEGRADED: Final = 0.9
_UNREACHED_INVALID: Final = 0.05
_TIMED_OUT: Final = Outcome.TIMED_OUT
_STOPS: Final = {"SIGINT": 130, "SIGTERM": 143, STOPPED_IN_WEB_PAGE: 130, STOPPED_WITH_LOCUST: 130}


class ExitCode(IntEnum):
    """What the process ends with; see the reference of the command line."""

    PASS = 0
    THRESHOLD_FAILED = 1
    USAGE = USAGE_EXIT_CODE
    WRONG_DECISIONS = 3
    INVALID_MEASUREMENT = INVALID_EXIT_CODE
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
    fired; ``unaccounted`` arrivals were neither dropped nor recorded. Where it ``is_timed_by_kernel`` no lag is in when
    answers came. In a search for ``capacity`` drops and lag are judged with each rate: most are fired to find out that
    they are too high.
    """

    state: RunState
    planned: int
    dropped: int
    answered: int
    outcomes: dict[str, int]
    lag: LatencyHistogram
    broken: str | None = None
    capacity: Capacity | None = None
    delays: LatencyHistogram = field(default_factory=LatencyHistogram)
    latencies: Mapping[LatencyKind, LatencyHistogram] = field(default_factory=dict)
    unaccounted: int = 0
    clock_jumps: tuple[ClockJump, ...] = ()
    is_timed_by_kernel: bool = False


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
            f"{seen.state.workers_lost} of {seen.state.workers} workers were lost: what they had not reported yet, and "
            "the rest of their share of the load, are missing"
        )
    reasons += [lost_sentence(worker) for worker in seen.state.worker_facts if worker.lost]
    if seen.state.stopped_by is not None and seen.state.stopped_by not in _STOPS:
        reasons.append(f"the run was ended after {seen.state.elapsed:.1f} s by {seen.state.stopped_by}")
    if not seen.state.complete and seen.state.stopped_by is None and not seen.state.aborted_by:
        reasons.append("the run was cut off: what its last checkpoint holds is shown")
    if seen.capacity is not None:
        return [*reasons, *no_answer(seen.capacity)]
    unreached = seen.outcomes.get(Outcome.TRANSPORT_ERROR, 0) + seen.outcomes.get(Outcome.UNAVAILABLE, 0)
    if seen.answered and unreached / seen.answered > _UNREACHED_INVALID:
        reasons.append(f"the target could not be reached in {unreached} of {seen.answered} exchanges")
    reasons += [sentence for share, sentence in _missing(seen) if share > _DROPPED_INVALID]
    return [*reasons, *_judged_lag(seen)[0]]


def _degraded_reasons(seen: Measurement) -> list[str]:
    reasons = []
    if seen.state.stopped_by in _STOPS:
        reasons.append(f"the run was stopped early by {seen.state.stopped_by} after {seen.state.elapsed:.1f} s")
    if seen.state.aborted_by:
        reasons.append(f"the run was ended after {seen.state.elapsed:.1f} s, as thresholds.abort_if asks for")
    if seen.capacity is not None:
        # What a worker used is judged with each rate.
        reasons += doubts(seen.capacity)
    else:
        reasons += [sentence for share, sentence in _missing(seen) if share <= _DROPPED_INVALID]
        reasons += _judged_lag(seen)[1]
        reasons += judge_waiting(seen.delays, seen.lag, seen.latencies)
        if seen.state.cpu > _CPU_DEGRADED:
            reasons.append(f"a worker used {seen.state.cpu:.0%} of a core: it may have been the limit itself")
    if seen.state.master_cpu > _CPU_DEGRADED:
        reasons.append(
            f"the master used {seen.state.master_cpu:.0%} of a core: workers' reports may have waited for it; take "
            "fewer workers or fewer distinct cases"
        )
    silent = [one for one in seen.state.worker_facts if one.silence > SILENCE_TOLD_SECONDS and not one.lost]
    return [*reasons, *map(silence_sentence, silent), *jump_sentences(seen.clock_jumps), *seen.state.incidents]


def _judged_lag(seen: Measurement) -> tuple[list[str], list[str]]:
    return judge_lag(seen.lag, seen.latencies, delays=seen.delays, is_timed_by_kernel=seen.is_timed_by_kernel)


def _missing(seen: Measurement) -> Iterator[tuple[float, str]]:
    """Yield the shares of the planned arrivals that are missing in what was measured, each with its sentence."""
    if not seen.planned:
        return
    if (share := seen.dropped / seen.planned) > _DROPPED_DEGRADED:
        sentence = (
            f"{seen.dropped} of {seen.planned} planned arrivals were dropped, no slot being free for them in time: "
            "raise --users, or lower --rate if the authorizer can't hold it"
        )
        yield share, sentence
    if seen.unaccounted:
        sentence = (
            f"{seen.unaccounted} of {seen.planned} planned arrivals were neither dropped nor recorded: the load "
            "generator failed them; locust.log in the run folder says why"
        )
        yield seen.unaccounted / seen.planned, sentence


@dataclass(frozen=True, slots=True)
class Verdict:
    """The word for people and the code for CI."""

    exit_code: ExitCode
    word: str
    reasons: tuple[str, ...]


def decide(
    findings: list[Finding], judgement: ValidityJudgement, state: RunState, missed: tuple[str, ...] = ()
) -> Verdict:
    """Decide: an invalid measurement outranks wrong decisions, and these what was asked for and ``missed``.

    Whoever stops a run, by a signal or in Locust's web page, knows it: that keeps its own code.
    """
    wrong = [
        finding for finding in findings if finding.rule.severity > Severity.NOTE and finding.accepted_until is None
    ]
    missed = tuple(dict.fromkeys((*missed, *([state.aborted_by] if state.aborted_by else ()))))
    reasons = (*(finding.sentence for finding in wrong), *missed)
    if state.stopped_by in _STOPS:
        return Verdict(ExitCode(_STOPS[state.stopped_by]), "STOPPED", (*judgement.reasons, *reasons))
    if judgement.validity is Validity.INVALID:
        return Verdict(ExitCode.INVALID_MEASUREMENT, "INVALID", (*judgement.reasons, *reasons))
    if wrong:
        return Verdict(ExitCode.WRONG_DECISIONS, "FAIL", reasons)
    if missed:
        return Verdict(ExitCode.THRESHOLD_FAILED, "FAIL", reasons)
    return Verdict(ExitCode.PASS, "PASS", ())
