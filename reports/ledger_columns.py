"""A ledger as columns of numbers, the way workers send what changed in theirs: small, and cheap to add up.

Whatever repeats stands once, in a table, and the columns hold its place there. Columns are unsigned 32-bit numbers,
little-endian: of each case its index and the places of its principals and of its lifetimes; of each sighting the places
of its answer and of its traits, its count, and its first and last time in milliseconds.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any, Final, NamedTuple

from authorizers.contract import Outcome
from reports.ledger import Ledger
from reports.sightings import CaseEntry, Sighting, joined

_KIND: Final = "I"
_CASE_COLUMNS: Final = 3
_SIGHTING_COLUMNS: Final = 5
_PER_SECOND: Final = 1000

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


def encode_ledger(ledger: Ledger) -> tuple[dict[str, Any], bytes]:
    """Return a ledger as a JSON value, which holds the tables, and the columns."""
    answers: dict[tuple[Outcome, str], int] = {}
    traits: dict[Traits, int] = {}
    principals: dict[_Principals, int] = {}
    lifetimes: dict[_Lifetimes, int] = {}
    cases: tuple[list[int], ...] = tuple([] for _ in range(_CASE_COLUMNS))
    sightings: tuple[list[int], ...] = tuple([] for _ in range(_SIGHTING_COLUMNS))
    several: list[tuple[int, int]] = []
    uncounted: list[tuple[int, int]] = []
    for place, (index, entry) in enumerate(ledger):
        cases[0].append(index)
        cases[1].append(principals.setdefault(entry.principals, len(principals)))
        cases[2].append(lifetimes.setdefault(entry.lifetimes, len(lifetimes)))
        seen = tuple(entry)
        if len(seen) != 1:
            several.append((place, len(seen)))
        if entry.uncounted:
            uncounted.append((place, entry.uncounted))
        for one in seen:
            sightings[0].append(answers.setdefault((one.outcome, one.identity), len(answers)))
            sightings[1].append(traits.setdefault(_traits_of(one), len(traits)))
            sightings[2].append(one.count)
            sightings[3].append(round(round(one.first, 3) * _PER_SECOND))
            sightings[4].append(round(round(one.last, 3) * _PER_SECOND))
    tables = {
        "samples": ledger.samples,
        "answers": list(answers),
        "traits": [(*one[:2], sorted(one.workers), sorted(one.environments), *one[4:]) for one in traits],
        "principals": list(map(sorted, principals)),
        "lifetimes": list(map(sorted, lifetimes)),
        "cases": len(cases[0]),
        "sightings": len(sightings[0]),
        "several": several,
        "uncounted": uncounted,
    }
    return tables, b"".join(_bytes_of(array(_KIND, column)) for column in (*cases, *sightings))


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
    rows_left = zip(*rows, strict=True)
    for place, (index, principal, lifetime) in enumerate(zip(*cases, strict=True)):
        entry = ledger.own_entry(index)
        entry.add_variants(principals[principal], lifetimes[lifetime])
        if place in uncounted:
            entry.uncounted += uncounted[place]
        for _ in range(several.get(place, 1)):
            answer, trait, count, first, last = next(rows_left)
            _add_row(entry, answers[answer], traits[trait], count, first / _PER_SECOND, last / _PER_SECOND)


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
