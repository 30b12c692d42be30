"""What was seen of one case: each distinct answer, how often, when and by whom. A million of them fit into memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from typing import Any, Final, NamedTuple

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.recording.records import Exchange

# An authorizer that answers anew each time must not fill the memory: what comes after is only counted.
DISTINCT_ANSWERS_MAXIMUM: Final = 16
_VARIANTS_MAXIMUM: Final = 2
_NAMES_MAXIMUM: Final = 8
_SETS_KEPT: Final = 16_384
_NOTHING: Final[frozenset[Any]] = frozenset()
_NO_PHASES: Final[Mapping[str, int]] = {}


@lru_cache(maxsize=_SETS_KEPT)
def set_of(item: Any) -> frozenset[Any]:
    """Return the set of one item, the same object each time: a million cases have few different ones."""
    return frozenset((item,))


@lru_cache(maxsize=_SETS_KEPT)
def _union(one: frozenset[Any], other: frozenset[Any], most: int | None = None) -> frozenset[Any]:
    """Return the union, the same object each time, or the first ``most`` of it: the same in any order of seeing."""
    both = one | other
    return both if most is None or len(both) <= most else frozenset(sorted(both)[:most])


def two_of(one: frozenset[Any], other: frozenset[Any]) -> frozenset[Any]:
    """Return what is remembered of the principals or lifetimes of both: one more than one is all there is to know."""
    return one if other <= one else _union(one, other, _VARIANTS_MAXIMUM)


class Traits(NamedTuple):
    """What many sightings have in common; rates in arrivals a second.

    ``lifetimes`` are (refresh, disconnect) in seconds, two of them at most, ``environments`` a few.
    """

    outcome: Outcome
    lowest_rate: float
    highest_rate: float
    workers: frozenset[int]
    environments: frozenset[str]
    lifetimes: frozenset[tuple[int, int]]

    @classmethod
    def of(cls, exchange: Exchange) -> Traits:
        """Return the traits of the sighting of one exchange."""
        answer, rate = exchange.answer, exchange.offered_rate
        invocation, decision = answer.invocation, answer.decision
        environments = set_of(invocation.environment) if invocation and invocation.environment else _NOTHING
        lifetimes = (
            set_of((decision.refresh_after_in_seconds, decision.disconnect_after_in_seconds)) if decision else _NOTHING
        )
        return cls(answer.outcome, rate, rate, set_of(exchange.worker), environments, lifetimes)


@lru_cache(maxsize=_SETS_KEPT)
def traits_of_both(one: Traits, other: Traits) -> Traits:
    """Return the traits of two sightings of the same answer together, the same object each time."""
    return Traits(
        one.outcome,
        min(one.lowest_rate, other.lowest_rate),
        max(one.highest_rate, other.highest_rate),
        _union(one.workers, other.workers),
        _union(one.environments, other.environments, _NAMES_MAXIMUM),
        two_of(one.lifetimes, other.lifetimes),
    )


@dataclass(slots=True)
class Sighting:
    """How often one answer was seen, of these how many by a cold start and in each phase. Shared: never changed.

    Times are seconds since the run's start.
    """

    traits: Traits
    identity: str
    count: int
    first: float
    last: float
    cold_starts: int = 0
    phases: Mapping[str, int] = field(default_factory=lambda: _NO_PHASES)

    @property
    def outcome(self) -> Outcome:
        """What the answer was."""
        return self.traits.outcome

    def with_more(self, other: Sighting) -> Sighting:
        """Return both sightings of the same answer together."""
        phases = self.phases
        if other.phases:
            phases = {name: phases.get(name, 0) + other.phases.get(name, 0) for name in {**phases, **other.phases}}
        return Sighting(
            self.traits if self.traits is other.traits else traits_of_both(self.traits, other.traits),
            self.identity,
            self.count + other.count,
            min(self.first, other.first),
            max(self.last, other.last),
            self.cold_starts + other.cold_starts,
            phases,
        )


@dataclass(slots=True)
class CaseEntry:
    """All that was seen of one case: its sightings in the order of their first appearance, two of its principals.

    ``uncounted`` is how often something was seen beyond the answers that are kept apart.
    """

    sightings: tuple[Sighting, ...] = ()
    principals: frozenset[str] = _NOTHING
    uncounted: int = 0

    @property
    def only(self) -> Sighting | None:
        """The one answer that the case got, None where there are several, or none."""
        return self.sightings[0] if len(self.sightings) == 1 and not self.uncounted else None

    @property
    def lifetimes(self) -> frozenset[tuple[int, int]]:
        """Two at most of the lifetimes, (refresh, disconnect) in seconds, that came with the answers."""
        return reduce(two_of, (sighting.traits.lifetimes for sighting in self.sightings), _NOTHING)

    @property
    def identities(self) -> frozenset[str]:
        """The identities of the answers."""
        return frozenset(sighting.identity for sighting in self.sightings)

    def add(self, sighting: Sighting) -> None:
        """Count one or more sightings of an answer."""
        for place, known in enumerate(self.sightings):
            if known.identity == sighting.identity:
                both = known.with_more(sighting)
                self.sightings = (*self.sightings[:place], both, *self.sightings[place + 1 :])
                return
        if len(self.sightings) < DISTINCT_ANSWERS_MAXIMUM:
            self.sightings = (*self.sightings, sighting)
        else:
            self.uncounted += sighting.count

    @property
    def count(self) -> int:
        """How many exchanges of this case were recorded."""
        return sum(sighting.count for sighting in self.sightings) + self.uncounted

    def answers(self) -> list[Sighting]:
        """Return the sightings that say something of the authorizer, most frequent first."""
        said = [sighting for sighting in self.sightings if sighting.outcome.is_answer]
        return sorted(said, key=lambda sighting: (-sighting.count, sighting.identity))
