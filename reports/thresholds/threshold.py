"""Thresholds: statements about a run that must hold, and how they are written.

A statement is a metric, a comparison and a limit, such as ``latency.p95{outcome=allow} < 250ms``,
``throttle_rate < 1% over 30s`` or ``fail_open == 0``; docs/thresholds.md has the grammar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from operator import eq, ge, gt, le, lt, ne
from typing import Final

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.recording.records import LatencyKind

COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
    "==": eq,
    "!=": ne,
}
_OPPOSITES: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


class LimitUnit(StrEnum):
    """What a metric is measured in. Times are kept in milliseconds, shares as 0 to 1."""

    MILLISECONDS = "ms"
    SHARE = "%"
    COUNT = ""
    PER_SECOND = "/s"


class Job(StrEnum):
    """What is carried out, by the name of its command."""

    RUN = "run"
    FUZZ = "fuzz"
    CAPACITY = "capacity"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that a statement may name. ``units`` are those that its limit may have, its own one first.

    ``selectors`` are what may stand in braces behind it; ``windowed`` says that it can be asked of every stretch of a
    run, ``live`` that it is known while a run goes on, ``jobs`` of what it can be asked.
    """

    name: str
    units: tuple[LimitUnit, ...]
    meaning: str
    selectors: tuple[str, ...] = ()
    windowed: bool = True
    live: bool = True
    jobs: frozenset[Job] = frozenset({Job.RUN})


_ALL_JOBS: Final = frozenset(Job)


def _of_decisions(name: str, meaning: str, selectors: tuple[str, ...] = ()) -> Metric:
    return Metric(name, (LimitUnit.COUNT,), meaning, selectors, windowed=False, live=False, jobs=_ALL_JOBS)


LATENCY: Final = "latency"
METRICS: Final = {
    metric.name: metric
    for metric in (
        Metric(LATENCY, (LimitUnit.MILLISECONDS,), "latency of the answered exchanges", ("outcome", "kind")),
        Metric("throttle_rate", (LimitUnit.SHARE,), "share of the exchanges that were throttled", ("family",)),
        Metric(
            "error_rate",
            (LimitUnit.SHARE,),
            "share that ended in a handler's error, a time-out or no valid answer",
            ("family",),
        ),
        Metric("outcome_rate", (LimitUnit.SHARE,), "share of the exchanges with an outcome", ("outcome", "family")),
        Metric("drop_rate", (LimitUnit.SHARE,), "share of the planned arrivals that were dropped"),
        Metric(
            "achieved_rate",
            (LimitUnit.SHARE, LimitUnit.PER_SECOND),
            "exchanges a second: as a share of the planned rate, or as they are",
        ),
        Metric("exchanges", (LimitUnit.COUNT,), "exchanges", ("outcome", "family"), jobs=_ALL_JOBS),
        Metric(
            "latency_drift",
            (LimitUnit.MILLISECONDS,),
            "how much the service time's 95th percentile rises an hour at least; 0 where noise may make it",
            windowed=False,
            live=False,
        ),
        Metric("cold_starts", (LimitUnit.COUNT,), "cold starts, the warm-up's among them", windowed=False),
        _of_decisions("fail_open", "requests that were allowed and must be denied"),
        _of_decisions("fail_closed", "requests that were denied and must be allowed"),
        _of_decisions("inconsistent", "requests that got different answers"),
        _of_decisions(
            "findings",
            "findings that aren't accepted, notes among them only where asked for",
            ("code", "severity", "family"),
        ),
        Metric(
            "capacity",
            (LimitUnit.PER_SECOND,),
            "of `gatecrash capacity`: the highest rate that was found to hold",
            windowed=False,
            live=False,
            jobs=frozenset({Job.CAPACITY}),
        ),
    )
}
STATISTICS: Final = ("mean", "max")
SELECTED: Final = {
    "outcome": tuple(outcome.value for outcome in Outcome),
    "kind": tuple(kind.value for kind in LatencyKind),
    "severity": ("danger", "error", "note"),
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A statement that must hold.

    ``statistic`` is there for latency alone: a percentile as ``p95``, ``mean`` or ``max``. ``limit`` is in
    milliseconds, 0 to 1, a count or a rate, as ``unit`` says. With ``window`` (seconds) it must hold in every stretch
    of the measured part that is so long.
    """

    metric: str
    comparison: str
    limit: float
    unit: LimitUnit
    statistic: str = ""
    selectors: tuple[tuple[str, str], ...] = ()
    window: int | None = None

    @property
    def percent(self) -> float | None:
        """The percentile that is asked for, None where none is."""
        return float(self.statistic[1:]) if self.statistic[:1] == "p" else None

    def selected(self, name: str) -> str | None:
        """Return what a selector asks for, None where it isn't there."""
        return dict(self.selectors).get(name)

    def misplaced_in(self, job: Job) -> str:
        """Say why it can't be asked of a job; empty where it can."""
        if job in METRICS[self.metric].jobs and (job is Job.RUN or not self._is_of_load):
            return ""
        return "this is no search for capacity" if self.metric == "capacity" else "this is no run under load"

    @property
    def _is_of_load(self) -> bool:
        """Whether it means something only where a known load is fired, though its metric may be asked of every job.

        A search throttles and overloads on purpose, and has no length of its own; families are counted of a corpus
        that is fired as it is.
        """
        outcome = self.selected("outcome")
        of_load = self.window or self.selected("family") or (outcome and Outcome(outcome).turns_away)
        return self.metric == "exchanges" and bool(of_load)

    def holds(self, value: float) -> bool:
        """Say whether it holds of a value."""
        return COMPARISONS[self.comparison](value, self.limit)

    @property
    def opposite(self) -> Threshold:
        """What must hold where this one must not."""
        return replace(self, comparison=_OPPOSITES[self.comparison])

    def worse(self, one: float, other: float) -> bool:
        """Say whether one value is further from what is asked for than another."""
        if self.comparison in {"<", "<="}:
            return one > other
        if self.comparison in {">", ">="}:
            return one < other
        far, near = abs(one - self.limit), abs(other - self.limit)
        return far > near if self.comparison == "==" else far < near

    def __str__(self) -> str:
        """Write it as it is read."""
        name = f"{self.metric}.{self.statistic}" if self.statistic else self.metric
        chosen = ",".join(f"{key}={value}" for key, value in self.selectors)
        window = f" over {self.window}s" if self.window else ""
        return f"{name}{{{chosen}}}"[: None if chosen else len(name)] + f" {self.comparison} {self.limit_text}{window}"

    @property
    def limit_text(self) -> str:
        """The limit with its unit."""
        return value_text(self.limit, self.unit)


def value_text(value: float, unit: LimitUnit) -> str:
    """Write a value in a metric's unit, so exactly that reading it gives the value again."""
    number = value * 100 if unit is LimitUnit.SHARE else value
    text = f"{number:.9f}".rstrip("0").rstrip(".")
    return text + unit.value
