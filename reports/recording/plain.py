"""Entries of cases that got one answer all along, as columns of numbers: 32 bytes a case, whatever was answered.

What is not plain, such as a second answer, a cold start or a named phase, is for a ``CaseEntry``.
"""

from __future__ import annotations

import base64
import sys
from array import array
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import compress
from typing import Final, NamedTuple

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.recording.sightings import CaseEntry, Sighting, Traits, set_of, traits_of_both

CASES_A_PAGE: Final = 1024
_PLACE_TYPE: Final = "H"
_TYPES: Final = "IIIIQQ"
_NUMBER_MAXIMUM: Final = 2**32 - 1
_MILLISECONDS: Final = 1000
_TRAITS_MAXIMUM: Final = 2**16
_NOBODY: Final = Traits(Outcome.ALLOW, 0.0, 0.0, frozenset(), frozenset(), frozenset())


class Plain(NamedTuple):
    """One plain entry: ``traits`` and the digests as numbers, ``principal`` 0 for none; times in milliseconds."""

    traits: int
    times: int
    first: int
    last: int
    identity: int
    principal: int


# A case, how often it got the answer, and the first and the last time, in seconds.
CaseTimes = tuple[int, int, float, float]


class Page:
    """The columns of ``CASES_A_PAGE`` cases: those of ``Plain``; ``traits`` of 0 say that there is no entry."""

    __slots__ = ("columns",)

    def __init__(self) -> None:
        self.columns = tuple(array(code, bytes(array(code).itemsize * CASES_A_PAGE)) for code in _TYPES)

    @property
    def count(self) -> int:
        """How many entries it has."""
        return CASES_A_PAGE - self.columns[0].count(0)

    def to_json(self) -> list[str]:
        """Return the columns as base64; where entries are missing those of the others, and then their places."""
        numbers = self.columns[0]
        if self.count == CASES_A_PAGE:
            return [_text_of(_in_this_order(column[:]).tobytes()) for column in self.columns]
        columns = [array(column.typecode, compress(column, numbers)) for column in self.columns]
        places = array(_PLACE_TYPE, compress(range(CASES_A_PAGE), numbers))
        return [_text_of(_planes_of(column)) for column in (*columns, places)]

    @classmethod
    def from_json(cls, value: list[str]) -> Page:
        """Read what ``to_json`` returned; raises ValueError for anything else."""
        page, texts = cls(), [base64.b64decode(text, validate=True) for text in value]
        if len(value) == len(_TYPES):
            page.columns = tuple(_in_this_order(array(code, text)) for code, text in zip(_TYPES, texts, strict=True))
            if any(len(column) != CASES_A_PAGE for column in page.columns):
                raise ValueError("a page of the ledger has another size")
            return page
        *columns, places = (_column_of(code, text) for code, text in zip(_TYPES + _PLACE_TYPE, texts, strict=True))
        if max(places, default=0) >= CASES_A_PAGE:
            raise ValueError("an entry of the ledger has no place")
        for all_numbers, numbers in zip(page.columns, columns, strict=True):
            for place, number in zip(places, numbers, strict=True):
                all_numbers[place] = number
        return page


def _in_this_order(column: array[int]) -> array[int]:
    """Return little-endian numbers as this machine has them."""
    if sys.byteorder == "big":
        column.byteswap()
    return column


