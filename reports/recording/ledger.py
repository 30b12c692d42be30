"""The ledger: for each case every distinct answer that was seen, how often, when and by whom.

The principal and the lifetimes are followed apart, because they may change lawfully from call to call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from heapq import merge
from typing import Any, Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import Answer
from gatecrash.reports.recording.identities import identity_of, principal_digest, sample_of
from gatecrash.reports.recording.latency import Pause, no_pause
from gatecrash.reports.recording.plain import Common, Plain, PlainEntries, Seen, digest_number, in_milliseconds
from gatecrash.reports.recording.records import Exchange
from gatecrash.reports.recording.sightings import CaseEntry, Sighting, decode_sighting, encode_sighting, only

SAMPLES_MAXIMUM: Final = 2000
_IDENTITIES_KEPT: Final = 16_384
_ENTRIES_A_PIECE: Final = 100
_NOTHING: Final[frozenset[Any]] = frozenset()


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
        self._known: dict[tuple[Any, ...], tuple[str, Plain | None]] = {}

    def add_exchange(
        self, exchange: Exchange, secrets: Callable[[], tuple[str, ...]], *, times: int = 1, last: float = 0.0
    ) -> None:
        """Enter an exchange; ``secrets`` gives the texts of its request that must not be kept.

        With ``times`` it stands for several that differ in their intended starts alone, the latest of them ``last``.
        """
        identity, plain = self._read(exchange, secrets)
        first = in_milliseconds(exchange.intended_start)
        latest = max(first, in_milliseconds(last)) if times > 1 else first
        index = exchange.case_index
        if plain is None or index in self._entries or not self._plain.add(index, plain, times, first, latest):
            self._enter(exchange._replace(intended_start=first / 1000), identity, times, latest / 1000)

    def add_answers(self, like: Exchange, secrets: Callable[[int], tuple[str, ...]], seen: list[Seen]) -> None:
        """Enter what several cases saw, each one or more exchanges that are as one exchange but for their starts."""
        _, plain = self._read(like, partial(secrets, like.case_index))
        left: Iterable[Seen] = seen
        if plain is not None:
            others = [one for one in seen if one[0] not in self._entries] if self._entries else seen
            left = [*self._plain.add_new(plain, others), *(one for one in seen if one[0] in self._entries)]
        for index, count, first, last in left:
            one = like._replace(case_index=index, intended_start=first)
            self.add_exchange(one, partial(secrets, index), times=count, last=last)

    def _read(self, exchange: Exchange, secrets: Callable[[], tuple[str, ...]]) -> tuple[str, Plain | None]:
        """Return the identity of an exchange's answer, and its entry where it is plain, as of time 0."""
        answer, decision, invocation = exchange.answer, exchange.answer.decision, exchange.answer.invocation
        if decision is None or exchange.phase or (invocation is not None and invocation.cold_start):
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

    def _read_anew(self, exchange: Exchange, secrets: Callable[[], tuple[str, ...]]) -> tuple[str, Plain | None]:
        answer = exchange.answer
        identity = identity_of(answer)
        if identity not in self.samples and len(self.samples) < SAMPLES_MAXIMUM:
            self.samples[identity] = sample_of(answer, secrets())
        return identity, self._plain_of(exchange, identity)

    def _plain_of(self, exchange: Exchange, identity: str) -> Plain | None:
        """Return the entry of one exchange where it is plain, as of time 0."""
        invocation, decision = exchange.answer.invocation, exchange.answer.decision
        number, principal, lifetimes, environments = digest_number(identity), 0, _NOTHING, _NOTHING
        if exchange.phase or not number:
            return None
        if invocation is not None:
            if invocation.cold_start:
                return None
            environments = only(invocation.environment) if invocation.environment else _NOTHING
        if decision is not None:
            principal = digest_number(principal_digest(decision.principal_id))
            lifetimes = only((decision.refresh_after_in_seconds, decision.disconnect_after_in_seconds))
            if not principal:
                return None
        rate = exchange.offered_rate
        common = Common(exchange.answer.outcome, rate, rate, only(exchange.worker), environments, lifetimes)
        known = self._plain.number_of(common)
        return Plain(known, 1, 0, 0, number, principal) if known else None

    def _enter(self, exchange: Exchange, identity: str, times: int, last: float) -> None:
        entry = self.own_entry(exchange.case_index)
        sighting = entry.sighting(identity)
        if sighting is not None:
            sighting.see(exchange)
        else:
            sighting = Sighting.first_of(exchange, identity)
            if not entry.put(sighting):
                entry.uncounted += times
        sighting.count += times - 1
        sighting.last = max(sighting.last, last)
        if (decision := exchange.answer.decision) is not None:
            principal = principal_digest(decision.principal_id)
            lifetimes = (decision.refresh_after_in_seconds, decision.disconnect_after_in_seconds)
            if principal not in entry.principals or lifetimes not in entry.lifetimes:
                entry.add_variants(only(principal), only(lifetimes))

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
    def commons(self) -> Sequence[Common | None]:
        """What the plain entries have in common, by the number that is in them."""
        return self._plain.commons

    def number_of(self, common: Common) -> int:
        """Return the number by which plain entries name what they have in common; 0 when there are too many."""
        return self._plain.number_of(common)

    def add_plain(self, index: int, like: Plain, times: int, first: int, last: int) -> bool:
        """Add to a case's entry what was seen, like another one but for how often and when (in milliseconds).

        ``like.common`` is a number that ``number_of`` gave. False where the entry isn't plain, and nothing was done.
        """
        return index not in self._entries and self._plain.add(index, like, times, first, last)

    def up_to(self, rate: float) -> Ledger:
        """Return what was seen at offered rates up to one, in arrivals a second; entries are shared, not copied."""
        ledger = Ledger()
        ledger.samples = self.samples
        ledger._plain = self._plain.up_to(rate)
        for index, entry in self._entries.items():
            if all(sighting.lowest_rate <= rate for sighting in entry):
                ledger._entries[index] = entry
                continue
            kept = ledger.own_entry(index)
            kept.add_variants(entry.principals, entry.lifetimes)
            for sighting in entry:
                if sighting.lowest_rate <= rate:
                    kept.put(sighting)
        return ledger

    def add(self, other: Ledger, pause: Pause = no_pause) -> None:
        """Add another worker's ledger; nobody may read either of them in the pauses."""
        numbers = [0 if common is None else self._plain.number_of(common) for common in other._plain.commons]
        for number, page in other._plain.pages.items():
            for index in self._plain.add_page(number, page, numbers, self._entries):
                self._add_entry(index, other.entry(index))
            pause()
        for index, theirs in other._entries.items():
            self._add_entry(index, theirs)
            pause()
        self.add_samples(other.samples)

    def add_samples(self, samples: Mapping[str, dict[str, Any]]) -> None:
        """Add samples of answers, as many as there is room for."""
        for identity, sample in samples.items():
            if len(self.samples) < SAMPLES_MAXIMUM:
                self.samples.setdefault(identity, sample)

    def _add_entry(self, index: int, theirs: CaseEntry) -> None:
        mine = self.own_entry(index)
        for sighting in theirs.sightings.values():
            mine.add_sighting(sighting)
        mine.add_variants(theirs.principals, theirs.lifetimes)
        mine.uncounted += theirs.uncounted

    def pieces(self) -> Iterator[bytes]:
        """Yield the ledger as JSON, in pieces that each take next to no time to make."""
        yield wire.encode({"samples": self.samples, "commons": self._plain.encode_commons()})[:-1]
        yield b',"pages":['
        for place, number in enumerate(sorted(self._plain.pages)):
            yield (b"," if place else b"") + wire.encode([number, self._plain.pages[number].encode()])
        yield b'],"cases":['
        indices = sorted(self._entries)
        for start in range(0, len(indices), _ENTRIES_A_PIECE):
            rows = [_encode_entry(index, self._entries[index]) for index in indices[start : start + _ENTRIES_A_PIECE]]
            yield (b"," if start else b"") + wire.encode(rows)[1:-1]
        yield b"]}"

    def add_answer(self, case_index: int, answer: Answer, secrets: tuple[str, ...], phase: str = "") -> None:
        """Enter an answer that came at no time of a run; ``secrets`` are the texts of its request not to be kept."""
        self.add_exchange(Exchange(case_index, 0.0, 0.0, 0.0, answer, phase=phase), lambda: secrets)

    @classmethod
    def decode(cls, value: Mapping[str, Any]) -> Ledger:
        """Read the JSON value that ``pieces`` wrote; raises KeyError, TypeError or ValueError for anything else."""
        ledger = cls()
        ledger.samples = dict(value["samples"])
        # Recordings of earlier versions have no columns.
        ledger._plain.decode(value.get("commons", []), value.get("pages", []))
        for row in value["cases"]:
            entry = ledger.own_entry(row["case"])
            entry.uncounted = row["uncounted"]
            principals = frozenset(row["principals"])
            lifetimes = frozenset((refresh, disconnect) for refresh, disconnect in row["lifetimes"])
            entry.add_variants(principals, lifetimes)
            for sighting in map(decode_sighting, row["sightings"]):
                entry.put(sighting)
        return ledger


def _encode_entry(index: int, entry: CaseEntry) -> dict[str, Any]:
    return {
        "case": index,
        "uncounted": entry.uncounted,
        "principals": sorted(entry.principals),
        "lifetimes": sorted(entry.lifetimes),
        "sightings": [encode_sighting(sighting) for sighting in entry.sightings.values()],
    }
