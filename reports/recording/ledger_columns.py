"""A ledger as columns of numbers, the way workers send what changed in theirs: small, and cheap to add up.

Whatever repeats stands once, in a table, and the columns hold its place there. Columns are unsigned 32-bit numbers,
little-endian: of each case its index and the places of its principals and of its lifetimes; of each sighting the places
of its answer and of its traits, its count, and its first and last time in milliseconds.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from sys import intern
from typing import Any, Final, NamedTuple

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.recording.plain import Common, Plain, digest_number, digest_of, in_milliseconds
from gatecrash.reports.recording.sightings import CaseEntry, Sighting, joined, only

_KIND: Final = "I"
_CASE_COLUMNS: Final = 3
_SIGHTING_COLUMNS: Final = 5
_PER_SECOND: Final = 1000
_KINDS_KEPT: Final = 65_536

_Principals = frozenset[str]
_Lifetimes = frozenset[tuple[int, int]]


class Traits(NamedTuple):
    """What many sightings have in common."""

    lowest_rate: float
    highest_rate: float
    workers: frozenset[int]
    environments: frozenset[str]
    cold_starts: int
    phases: tuple[tuple[str, int], ...]

    def sighting(self, outcome: Outcome, identity: str, count: int, first: float, last: float) -> Sighting:
        """Return a sighting with these traits; times in seconds."""
        made = Sighting(
            outcome,
            identity,
            count,
            first,
            last,
            self.lowest_rate,
            self.highest_rate,
            self.workers,
            self.environments,
            self.cold_starts,
        )
        if self.phases:
            made.phases = Counter(dict(self.phases))
        return made


def _traits_of(sighting: Sighting) -> Traits:
    return Traits(
        sighting.lowest_rate,
        sighting.highest_rate,
        sighting.workers,
        sighting.environments,
        sighting.cold_starts,
        tuple(sorted(sighting.phases.items())) if sighting.phases else (),
    )


class _Tables:
    """What repeats in a ledger, each with its place."""

    def __init__(self, ledger: Ledger) -> None:
        self.answers: dict[tuple[Outcome, str], int] = {}
        self.traits: dict[Traits, int] = {}
        self.principals: dict[_Principals, int] = {}
        self.lifetimes: dict[_Lifetimes, int] = {}
        self._commons = ledger.commons
        # Of plain entries, by the numbers in them: nearly all are alike.
        self._places: dict[tuple[int, int, int], tuple[int, int, int, int]] = {}

    def places_of(self, plain: Plain) -> tuple[int, int, int, int]:
        """Return the places of a plain entry's answer, traits, principals and lifetimes."""
        key = (plain.common, plain.identity, plain.principal)
        found = self._places.get(key)
        if found is None:
            common = self._commons[plain.common]
            assert common is not None  # noqa: S101 - it is that of an entry
            principals = only(digest_of(plain.principal)) if plain.principal else frozenset()
            traits = Traits(common.lowest_rate, common.highest_rate, common.workers, common.environments, 0, ())
            found = self._places[key] = (
                self.answer(common.outcome, digest_of(plain.identity)),
                self.trait(traits),
                *self.variants(principals, common.lifetimes),
            )
        return found

    def answer(self, outcome: Outcome, identity: str) -> int:
        """Return the place of an answer."""
        return self.answers.setdefault((outcome, identity), len(self.answers))

    def trait(self, traits: Traits) -> int:
        """Return the place of traits."""
        return self.traits.setdefault(traits, len(self.traits))

    def variants(self, principals: _Principals, lifetimes: _Lifetimes) -> tuple[int, int]:
        """Return the places of a case's principals and lifetimes."""
        return (
            self.principals.setdefault(principals, len(self.principals)),
            self.lifetimes.setdefault(lifetimes, len(self.lifetimes)),
        )

    def encode(self) -> dict[str, Any]:
        """Return a JSON value."""
        return {
            "answers": list(self.answers),
            "traits": [(*one[:2], sorted(one.workers), sorted(one.environments), *one[4:]) for one in self.traits],
            "principals": list(map(sorted, self.principals)),
            "lifetimes": list(map(sorted, self.lifetimes)),
        }


def encode_ledger(ledger: Ledger) -> tuple[dict[str, Any], bytes]:
    """Return a ledger as a JSON value, which holds the tables, and the columns."""
    tables = _Tables(ledger)
    cases: tuple[list[int], ...] = tuple([] for _ in range(_CASE_COLUMNS))
    sightings: tuple[list[int], ...] = tuple([] for _ in range(_SIGHTING_COLUMNS))
    several: list[tuple[int, int]] = []
    uncounted: list[tuple[int, int]] = []
    for place, (index, entry) in enumerate(ledger.rows()):
        if isinstance(entry, Plain):
            answer, trait, principals, lifetimes = tables.places_of(entry)
            _append(cases, (index, principals, lifetimes))
            _append(sightings, (answer, trait, entry.times, entry.first, entry.last))
            continue
        _append(cases, (index, *tables.variants(entry.principals, entry.lifetimes)))
        seen = tuple(entry)
        if len(seen) != 1:
            several.append((place, len(seen)))
        if entry.uncounted:
            uncounted.append((place, entry.uncounted))
        for one in seen:
            places = (tables.answer(one.outcome, one.identity), tables.trait(_traits_of(one)))
            _append(sightings, (*places, one.count, in_milliseconds(one.first), in_milliseconds(one.last)))
    value = {
        **tables.encode(),
        "samples": ledger.samples,
        "cases": len(cases[0]),
        "sightings": len(sightings[0]),
        "several": several,
        "uncounted": uncounted,
    }
    return value, b"".join(_bytes_of(array(_KIND, column)) for column in (*cases, *sightings))


