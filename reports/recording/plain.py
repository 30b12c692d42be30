"""Entries of cases that got one answer all along, as columns of numbers: 32 bytes a case, whatever was answered.

What is not plain, such as a second answer, a cold start or a named phase, is for a ``CaseEntry``.
"""

from __future__ import annotations

import base64
import sys
from array import array
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.recording.sightings import CaseEntry, Sighting, environments_of_both, joined, only, two_of

CASES_A_PAGE: Final = 1024
_TYPES: Final = "IIIIQQ"
_NUMBER_MAXIMUM: Final = 2**32 - 1
_MILLISECONDS: Final = 1000
_COMMONS_MAXIMUM: Final = 2**16


class Common(NamedTuple):
    """What the entries of many cases have in common; rates in arrivals a second, lifetimes in seconds."""

    outcome: Outcome
    lowest_rate: float
    highest_rate: float
    workers: frozenset[int]
    environments: frozenset[str]
    lifetimes: frozenset[tuple[int, int]]


class Plain(NamedTuple):
    """One plain entry: ``common`` and the digests as numbers, ``principal`` 0 for none; times in milliseconds."""

    common: int
    times: int
    first: int
    last: int
    identity: int
    principal: int


# A case, how often it got the answer, and the first and the last time, in seconds.
Seen = tuple[int, int, float, float]


class Page:
    """The columns of ``CASES_A_PAGE`` cases: those of ``Plain``; a ``common`` of 0 says that there is no entry."""

    __slots__ = ("columns",)

    def __init__(self) -> None:
        self.columns = tuple(array(code, bytes(array(code).itemsize * CASES_A_PAGE)) for code in _TYPES)

    def encode(self) -> list[str]:
        """Return the columns, little-endian, as base64."""
        return [base64.b64encode(_little_endian(column).tobytes()).decode("ascii") for column in self.columns]

    @classmethod
    def decode(cls, columns: list[str]) -> Page:
        """Read what ``encode`` wrote; raises ValueError for anything else."""
        page = cls()
        page.columns = tuple(
            _little_endian(array(code, base64.b64decode(text, validate=True)))
            for code, text in zip(_TYPES, columns, strict=True)
        )
        if any(len(column) != CASES_A_PAGE for column in page.columns):
            raise ValueError("a page of the ledger has another size")
        return page


def _little_endian(column: array[int]) -> array[int]:
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column


def in_milliseconds(seconds: float) -> int:
    """Return a time as the ledger keeps it."""
    return round(seconds * _MILLISECONDS)


@lru_cache(maxsize=16_384)
def digest_number(digest: str) -> int:
    """Return a digest of 16 hexadecimal digits as a number; 0 for what is none."""
    try:
        number = int(digest, 16)
    except ValueError:
        return 0
    return number if digest == f"{number:016x}" else 0


@lru_cache(maxsize=16_384)
def digest_of(number: int) -> str:
    """Return the digest of 16 hexadecimal digits that ``digest_number`` made a number of."""
    return f"{number:016x}"


_NO_COLUMNS: Final[tuple[array[int], ...]] = ()


