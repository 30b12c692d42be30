"""What was seen of one case: each distinct answer, how often, when and by whom. A million of them fit into memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from sys import intern
from typing import Any, Final

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.recording.records import Exchange

# An authorizer that answers anew each time must not fill the memory: what comes after is only counted.
DISTINCT_ANSWERS_MAXIMUM: Final = 16
_VARIANTS_MAXIMUM: Final = 2
_NAMES_MAXIMUM: Final = 8
_SETS_KEPT: Final = 16_384


@lru_cache(maxsize=_SETS_KEPT)
def joined(one: frozenset[Any], other: frozenset[Any]) -> frozenset[Any]:
    """Return the union, the same object each time: a million cases have few different ones."""
    return one | other


def environments_of_both(mine: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    """Return mine and the others, as many as are remembered at all."""
    return mine if others <= mine else _first_few(joined(mine, others))


@lru_cache(maxsize=_SETS_KEPT)
def only(item: Any) -> frozenset[Any]:
    """Return the set of one item, the same object each time."""
    return frozenset((item,))


@lru_cache(maxsize=_SETS_KEPT)
def _first_few(names: frozenset[str]) -> frozenset[str]:
    """Return as many names as are kept: the first by the alphabet, so that it is the same in any order of seeing."""
    return names if len(names) <= _NAMES_MAXIMUM else frozenset(sorted(names)[:_NAMES_MAXIMUM])


# Shared by all that have none; whoever counts one takes a counter of its own.
_NO_PHASES: Final[Counter[str]] = Counter()


@dataclass(slots=True)
class Sighting:
    """How often one answer was seen; times in seconds since the run's start, rates in arrivals a second."""

    outcome: Outcome
    identity: str
    count: int = 0
    first: float = 0.0
    last: float = 0.0
    lowest_rate: float = 0.0
    highest_rate: float = 0.0
    workers: frozenset[int] = frozenset()
    environments: frozenset[str] = frozenset()
    cold_starts: int = 0
    phases: Counter[str] = field(default_factory=lambda: _NO_PHASES)

    @classmethod
    def first_of(cls, exchange: Exchange, identity: str) -> Sighting:
        """Make the sighting of one exchange."""
        start, rate = exchange.intended_start, exchange.offered_rate
        sighting = cls(exchange.answer.outcome, identity, 0, start, start, rate, rate)
        sighting.see(exchange)
        return sighting

    def see(self, exchange: Exchange) -> None:
        """Count one more exchange with this answer."""
        self.count += 1
        start, rate = exchange.intended_start, exchange.offered_rate
        if start < self.first:
            self.first = start
        elif start > self.last:
            self.last = start
        if rate < self.lowest_rate:
            self.lowest_rate = rate
        elif rate > self.highest_rate:
            self.highest_rate = rate
        if exchange.worker not in self.workers:
            self.workers = joined(self.workers, only(exchange.worker))
        if (invocation := exchange.answer.invocation) is not None:
            name = invocation.environment
            if name and name not in self.environments:
                self.environments = environments_of_both(self.environments, only(name))
            self.cold_starts += invocation.cold_start
        if exchange.phase:
            self._own_phases()[exchange.phase] += 1

    def _own_phases(self) -> Counter[str]:
        if self.phases is _NO_PHASES:
            self.phases = Counter()
        return self.phases

    def add(self, other: Sighting) -> None:
        """Add sightings of the same answer."""
        if self.count == 0:
            self.first, self.lowest_rate = other.first, other.lowest_rate
        self.count += other.count
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)
        self.lowest_rate = min(self.lowest_rate, other.lowest_rate)
        self.highest_rate = max(self.highest_rate, other.highest_rate)
        self.workers = joined(self.workers, other.workers)
        self.environments = environments_of_both(self.environments, other.environments)
        self.cold_starts += other.cold_starts
        if other.phases:
            self._own_phases().update(other.phases)


