"""The ledger: for each case every distinct answer that was seen, how often, when and by whom.

The principal and the lifetimes are followed apart, because they may change lawfully from call to call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from heapq import merge
from sys import intern
from typing import Any, Final, NamedTuple

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import Answer
from gatecrash.reports.recording import codec
from gatecrash.reports.recording.identities import identity_of, principal_digest, sample_of
from gatecrash.reports.recording.latency import Pause, no_pause
from gatecrash.reports.recording.plain import CaseTimes, Page, Plain, PlainEntries, digest_number, in_milliseconds
from gatecrash.reports.recording.records import Exchange
from gatecrash.reports.recording.sightings import CaseEntry, Sighting, Traits, set_of, traits_of_both, two_of

SAMPLES_MAXIMUM: Final = 2000
_IDENTITIES_KEPT: Final = 16_384
_ENTRIES_A_PIECE: Final = 100
_NOTHING: Final[frozenset[Any]] = frozenset()


class _Reading(NamedTuple):
    """What is kept of an exchange's answer; ``plain`` is its entry as of time 0, where it can be a plain one."""

    identity: str
    traits: Traits
    principal: str
    plain: Plain | None


class Ledger:
    """Case entries by the case's index, and a sample of each distinct answer with its secrets masked.

    Times are kept to the millisecond.
    """

    __slots__ = ("_entries", "_known", "_plain", "samples")

    def __init__(self) -> None:
        self._plain = PlainEntries()
        # A case has its entry here or there.
        self._entries: dict[int, CaseEntry] = {}
        self.samples: dict[str, dict[str, Any]] = {}
        # Reading the same answer again and again is what takes time.
        self._known: dict[tuple[Any, ...], _Reading] = {}

    def add_exchange(
        self, exchange: Exchange, secrets: Callable[[], tuple[str, ...]], *, times: int = 1, last: float = 0.0
    ) -> None:
        """Enter an exchange; ``secrets`` gives the texts of its request that must not be kept.

        With ``times`` it stands for several that differ in their intended starts alone, the latest of them ``last``.
        """
        reading = self._read(exchange, secrets)
        first = in_milliseconds(exchange.intended_start)
        latest = max(first, in_milliseconds(last)) if times > 1 else first
        index, invocation = exchange.case_index, exchange.answer.invocation
        cold_starts = int(invocation is not None and invocation.cold_start)
        plain = None if exchange.phase or cold_starts or index in self._entries else reading.plain
        if plain is not None and self._plain.add(index, plain, times, first, latest):
            return
        entry = self.own_entry(index)
        phases, start = _phases_of(exchange.phase, times), first / 1000
        end = start if latest == first else latest / 1000
        entry.add(Sighting(reading.traits, reading.identity, times, start, end, cold_starts, phases))
        if reading.principal:
            entry.principals = two_of(entry.principals, set_of(reading.principal))

    def add_answers(self, like: Exchange, secrets: Callable[[int], tuple[str, ...]], cases: list[CaseTimes]) -> None:
        """Enter what several cases saw, each one or more exchanges that are as one exchange but for their starts.

        The exchange has neither a phase nor a cold start.
        """
        plain = self._read(like, partial(secrets, like.case_index)).plain
        left: Iterable[CaseTimes] = cases
        if plain is not None:
            new = [case for case in cases if case[0] not in self._entries] if self._entries else cases
            left = [*self._plain.add_new(plain, new), *(case for case in cases if case[0] in self._entries)]
        for index, count, first, last in left:
            exchange = like._replace(case_index=index, intended_start=first)
            self.add_exchange(exchange, partial(secrets, index), times=count, last=last)

    def _read(self, exchange: Exchange, secrets: Callable[[], tuple[str, ...]]) -> _Reading:
        answer, decision, invocation = exchange.answer, exchange.answer.decision, exchange.answer.invocation
        if decision is None:
            return self._read_anew(exchange, secrets)
        key = (
            answer.outcome,
            decision.principal_id,
            decision.policy_documents,
            decision.refresh_after_in_seconds,
            decision.disconnect_after_in_seconds,
            invocation and invocation.environment,
            exchange.offered_rate,
            exchange.worker,
        )
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _IDENTITIES_KEPT:
                self._known.clear()
            known = self._known[key] = self._read_anew(exchange, secrets)
        return known

    def _read_anew(self, exchange: Exchange, secrets: Callable[[], tuple[str, ...]]) -> _Reading:
        answer, traits = exchange.answer, Traits.of(exchange)
        identity = identity_of(answer)
        if identity not in self.samples and len(self.samples) < SAMPLES_MAXIMUM:
            self.samples[identity] = sample_of(answer, secrets())
        principal = principal_digest(answer.decision.principal_id) if answer.decision else ""
        digests = digest_number(identity), digest_number(principal)
        # Digests that are no such number, 0 above all, must be kept as they are.
        is_plain = bool(digests[0]) and bool(digests[1]) == bool(principal)
        number = self._plain.number_of(traits) if is_plain else 0
        return _Reading(identity, traits, principal, Plain(number, 1, 0, 0, *digests) if number else None)

    def own_entry(self, case_index: int) -> CaseEntry:
        """Return the entry of a case to add to, made when there is none yet; it isn't plain from now on."""
        if case_index not in self._entries:
            self._entries[case_index] = self._plain.pop(case_index) or CaseEntry()
        return self._entries[case_index]

    def entry(self, case_index: int) -> CaseEntry:
        """Return all that was seen of a case; nothing, for one that was never fired."""
        plain = self._plain.get(case_index)
        return self._plain.entry_of(plain) if plain else self._entries.get(case_index, CaseEntry())

    def __len__(self) -> int:
        return len(self._plain) + len(self._entries)

    def __iter__(self) -> Iterator[tuple[int, CaseEntry]]:
        plain = ((index, self._plain.entry_of(entry)) for index, entry in self._plain)
        entries = ((index, self._entries[index]) for index in sorted(self._entries))
        return merge(plain, entries, key=lambda item: item[0])

    def rows(self) -> Iterator[tuple[int, Plain | CaseEntry]]:
        """Yield the cases in order, each with its entry as it is kept."""
        entries = ((index, self._entries[index]) for index in sorted(self._entries))
        return merge(self._plain, entries, key=lambda item: item[0])

    @property
    def traits(self) -> Sequence[Traits]:
        """The traits of the plain entries, by the number that is in them."""
        return self._plain.traits

    def up_to(self, rate: float) -> Ledger:
        """Return what was seen at offered rates up to one, in arrivals a second; entries are shared, not copied."""
        ledger = Ledger()
        ledger.samples = self.samples
        ledger._plain = self._plain.up_to(rate)
        for index, entry in self._entries.items():
            kept = tuple(sighting for sighting in entry.sightings if sighting.traits.lowest_rate <= rate)
            ledger._entries[index] = CaseEntry(
                kept, entry.principals, entry.uncounted if kept == entry.sightings else 0
            )
        return ledger

    def add(self, other: Ledger, pause: Pause = no_pause) -> None:
        """Add another worker's ledger; nobody may read either of them in the pauses."""
        numbers = [0, *map(self._plain.number_of, other._plain.traits[1:])]
        for number, page in other._plain.pages.items():
            for index in self._plain.add_page(number, page, numbers, self._entries):
                self._add_entry(index, other.entry(index))
            pause()
        for index, entry in other._entries.items():
            self._add_entry(index, entry)
            pause()
        for identity, sample in other.samples.items():
            if len(self.samples) < SAMPLES_MAXIMUM:
                self.samples.setdefault(identity, sample)

    def _add_entry(self, index: int, other: CaseEntry) -> None:
        entry = self.own_entry(index)
        for sighting in other.sightings:
            entry.add(sighting)
        entry.principals = two_of(entry.principals, other.principals)
        entry.uncounted += other.uncounted

    def pieces(self) -> Iterator[bytes]:
        """Yield the ledger as JSON, in pieces that each take next to no time to make."""
        yield wire.encode({"samples": self.samples})[:-1]
        yield b',"pages":['
        comma = b""
        for number in sorted(self._plain.pages):
            if (page := self._plain.pages[number]).count:
                yield comma + wire.encode([number, page.to_json()])
                comma = b","
        yield b'],"cases":['
        numbers = {traits: number for number, traits in enumerate(self._plain.traits[1:], 1)}
        indices = sorted(self._entries)
        for start in range(0, len(indices), _ENTRIES_A_PIECE):
            rows = [
                _row_of(index, self._entries[index], numbers) for index in indices[start : start + _ENTRIES_A_PIECE]
            ]
            yield (b"," if start else b"") + wire.encode(rows)[1:-1]
        yield b'],"commons":['
        for number, traits in enumerate(numbers):
            row = codec.to_json(traits._asdict(), order="deterministic")
            yield (b"," if number else b"") + wire.encode(row)
        yield b"]}"

    def add_answer(self, case_index: int, answer: Answer, secrets: tuple[str, ...], phase: str = "") -> None:
        """Enter an answer that came at no time of a run; ``secrets`` are the texts of its request not to be kept."""
        self.add_exchange(Exchange(case_index, 0.0, 0.0, 0.0, answer, phase=phase), lambda: secrets)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Ledger:
        """Read the JSON value that ``pieces`` wrote; raises KeyError, TypeError or ValueError for anything else."""
        ledger = cls()
        ledger.samples = dict(value["samples"])
        plain = ledger._plain
        plain.set_traits(map(_traits_of, value["commons"]))
        for number, columns in value["pages"]:
            plain.put_page(number, Page.from_json(columns))
        for row in value["cases"]:
            index, entry = _case_in_full(row) if isinstance(row, dict) else _case(row, plain.traits)
            ledger._entries[index] = entry
        return ledger


