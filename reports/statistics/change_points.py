"""Change points: from which place on the values of a series come from another level than before.

Each place is judged by the exact Mann-Whitney test, which asks how often chance alone would order the values before and
after it so: one value that is far out counts no more than one that is a little out, and nothing is assumed of how
values are spread, only that they don't depend on each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, compress, pairwise
from math import comb, exp, log
from statistics import median
from typing import Final

# Fewer values than that on a side make no level.
SIDE_LEAST: Final = 3


@dataclass(frozen=True, slots=True)
class Scale:
    """How values are set against each other: by ratio (then they are positive) or by difference.

    ``least`` is the least change that counts; ``floor`` the least difference where the change is a ratio.
    """

    is_ratio: bool
    least: float
    floor: float = 0.0

    def shift(self, before: Sequence[float], after: Sequence[float]) -> float:
        """Return the typical change from one value before to one after: a relative change, or a difference.

        It is the median over all pairs (J. L. Hodges and E. L. Lehmann, 1963).
        """
        if self.is_ratio:
            return exp(median(log(two) - log(one) for one in before for two in after)) - 1
        return median(two - one for one in before for two in after)

    def counts(self, before: Sequence[float], after: Sequence[float]) -> bool:
        """Say whether the change from one level to another is large enough to speak of."""
        if abs(self.shift(before, after)) < self.least:
            return False
        return not self.is_ratio or abs(median(after) - median(before)) >= self.floor


def change_points(values: Sequence[float], scale: Scale, significance: float) -> list[int]:
    """Return the places at which a new level begins, in order.

    The series is split where the test is surest, and each part again (binary segmentation; L. Vostrikova, 1981), as
    long as the test's probability, times the number of places that were looked at, is at most half of ``significance``.
    Where there is no such place, a stretch is sought that differs from what is before and after it, with the other
    half. Then each place is judged once more between its neighbours, and the least change goes until all of them count.
    """
    found: list[int] = []
    parts = [(0, len(values))]
    while parts:
        start, end = parts.pop()
        places = _split(values[start:end], significance / 2) or _stretch(values[start:end], significance / 2)
        bounds = [start, *(start + place for place in places), end]
        found += bounds[1:-1]
        parts += list(pairwise(bounds)) if places else []
    return _kept(values, sorted(found), scale, significance)


def chance_of(before: Sequence[float], after: Sequence[float]) -> float:
    """Return how often chance alone would order values so, or more so, before and after one place."""
    ranks = _doubled_ranks([*before, *after])
    polynomial = _subset_sums(tuple(sorted(ranks)))[len(before)]
    return _two_sided(polynomial, len(before), sum(ranks[: len(before)]), len(ranks))


def values_needed(significance: float) -> int:
    """Return how many values there must be at least before a change point can be as sure as that."""
    count = 2 * SIDE_LEAST
    while 2 / comb(count, count // 2) * (count - 2 * SIDE_LEAST + 1) > significance / 2:
        count += 1
    return count


def _split(values: Sequence[float], significance: float) -> list[int]:
    """Return the place of the surest change, none where none is sure enough."""
    ranks = _doubled_ranks(values)
    sizes = range(SIDE_LEAST, len(ranks) - SIDE_LEAST + 1)
    if not sizes:
        return []
    sums = list(accumulate(ranks, initial=0))
    polynomials = _subset_sums(tuple(sorted(ranks)))
    probability, place = min((_two_sided(polynomials[size], size, sums[size], len(ranks)), size) for size in sizes)
    return [place] if probability * len(sizes) <= significance else []


def _stretch(values: Sequence[float], significance: float) -> list[int]:
    """Return the ends of the stretch that differs most surely from all around it, none where none does."""
    ranks = _doubled_ranks(values)
    count, last = len(ranks), len(ranks) - SIDE_LEAST
    sizes = range(SIDE_LEAST, last - SIDE_LEAST + 1)
    if not sizes:
        return []
    sums = list(accumulate(ranks, initial=0))
    polynomials = _subset_sums(tuple(sorted(ranks)))
    looked_at, best = 0, (2.0, 0, 0)
    for size in sizes:
        totals = [(sums[start + size] - sums[start], start) for start in range(SIDE_LEAST, last - size + 1)]
        looked_at += len(totals)
        for total, start in (min(totals), max(totals)):
            best = min(best, (_two_sided(polynomials[size], size, total, count), start, start + size))
    probability, start, end = best
    return [start, end] if probability * looked_at <= significance else []


def _kept(values: Sequence[float], places: list[int], scale: Scale, significance: float) -> list[int]:
    while places:
        bounds = [0, *places, len(values)]
        parts = list(zip(bounds, places, bounds[2:], strict=False))
        sure = [bool(_split(values[start:end], significance)) for start, _, end in parts]
        if not all(sure):
            places = list(compress(places, sure))
            continue
        changes = [
            (abs(scale.shift(values[start:place], values[place:end])), place)
            for start, place, end in parts
            if not scale.counts(values[start:place], values[place:end])
        ]
        if not changes:
            return places
        places = [place for place in places if place != min(changes)[1]]
    return []


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Return the ranks of values, doubled, since equal values share the mean of their ranks."""
    counts = Counter(values)
    ranks, below = {}, 0
    for value in sorted(counts):
        ranks[value] = 2 * below + counts[value] + 1
        below += counts[value]
    return [ranks[value] for value in values]


@lru_cache(maxsize=128)
def _subset_sums(ranks: tuple[int, ...]) -> list[int]:
    """Return for each size how many subsets of ranks have which sum.

    The numbers of all sums of a size are the digits of one integer, of ``_width`` bits each: adding a rank is one
    shift and one addition.
    """
    width = _width(len(ranks))
    polynomials = [1] + [0] * len(ranks)
    for number, rank in enumerate(ranks, 1):
        for size in range(number, 0, -1):
            polynomials[size] += polynomials[size - 1] << (rank * width)
    return polynomials


def _width(count: int) -> int:
    # No more subsets than 2 ** count can be in all digits together.
    return count + 1


def _two_sided(polynomial: int, size: int, total: int, count: int) -> float:
    """Return how often chance makes the sum of ``size`` of ``count`` ranks as extreme as ``total``."""
    width = _width(count)
    below = _digit_sum(polynomial & ((1 << (width * total)) - 1), width)
    upto = _digit_sum(polynomial & ((1 << (width * (total + 1))) - 1), width)
    every = comb(count, size)
    return min(1.0, 2 * min(upto, every - below) / every)


def _digit_sum(number: int, width: int) -> int:
    # A number and the sum of its digits differ by a multiple of the base less one.
    return number % ((1 << width) - 1)
