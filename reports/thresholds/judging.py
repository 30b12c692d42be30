"""Whether thresholds hold of what was recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from gatecrash.reports.capacity.answer import Capacity
from gatecrash.reports.capacity.judging import ProbeStanding
from gatecrash.reports.capacity.verdict import judge_at_least
from gatecrash.reports.course.drift import SECONDS_LEAST, drift_of
from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.series import Second
from gatecrash.reports.thresholds.measures import (
    OF_FINDINGS,
    UnknownError,
    achieved,
    counted,
    dropped,
    latency,
    latency_of_stretch,
    of_findings,
)
from gatecrash.reports.thresholds.threshold import LATENCY, Job, LimitUnit, Threshold, value_text


class Standing(StrEnum):
    """What a run says of a threshold; one that is about another kind of run isn't asked."""

    HELD = "held"
    FAILED = "failed"
    NOT_JUDGED = "not judged"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class ThresholdJudgement:
    """A threshold with what was measured: ``value`` in its unit, None where nothing can be said, for ``reason``.

    ``second`` is where the worst window begins, None without a window. Of one that can't be judged since some windows
    can't, they are those of the others.
    """

    threshold: Threshold
    standing: Standing
    value: float | None = None
    second: int | None = None
    reason: str = ""

    @property
    def sentence(self) -> str:
        """What is wrong, for whoever reads why a run failed."""
        if self.standing in {Standing.NOT_JUDGED, Standing.NOT_ASKED}:
            return f"the threshold {self.threshold} can't be judged: {self.reason}"
        return f"the threshold {self.threshold} failed: it was {self.measured}"

    @property
    def measured(self) -> str:
        """The measured value with its unit and place."""
        if self.value is None:
            return "-"
        text = value_text(float(f"{self.value:.4g}"), self.threshold.unit)
        return text if self.second is None else f"{text} in the {self.threshold.window} s from second {self.second}"

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value; times in milliseconds, shares 0 to 1."""
        threshold = {**asdict(self.threshold), "selectors": dict(self.threshold.selectors)}
        return {
            "expression": str(self.threshold),
            **threshold,
            "standing": self.standing.value,
            "value": self.value,
            "second": self.second,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """What thresholds are judged by. ``seconds`` are the whole ones of the measured part in their order.

    ``planned_rate`` is in arrivals a second, None where the load had no schedule; ``family_of`` names a case's family,
    None where the cases are unknown. ``job`` is what was carried out.
    """

    recording: Recording
    seconds: Sequence[tuple[int, Second]]
    measured_seconds: float
    planned_rate: float | None
    findings: Sequence[Finding] = ()
    capacity: Capacity | None = None
    family_of: Callable[[int], str] | None = None
    by_family: dict[str, Counter[str]] = field(default_factory=dict)
    job: Job = Job.RUN


def judge_thresholds(thresholds: Iterable[Threshold], evidence: Evidence) -> tuple[ThresholdJudgement, ...]:
    """Judge each threshold."""
    return tuple(judge_threshold(threshold, evidence) for threshold in thresholds)


def judge_threshold(threshold: Threshold, evidence: Evidence) -> ThresholdJudgement:
    """Judge one threshold; with a window, by the stretch that is furthest from what is asked for."""
    if reason := threshold.misplaced_in(evidence.job):
        return ThresholdJudgement(threshold, Standing.NOT_ASKED, reason=reason)
    if threshold.window is not None:
        return _judge_stretches(threshold, threshold.window, evidence)
    try:
        value = _value(threshold, evidence)
    except UnknownError as unknown:
        return ThresholdJudgement(threshold, Standing.NOT_JUDGED, reason=str(unknown))
    return ThresholdJudgement(threshold, Standing.HELD if threshold.holds(value) else Standing.FAILED, value)


def _judge_stretches(threshold: Threshold, window: int, evidence: Evidence) -> ThresholdJudgement:
    """Judge by every stretch in which something was due: one that has too few exchanges may be where it failed."""
    worst: tuple[int, float] | None = None
    unjudged: list[tuple[int, str]] = []
    there = due = 0
    for first, stretch in _stretches(evidence.seconds, window):
        there += 1
        if not _is_due(threshold, stretch):
            continue
        due += 1
        try:
            value = _windowed(threshold, stretch, evidence.planned_rate)
        except UnknownError as unknown:
            unjudged.append((first, str(unknown)))
            continue
        if worst is None or threshold.worse(value, worst[1]):
            worst = (first, value)
    if worst is not None and not threshold.holds(worst[1]):
        return ThresholdJudgement(threshold, Standing.FAILED, worst[1], worst[0])
    if worst is not None and not unjudged:
        return ThresholdJudgement(threshold, Standing.HELD, worst[1], worst[0])
    if unjudged:
        first, said = unjudged[0]
        reason = f"{len(unjudged):,} of {due:,} stretches of {window} s can't be told; from second {first} on, {said}"
    else:
        reason = "nothing was due" if there else f"the measured part is shorter than {window} s"
    second, measured = worst or (None, None)
    return ThresholdJudgement(threshold, Standing.NOT_JUDGED, measured, second, reason)


def _stretches(seconds: Sequence[tuple[int, Second]], window: int) -> Iterator[tuple[int, list[Second]]]:
    """Yield every stretch of so many seconds within the measured part; a second in which nothing was is empty."""
    if not seconds:
        return
    by_number = dict(seconds)
    first, last = seconds[0][0], seconds[-1][0]
    for start in range(first, last - window + 2):
        yield start, [by_number.get(number, Second()) for number in range(start, start + window)]


def _is_due(threshold: Threshold, stretch: Sequence[Second]) -> bool:
    """Say whether a stretch tells something of a metric; how many exchanges there were is always known."""
    if threshold.unit in {LimitUnit.COUNT, LimitUnit.PER_SECOND}:
        return True
    return any(second.planned or second.outcomes.total() for second in stretch)


def _windowed(threshold: Threshold, stretch: Sequence[Second], planned_rate: float | None) -> float:
    outcomes: Counter[str] = Counter()
    for second in stretch:
        outcomes.update(second.outcomes)
    if threshold.metric == LATENCY:
        return latency_of_stretch(threshold, stretch)
    if threshold.metric == "achieved_rate":
        planned = sum(second.planned for second in stretch)
        return achieved(threshold, outcomes.total(), len(stretch), planned if planned_rate is not None else None)
    if threshold.metric == "drop_rate":
        return dropped(threshold, stretch)
    return counted(threshold, outcomes)


def _value(threshold: Threshold, evidence: Evidence) -> float:
    recording, metric = evidence.recording, threshold.metric
    if metric == LATENCY:
        return latency(threshold, recording)
    if metric in OF_FINDINGS or metric == "findings":
        return of_findings(threshold, evidence.findings)
    if metric == "capacity":
        if evidence.capacity is None:
            raise UnknownError("the search came to nothing")
        return _held_rate(threshold, evidence.capacity)
    if metric == "latency_drift":
        drift = drift_of(evidence.seconds)
        if drift is None:
            raise UnknownError(f"a run of less than {SECONDS_LEAST} measured seconds has no drift")
        return max(0.0, drift.p95.low)
    if metric == "cold_starts":
        return float(recording.cold_starts)
    if metric == "drop_rate":
        return dropped(threshold, [second for _, second in recording.series if not second.warm_up])
    if metric == "achieved_rate":
        planned = None if evidence.planned_rate is None else evidence.planned_rate * evidence.measured_seconds
        return achieved(threshold, recording.outcomes.total(), evidence.measured_seconds, planned)
    family = threshold.selected("family")
    return counted(threshold, recording.outcomes if family is None else _family(family, evidence))


def _held_rate(threshold: Threshold, capacity: Capacity) -> float:
    held = capacity.low or 0.0
    if not threshold.holds(held) and judge_at_least(capacity, threshold.limit) is ProbeStanding.UNCLEAR:
        raise UnknownError(f"{held:g} arrivals/s were shown to be held, and what is asked for could not be tried")
    return held


def _family(name: str, evidence: Evidence) -> Counter[str]:
    """Return the outcomes that a family's cases got, the warm-up's among them."""
    if evidence.family_of is None:
        raise UnknownError("the corpus of the run is gone, so the families of its cases are unknown")
    if not evidence.by_family:
        for index, entry in evidence.recording.ledger:
            counts = evidence.by_family.setdefault(evidence.family_of(index), Counter())
            for sighting in entry.sightings:
                counts[sighting.outcome.value] += sighting.count
    if name not in evidence.by_family:
        known = ", ".join(sorted(evidence.by_family)) or "none"
        raise UnknownError(f"no case of the family {name} was fired; there are {known}")
    return evidence.by_family[name]