@lru_cache(maxsize=_IDENTITIES_KEPT)
def _phases_of(phase: str, times: int) -> Mapping[str, int]:
    """Return how often something was seen in each phase, the same object each time."""
    return {phase: times} if phase else {}


def _row_of(index: int, entry: CaseEntry, numbers: dict[Traits, int]) -> list[Any]:
    """Return a JSON value; traits that have no number yet are given one."""
    sightings = []
    for sighting in entry.sightings:
        number = numbers.setdefault(sighting.traits, len(numbers) + 1)
        seldom = [sighting.cold_starts, sighting.phases] if sighting.cold_starts or sighting.phases else []
        times = in_milliseconds(sighting.first), in_milliseconds(sighting.last)
        sightings.append([number, sighting.identity, sighting.count, *times, *seldom])
    return [index, entry.uncounted, sorted(entry.principals), sightings]


def _case(row: list[Any], traits: Sequence[Traits]) -> tuple[int, CaseEntry]:
    """Read what ``_row_of`` returned."""
    index, uncounted, principals, rows = row
    sightings = tuple(
        Sighting(traits[number], intern(identity), count, first / 1000, last / 1000, *seldom)
        for number, identity, count, first, last, *seldom in rows
    )
    return index, CaseEntry(sightings, two_of(_NOTHING, frozenset(principals)), uncounted)


def _case_in_full(row: dict[str, Any]) -> tuple[int, CaseEntry]:
    """Read a case as run folders also have it: each sighting names its traits' members itself."""
    entry = CaseEntry((), two_of(_NOTHING, frozenset(row["principals"])), row["uncounted"])
    for sighting in row["sightings"]:
        traits = _traits_of({**sighting, "lifetimes": row["lifetimes"]})
        members = [sighting[name] for name in ("count", "first", "last", "cold_starts", "phases")]
        entry.add(Sighting(traits, intern(sighting["identity"]), *members))
    return row["case"], entry


def _traits_of(row: Mapping[str, Any]) -> Traits:
    traits = codec.from_json([row[name] for name in Traits._fields], Traits)
    return traits_of_both(traits, traits)