def _text_of(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _planes_of(column: array[int]) -> bytes:
    """Return the lowest bytes of all numbers, then the next, and so on: like beside like is easy to deflate."""
    data, size = _in_this_order(column[:]).tobytes(), column.itemsize
    return b"".join(data[plane::size] for plane in range(size))


def _column_of(code: str, planes: bytes) -> array[int]:
    """Read what ``_planes_of`` returned; raises ValueError for anything else."""
    size = array(code).itemsize
    data, count = bytearray(planes), len(planes) // size
    for plane in range(size):
        data[plane::size] = planes[plane * count : (plane + 1) * count]
    return _in_this_order(array(code, bytes(data)))


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

    __slots__ = ("_count", "_merged", "_numbers", "pages", "traits")

    def __init__(self) -> None:
        self.pages: dict[int, Page] = {}
        # Number 0 is that of no entry.
        self.traits: list[Traits] = [_NOBODY]
        self._numbers: dict[Traits, int] = {}
        self._merged: dict[tuple[int, int], int] = {}
        self._count = 0

    def number_of(self, traits: Traits) -> int:
        """Return the number by which entries name their traits; 0 when there are too many different."""
        number = self._numbers.get(traits)
        if number is None:
            if len(self.traits) > _TRAITS_MAXIMUM:
                return 0
            number = self._numbers[traits] = len(self.traits)
            self.traits.append(traits)
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
        numbers, counts, firsts, lasts, identities, principals = page.columns
        traits, _, _, _, identity, principal = like
        if not (known := numbers[place]):
            numbers[place], counts[place], firsts[place], lasts[place] = traits, times, first, last
            identities[place], principals[place] = identity, principal
            self._count += 1
            return True
        if identities[place] != identity or principals[place] != principal:
            return False
        if times + counts[place] > _NUMBER_MAXIMUM:
            return False
        if known != traits:
            if not (both := self._number_of_both(known, traits)):
                return False
            numbers[place] = both
        counts[place] += times
        if first < firsts[place]:
            firsts[place] = first
        if last > lasts[place]:
            lasts[place] = last
        return True

    def add_new(self, like: Plain, cases: Iterable[CaseTimes]) -> Iterator[CaseTimes]:
        """Enter the first sightings of cases, all of one answer; yields back those of cases that have an entry."""
        traits, identity, principal = like.traits, like.identity, like.principal
        columns, number = _NO_COLUMNS, -1
        for case in cases:
            index, count, first, last = case
            wanted, place = divmod(index, CASES_A_PAGE)
            if wanted != number:
                number = wanted
                columns = self._page(number).columns
            if columns[0][place]:
                yield case
                continue
            columns[0][place], columns[1][place] = traits, count
            columns[2][place], columns[3][place] = round(first * _MILLISECONDS), round(last * _MILLISECONDS)
            columns[4][place], columns[5][place] = identity, principal
            self._count += 1

    def _number_of_both(self, one: int, other: int) -> int:
        number = self._merged.get((one, other))
        if number is None:
            if len(self._merged) > _TRAITS_MAXIMUM:
                self._merged.clear()
            both = traits_of_both(self.traits[one], self.traits[other])
            number = self._merged[one, other] = self.number_of(both)
        return number

    def add_page(self, number: int, page: Page, numbers: Sequence[int], taken: Container[int]) -> Iterator[int]:
        """Add another worker's page, whose traits have these numbers here, but for the cases that are ``taken``.

        Yields the cases that were not added: these, and those whose two entries together are not plain.
        """
        start = number * CASES_A_PAGE
        is_free = number not in self.pages and not any(start + place in taken for place in range(CASES_A_PAGE))
        if is_free and all(numbers[traits] for traits in set(page.columns[0]) - {0}):
            copy = self.pages[number] = Page()
            traits, *others = page.columns
            copy.columns = (array("I", map(numbers.__getitem__, traits)), *(column[:] for column in others))
            self._count += copy.count
            return
        for index, row in compress(enumerate(zip(*page.columns, strict=True), start), page.columns[0]):
            like = Plain(numbers[row[0]], *row[1:])
            if index in taken or not like.traits or not self.add(index, like, like.times, like.first, like.last):
                yield index

    def set_traits(self, traits: Iterable[Traits]) -> None:
        """Give traits their numbers, from 1 on, where there are none yet."""
        self.traits += traits
        self._numbers = {known: number for number, known in enumerate(self.traits[1:], 1)}

    def put_page(self, number: int, page: Page) -> None:
        """Put a page where there is none, by the numbers that traits have here; raises ValueError for others."""
        if max(page.columns[0]) >= len(self.traits):
            raise ValueError("an entry of the ledger is of an unknown kind")
        self.pages[number] = page
        self._count += page.count

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
        kept.traits, kept._numbers = list(self.traits), dict(self._numbers)
        numbers = [number if traits.lowest_rate <= rate else 0 for number, traits in enumerate(self.traits)]
        for number, page in self.pages.items():
            copy = kept.pages[number] = Page()
            copy.columns = (array("I", map(numbers.__getitem__, page.columns[0])), *page.columns[1:])
            kept._count += copy.count
        return kept

    def entry_of(self, plain: Plain) -> CaseEntry:
        """Return an entry in the form that all entries have."""
        first, last = plain.first / _MILLISECONDS, plain.last / _MILLISECONDS
        sighting = Sighting(self.traits[plain.traits], digest_of(plain.identity), plain.times, first, last)
        return CaseEntry((sighting,), set_of(digest_of(plain.principal)) if plain.principal else frozenset())