class CaseEntry:
    """All that was seen of one case. Nearly every case gets one answer all along: that takes no dictionary."""

    __slots__ = ("_first", "_others", "lifetimes", "principals", "uncounted")

    def __init__(self) -> None:
        self._first: Sighting | None = None
        self._others: dict[str, Sighting] | None = None
        self.principals: frozenset[str] = frozenset()
        self.lifetimes: frozenset[tuple[int, int]] = frozenset()
        self.uncounted = 0

    @property
    def sightings(self) -> dict[str, Sighting]:
        """The sightings by their answer's identity, in the order of their first appearance."""
        first = {} if self._first is None else {self._first.identity: self._first}
        return {**first, **(self._others or {})}

    def __iter__(self) -> Iterator[Sighting]:
        """Yield the sightings in the order of their first appearance."""
        if self._first is not None:
            yield self._first
        if self._others is not None:
            yield from self._others.values()

    @property
    def only(self) -> Sighting | None:
        """The one answer that the case got, None where there are several, or none."""
        return self._first if self._others is None and not self.uncounted else None

    def sighting(self, identity: str) -> Sighting | None:
        """Return the sighting of an answer, None when it was not seen."""
        if self._first is not None and self._first.identity == identity:
            return self._first
        return None if self._others is None else self._others.get(identity)

    def put(self, sighting: Sighting) -> bool:
        """Enter the first sighting of an answer; False when there are too many distinct ones."""
        if self._first is None:
            self._first = sighting
            return True
        if self._others is None:
            self._others = {}
        if len(self._others) + 1 >= DISTINCT_ANSWERS_MAXIMUM:
            return False
        self._others[sighting.identity] = sighting
        return True

    def add_sighting(self, sighting: Sighting) -> None:
        """Count one or more sightings of an answer."""
        mine = self.sighting(sighting.identity)
        if mine is None:
            mine = Sighting(sighting.outcome, sighting.identity)
            if not self.put(mine):
                self.uncounted += sighting.count
                return
        mine.add(sighting)

    def add_variants(self, principals: frozenset[str], lifetimes: frozenset[tuple[int, int]]) -> None:
        """Remember up to two principals and lifetimes: one more than one is all there is to know."""
        self.principals = two_of(self.principals, principals)
        self.lifetimes = two_of(self.lifetimes, lifetimes)

    @property
    def count(self) -> int:
        """How many exchanges of this case were recorded."""
        return sum(sighting.count for sighting in self.sightings.values()) + self.uncounted

    def answers(self) -> list[Sighting]:
        """Return the sightings that say something of the authorizer, most frequent first."""
        said = [sighting for sighting in self.sightings.values() if sighting.outcome.is_answer]
        return sorted(said, key=lambda sighting: (-sighting.count, sighting.identity))


def two_of(mine: frozenset[Any], theirs: frozenset[Any]) -> frozenset[Any]:
    """Return what is remembered of the principals or lifetimes of both: one more than one is all there is to know."""
    if theirs <= mine:
        return mine
    if not mine and len(theirs) <= _VARIANTS_MAXIMUM:
        return theirs
    return _first_two(joined(mine, theirs))


@lru_cache(maxsize=_SETS_KEPT)
def _first_two(items: frozenset[Any]) -> frozenset[Any]:
    return items if len(items) <= _VARIANTS_MAXIMUM else frozenset(sorted(items)[:_VARIANTS_MAXIMUM])


def encode_sighting(sighting: Sighting) -> dict[str, Any]:
    """Return a JSON value."""
    return {
        "outcome": sighting.outcome.value,
        "identity": sighting.identity,
        "count": sighting.count,
        "first": round(sighting.first, 3),
        "last": round(sighting.last, 3),
        "lowest_rate": sighting.lowest_rate,
        "highest_rate": sighting.highest_rate,
        "workers": sorted(sighting.workers),
        "environments": sorted(sighting.environments),
        "cold_starts": sighting.cold_starts,
        "phases": dict(sorted(sighting.phases.items())),
    }


def decode_sighting(row: Mapping[str, Any]) -> Sighting:
    """Read what ``encode_sighting`` wrote."""
    return Sighting(
        outcome=Outcome(row["outcome"]),
        identity=intern(row["identity"]),
        count=row["count"],
        first=row["first"],
        last=row["last"],
        lowest_rate=row["lowest_rate"],
        highest_rate=row["highest_rate"],
        workers=joined(frozenset(), frozenset(row["workers"])),
        environments=joined(frozenset(), frozenset(row["environments"])),
        cold_starts=row["cold_starts"],
        phases=Counter(phases) if (phases := row.get("phases")) else _NO_PHASES,
    )
