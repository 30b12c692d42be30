"""What a comparison of two runs says: aspects, each better, the same, worse or mixed, and the numbers under them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from typing import Any, Final

from gatecrash.reports.comparison.decisions import DecisionDiff
from gatecrash.reports.comparison.findings import FindingDiff
from gatecrash.reports.recording import codec
from gatecrash.reports.statistics.directions import Direction

FORMAT: Final = 1
# A second of the run, and the median and the 95th percentile from it on, in milliseconds.
Moment = tuple[int, float, float]


class Unit(StrEnum):
    """What a number counts, and so whether its change is relative or a difference."""

    MILLISECONDS = "milliseconds"
    SHARE = "share"
    PER_SECOND = "per_second"


@dataclass(frozen=True, slots=True)
class ComparisonLimits:
    """From which change on something counts as better or worse, where it is also beyond chance.

    ``latency`` and ``achieved_rate`` are relative changes, ``latency_ms`` milliseconds, the other two differences of
    shares. ``confidence`` is that of every interval.
    """

    confidence: float = 0.99
    latency: float = 0.05
    latency_ms: float = 1.5
    throttle_rate: float = 0.005
    error_rate: float = 0.002
    achieved_rate: float = 0.02


@dataclass(frozen=True, slots=True)
class Change:
    """One number in both runs, and its change with its interval.

    ``change``, ``low`` and ``high`` are relative, but for shares, where they are differences. They are None where they
    can't be told; ``reason`` says why then nothing was judged.
    """

    name: str
    unit: Unit
    before: float
    after: float
    change: float | None = None
    low: float | None = None
    high: float | None = None
    direction: Direction = Direction.UNJUDGED
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LatencyTable:
    """Percentiles of one kind of latency, of all answered exchanges or of one outcome; ``count`` before and after.

    ``judged`` says whether its changes decide about the aspect; the others are shown beside them.
    """

    kind: str
    outcome: str | None
    counts: tuple[int, int]
    changes: tuple[Change, ...]
    judged: bool = False


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing that is compared; ``reason`` says why it was not judged, where it wasn't."""

    name: str
    direction: Direction
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs. ``place`` is its folder, or what else it is known by."""

    name: str
    place: str
    started_at: str
    exchanges: int
    measured_seconds: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A later run beside an earlier one.

    ``refused`` says why they can't be compared, and then there is nothing else. ``doubts`` are what to keep in mind,
    ``differences`` the settings and versions that are not the same. ``curves`` are (percentile, milliseconds) pairs by
    latency kind, before and after; ``over_time`` are (second, median, p95) rows of the measured seconds likewise, the
    seconds from the start of the run. ``replayable`` says whether there is a run folder to fire a case again by.
    """

    earlier: Side
    later: Side
    limits: ComparisonLimits = field(default_factory=ComparisonLimits)
    refused: tuple[str, ...] = ()
    aspects: tuple[Aspect, ...] = ()
    latencies: tuple[LatencyTable, ...] = ()
    rates: tuple[Change, ...] = ()
    findings: FindingDiff = field(default_factory=FindingDiff)
    decisions: DecisionDiff = field(default_factory=DecisionDiff)
    doubts: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    curves: Mapping[str, tuple[list[tuple[float, float]], list[tuple[float, float]]]] = field(default_factory=dict)
    replayable: bool = True
    over_time: Mapping[str, tuple[list[Moment], list[Moment]]] = field(default_factory=dict)

    @property
    def direction(self) -> Direction:
        """Whether the later run is better, the same, worse, or both better and worse."""
        return summed_up(aspect.direction for aspect in self.aspects)

    @property
    def is_worse(self) -> bool:
        """Whether something got worse, whatever got better."""
        return self.direction in {Direction.WORSE, Direction.MIXED}

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value, as ``reports/schemas/comparison.schema.json`` describes it."""
        return {"format": FORMAT, "direction": self.direction.value, **codec.to_json(self)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Comparison:
        """Read what ``to_json`` returned; raises KeyError, TypeError or ValueError for anything else."""
        if value["format"] != FORMAT:
            raise ValueError(f"format {value['format']}")
        return codec.from_json(value, cls)


def summed_up(directions: Iterable[Direction]) -> Direction:
    """Return one direction for several: mixed where some are better and others worse."""
    seen = set(directions)
    worse = bool(seen & {Direction.WORSE, Direction.MIXED})
    better = bool(seen & {Direction.BETTER, Direction.MIXED})
    if worse and better:
        return Direction.MIXED
    if worse or better:
        return Direction.WORSE if worse else Direction.BETTER
    return Direction.SAME if Direction.SAME in seen else Direction.UNJUDGED


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every ``comparison.json`` of this format meets."""
    text = files("gatecrash.reports").joinpath("schemas", "comparison.schema.json").read_text("utf-8")
    value: dict[str, Any] = json.loads(text)
    return value