def _append(columns: tuple[list[int], ...], row: tuple[int, ...]) -> None:
    for column, value in zip(columns, row, strict=True):
        column.append(value)


def _bytes_of(column: array[int]) -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


def add_encoded_ledger(ledger: Ledger, tables: Mapping[str, Any], columns: bytes) -> None:
    """Add what ``encode_ledger`` returned to a ledger; raises ValueError when the columns aren't as long as told."""
    cases, rows = _read_columns(columns, tables["cases"], tables["sightings"])
    ledger.add_samples(tables["samples"])
    answers = [(Outcome(outcome), intern(identity)) for outcome, identity in tables["answers"]]
    traits = [_traits(row) for row in tables["traits"]]
    principals = [frozenset(map(intern, row)) for row in tables["principals"]]
    lifetimes = [_lifetimes(row) for row in tables["lifetimes"]]
    several, uncounted = dict(tables["several"]), dict(tables["uncounted"])

    @lru_cache(maxsize=_KINDS_KEPT)
    def kind_of(answer: int, trait: int, principal: int, lifetime: int) -> Plain | None:
        return _plain_of(ledger, answers[answer], traits[trait], principals[principal], lifetimes[lifetime])

    rows_left = zip(*rows, strict=True)
    for place, (index, principal, lifetime) in enumerate(zip(*cases, strict=True)):
        count_of_rows = several.get(place, 1)
        if count_of_rows == 1 and place not in uncounted:
            answer, trait, count, first, last = next(rows_left)
            like = kind_of(answer, trait, principal, lifetime)
            if like is not None and ledger.add_plain(index, like, count, first, last):
                continue
            found: Iterable[tuple[int, ...]] = ((answer, trait, count, first, last),)
        else:
            found = islice(rows_left, count_of_rows)
        entry = ledger.own_entry(index)
        entry.add_variants(principals[principal], lifetimes[lifetime])
        if place in uncounted:
            entry.uncounted += uncounted[place]
        for answer, trait, count, first, last in found:
            _add_row(entry, answers[answer], traits[trait], count, first / _PER_SECOND, last / _PER_SECOND)


def _plain_of(
    ledger: Ledger, answer: tuple[Outcome, str], traits: Traits, principals: _Principals, lifetimes: _Lifetimes
) -> Plain | None:
    """Return the plain entry that all of these make, None where they make none; it has no times and count yet."""
    identity = digest_number(answer[1])
    principal = digest_number(next(iter(principals))) if len(principals) == 1 else 0
    if not identity or traits.cold_starts or traits.phases or bool(principals) is not bool(principal):
        return None
    common = Common(answer[0], *traits[:4], lifetimes)
    number = ledger.number_of(common)
    return Plain(number, 0, 0, 0, identity, principal) if number else None


def _add_row(
    entry: CaseEntry, answer: tuple[Outcome, str], traits: Traits, count: int, first: float, last: float
) -> None:
    mine = entry.sighting(answer[1])
    if mine is None:
        if not entry.put(traits.sighting(*answer, count, first, last)):
            entry.uncounted += count
    elif (
        mine.workers is traits.workers
        and mine.environments is traits.environments
        and mine.lowest_rate <= traits.lowest_rate
        and mine.highest_rate >= traits.highest_rate
        and not traits.cold_starts
        and not traits.phases
    ):
        # The usual case: only numbers change.
        mine.count += count
        if first < mine.first:
            mine.first = first
        if last > mine.last:
            mine.last = last
    else:
        mine.add(traits.sighting(*answer, count, first, last))


def _read_columns(columns: bytes, cases: int, sightings: int) -> tuple[list[array[int]], list[array[int]]]:
    lengths = [cases] * _CASE_COLUMNS + [sightings] * _SIGHTING_COLUMNS
    size = array(_KIND).itemsize
    if len(columns) != sum(lengths) * size:
        raise ValueError(f"{len(columns)} bytes of columns where {sum(lengths) * size} must be")
    found: list[array[int]] = []
    start = 0
    for length in lengths:
        column = array(_KIND, columns[start : start + length * size])
        if sys.byteorder == "big":
            column.byteswap()
        found.append(column)
        start += length * size
    return found[:_CASE_COLUMNS], found[_CASE_COLUMNS:]


def _traits(row: Sequence[Any]) -> Traits:
    lowest, highest, workers, environments, cold_starts, phases = row
    nothing: frozenset[Any] = frozenset()
    return Traits(
        lowest,
        highest,
        joined(nothing, frozenset(workers)),
        joined(nothing, frozenset(environments)),
        cold_starts,
        tuple((name, count) for name, count in phases),
    )


def _lifetimes(row: Sequence[Sequence[int]]) -> _Lifetimes:
    return joined(frozenset(), frozenset((refresh, disconnect) for refresh, disconnect in row))