class PlainEntries:
    """Plain entries by the case's index."""

    __slots__ = ("_count", "_merged", "_numbers", "commons", "pages")

    def __init__(self) -> None:
        self.pages: dict[int, Page] = {}
        # Number 0 is that of no entry.
        self.commons: list[Common | None] = [None]
        self._numbers: dict[Common, int] = {}
        self._merged: dict[tuple[int, int], int] = {}
        self._count = 0

    def number_of(self, common: Common) -> int:
        """Return the number by which entries name what they have in common; 0 when there are too many different."""
        number = self._numbers.get(common)
        if number is None:
            if len(self.commons) > _COMMONS_MAXIMUM:
                return 0
            number = self._numbers[common] = len(self.commons)
            self.commons.append(common)
        return number

    def __len__(self) -> int:
        return self._count

    def _page(self, number: int) -> Page:
        page = self.pages.get(number)
        if page is None:
            page = self.pages[number] = Page()
        return page

    def add(self, index: int, like: Plain, times: int, first: int, last: int) -> bool:
        """Add to a case's entry what was seen, like another one but for how often and when (in milliseconds).

        False where the two together are not plain, and nothing was done.
        """
        place = index % CASES_A_PAGE
        page = self._page(index // CASES_A_PAGE)
        commons, counts, firsts, lasts, identities, principals = page.columns
        common, _, _, _, identity, principal = like
        if not (mine := commons[place]):
            commons[place], counts[place], firsts[place], lasts[place] = common, times, first, last
            identities[place], principals[place] = identity, principal
            self._count += 1
            return True
        if identities[place] != identity or principals[place] != principal:
            return False
        if times + counts[place] > _NUMBER_MAXIMUM:
            return False
        if mine != common:
            if not (both := self._merge(mine, common)):
                return False
            commons[place] = both
        counts[place] += times
        if first < firsts[place]:
            firsts[place] = first
        if last > lasts[place]:
            lasts[place] = last
        return True

    def add_new(self, like: Plain, seen: Iterable[Seen]) -> Iterator[Seen]:
        """Enter the first sightings of cases, all of one answer; yields back those of cases that have an entry."""
        common, identity, principal = like.common, like.identity, like.principal
        columns, number = _NO_COLUMNS, -1
        for one in seen:
            index, count, first, last = one
            wanted, place = divmod(index, CASES_A_PAGE)
            if wanted != number:
                number = wanted
                columns = self._page(number).columns
            if columns[0][place]:
                yield one
                continue
            columns[0][place], columns[1][place] = common, count
            columns[2][place], columns[3][place] = round(first * _MILLISECONDS), round(last * _MILLISECONDS)
            columns[4][place], columns[5][place] = identity, principal
            self._count += 1

    def _merge(self, mine: int, other: int) -> int:
        number = self._merged.get((mine, other))
        if number is None:
            if len(self._merged) > _COMMONS_MAXIMUM:
                self._merged.clear()
            one, two = self.commons[mine], self.commons[other]
            assert one is not None  # noqa: S101 - both are numbers of entries
            assert two is not None  # noqa: S101
            number = self._merged[mine, other] = self.number_of(_together(one, two))
        return number

    def add_page(self, number: int, page: Page, numbers: Sequence[int], taken: Container[int]) -> Iterator[int]:
        """Add another worker's page, whose commons have these numbers here, but for the cases that are ``taken``.

        Yields the cases that were not added: these, and those whose two entries together are not plain.
        """
        start = number * CASES_A_PAGE
        is_free = number not in self.pages and not any(start + place in taken for place in range(CASES_A_PAGE))
        if is_free and all(numbers[common] for common in set(page.columns[0]) - {0}):
            mine = self.pages[number] = Page()
            mine.columns = (array("I", map(numbers.__getitem__, page.columns[0])), *(it[:] for it in page.columns[1:]))
            self._count += CASES_A_PAGE - page.columns[0].count(0)
            return
        for index, row in enumerate(zip(*page.columns, strict=True), start):
            if not row[0]:
                continue
            like = Plain(numbers[row[0]], *row[1:])
            if index in taken or not like.common or not self.add(index, like, like.times, like.first, like.last):
                yield index

    def get(self, index: int) -> Plain | None:
        """Return a case's entry, None where it has none."""
        page = self.pages.get(index // CASES_A_PAGE)
        if page is None or not page.columns[0][index % CASES_A_PAGE]:
            return None
        return Plain(*(column[index % CASES_A_PAGE] for column in page.columns))

    def pop(self, index: int) -> CaseEntry | None:
        """Take a case's entry away, to become one that is not plain."""
        entry = self.get(index)
        if entry is None:
            return None
        self.pages[index // CASES_A_PAGE].columns[0][index % CASES_A_PAGE] = 0
        self._count -= 1
        return self.entry_of(entry)

    def __iter__(self) -> Iterator[tuple[int, Plain]]:
        for number in sorted(self.pages):
            columns = self.pages[number].columns
            for place, row in enumerate(zip(*columns, strict=True), number * CASES_A_PAGE):
                if row[0]:
                    yield place, Plain(*row)

    def up_to(self, rate: float) -> PlainEntries:
        """Return the entries seen at offered rates up to one, in arrivals a second, of which some were at least."""
        kept = PlainEntries()
        kept.commons, kept._numbers = list(self.commons), dict(self._numbers)
        low = [common is not None and common.lowest_rate <= rate for common in self.commons]
        for number, page in self.pages.items():
            commons = page.columns[0]
            mine = kept.pages[number] = Page()
            mine.columns = (array("I", (one if low[one] else 0 for one in commons)), *page.columns[1:])
            kept._count += CASES_A_PAGE - mine.columns[0].count(0)
        return kept

    def entry_of(self, plain: Plain) -> CaseEntry:
        """Return an entry in the form that all entries have."""
        common = self.commons[plain.common]
        assert common is not None  # noqa: S101 - it is that of an entry
        entry = CaseEntry()
        entry.put(
            Sighting(
                common.outcome,
                digest_of(plain.identity),
                plain.times,
                plain.first / _MILLISECONDS,
                plain.last / _MILLISECONDS,
                common.lowest_rate,
                common.highest_rate,
                common.workers,
                common.environments,
            )
        )
        if plain.principal:
            entry.add_variants(only(digest_of(plain.principal)), common.lifetimes)
        return entry

    def encode_commons(self) -> list[dict[str, Any]]:
        """Return a JSON value: what numbers 1 and up stand for."""
        return [
            {
                "outcome": common.outcome.value,
                "lowest_rate": common.lowest_rate,
                "highest_rate": common.highest_rate,
                "workers": sorted(common.workers),
                "environments": sorted(common.environments),
                "lifetimes": sorted(common.lifetimes),
            }
            for common in self.commons
            if common is not None
        ]

    def decode(self, commons: list[Mapping[str, Any]], pages: list[list[Any]]) -> None:
        """Read, into none so far, what ``encode_commons`` and the pages' ``encode`` wrote."""
        for row in commons:
            self.commons.append(
                Common(
                    Outcome(row["outcome"]),
                    row["lowest_rate"],
                    row["highest_rate"],
                    frozenset(row["workers"]),
                    frozenset(row["environments"]),
                    frozenset((refresh, disconnect) for refresh, disconnect in row["lifetimes"]),
                )
            )
        self._numbers = {common: number for number, common in enumerate(self.commons) if common is not None}
        for number, columns in pages:
            page = self.pages[number] = Page.decode(columns)
            numbers = page.columns[0]
            if max(numbers) >= len(self.commons):
                raise ValueError("an entry of the ledger is of an unknown kind")
            self._count += CASES_A_PAGE - numbers.count(0)


def _together(one: Common, other: Common) -> Common:
    return Common(
        one.outcome,
        min(one.lowest_rate, other.lowest_rate),
        max(one.highest_rate, other.highest_rate),
        joined(one.workers, other.workers),
        environments_of_both(one.environments, other.environments),
        two_of(one.lifetimes, other.lifetimes),
    )
