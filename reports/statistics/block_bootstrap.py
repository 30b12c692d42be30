"""Block bootstrap of percentiles, from a coarse histogram of each second and one exact histogram of the whole run.

Exchanges of the same moment share its stalls, so whole blocks of seconds are drawn, not exchanges (H. R. Kuensch, The
Jackknife and the Bootstrap for General Stationary Observations, 1989). A draw gives ranks: which percentile of the run
is the wanted one of the draw. Their values come from the exact histogram, so the coarse one limits no accuracy.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import itemgetter
from random import Random
from statistics import NormalDist
from typing import Final

DRAWS: Final = 3000
# Fewer blocks than this tell too little of how much they differ.
BLOCKS_LEAST: Final = 8
_BLOCKS_MOST: Final = 240
# Longer blocks are tried as long as there are so many of them.
_BLOCKS_TO_CHOOSE: Final = 10

Picks = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Blocks:
    """Counts by block: ``columns[k][b]`` are the values of block ``b`` in the first ``k + 1`` buckets."""

    columns: tuple[tuple[int, ...], ...]
    totals: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.totals)

    @property
    def fingerprint(self) -> int:
        """A number that is the same for the same counts: the same runs give the same draws, in any order."""
        return zlib.crc32(repr((self.columns, self.totals)).encode())


def grouped(count: int, blocks: int) -> list[tuple[int, int]]:
    """Return from and to which of ``count`` consecutive seconds each of ``blocks`` blocks goes."""
    bounds = [count * place // blocks for place in range(blocks + 1)]
    return list(pairwise(bounds))


def block_numbers(count: int) -> Iterator[int]:
    """Yield into how many blocks so many seconds may be put: single seconds, pairs, fours …"""
    length = 1
    while count // length > _BLOCKS_MOST:
        length *= 2
    yield count // length
    length *= 2
    while count // length >= _BLOCKS_TO_CHOOSE:
        yield count // length
        length *= 2


def blocks_of(seconds: Sequence[Counter[int]], number: int) -> Blocks:
    """Put coarse histograms of consecutive seconds into a number of blocks."""
    merged = []
    for start, end in grouped(len(seconds), number):
        total: Counter[int] = Counter()
        for second in seconds[start:end]:
            total.update(second)
        merged.append(total)
    buckets = sorted(set().union(*merged))
    rows = [list(accumulate(one.get(bucket, 0) for bucket in buckets)) for one in merged]
    columns = tuple(zip(*rows, strict=True))
    return Blocks(columns, tuple(row[-1] if row else 0 for row in rows))


def chosen_blocks(seconds: Sequence[Counter[int]], shares: Sequence[float]) -> Blocks:
    """Return the blocks in whose length the percentiles vary most: that of the noise, as far as the run shows it."""
    candidates = [blocks_of(seconds, number) for number in block_numbers(len(seconds))]
    return max(candidates, key=lambda blocks: sum(_variance(blocks, share) / (share * (1 - share)) for share in shares))


def _variance(blocks: Blocks, share: float) -> float:
    """Return the variance of the share of values up to a percentile, by how much blocks differ in it."""
    total, count = sum(blocks.totals), len(blocks)
    if not total or count < 2:
        return 0.0
    place = bisect_left([sum(column) for column in blocks.columns], share * total)
    column = blocks.columns[min(place, len(blocks.columns) - 1)]
    mean = sum(column) / total
    spread = sum((below - mean * size) ** 2 for below, size in zip(column, blocks.totals, strict=True))
    return spread * count / (count - 1) / total**2


def draws(count: int, seed: int, times: int = DRAWS) -> Iterator[Picks]:
    """Yield draws of as many blocks as there are, each with replacement."""
    rng, places = Random(seed), range(count)
    for _ in range(times):
        yield tuple(rng.choices(places, k=count))


def drawn_shares(blocks: Blocks, shares: Sequence[float], picks: Iterator[Picks]) -> list[list[float]]:
    """Return for each draw, and each share of its values, which share of all values of the run lies below that place.

    Without a draw's noise these would be ``shares`` themselves. Raises ValueError for fewer than two blocks.
    """
    if len(blocks) < 2:
        raise ValueError("there is nothing to draw from with fewer than two blocks")
    whole = [sum(column) for column in blocks.columns]
    return [_ranks(blocks, whole, shares, itemgetter(*pick)) for pick in picks]


def _ranks(
    blocks: Blocks, whole: list[int], shares: Sequence[float], picked: Callable[[tuple[int, ...]], tuple[int, ...]]
) -> list[float]:
    total = sum(picked(blocks.totals))
    if not total:
        return list(shares)
    known: dict[int, int] = {-1: 0}

    def up_to(bucket: int) -> int:
        if bucket not in known:
            known[bucket] = sum(picked(blocks.columns[bucket]))
        return known[bucket]

    found = []
    for share in shares:
        wanted = share * total
        low, high = 0, len(whole) - 1
        while low < high:
            middle = (low + high) // 2
            if up_to(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        below, here = up_to(low - 1), up_to(low) - up_to(low - 1)
        inside = (wanted - below) / here if here else 0.0
        base = whole[low - 1] if low else 0
        found.append((base + inside * (whole[low] - base)) / whole[-1])
    return found


def interval_of(values: list[float], estimate: float, blocks: int, confidence: float) -> tuple[float, float]:
    """Return the expanded percentile interval of drawn values around what was measured.

    Percentiles of a bootstrap are too narrow where there are few blocks: they are widened as Student's t is wider than
    the normal distribution (T. Hesterberg, What Teachers Should Know About the Bootstrap, 2015, section 5.2).
    """
    ordered, tail = sorted(values), (1 - confidence) / 2
    place = min(len(ordered) - 1, int(tail * len(ordered)))
    factor = expansion(blocks, confidence)
    low, high = ordered[place], ordered[len(ordered) - 1 - place]
    return estimate + factor * (min(low, estimate) - estimate), estimate + factor * (max(high, estimate) - estimate)


def expansion(blocks: int, confidence: float) -> float:
    """Return by which factor an interval by so many blocks must be wider than the bootstrap's own."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    freedom = blocks - 1
    # The expansion of Student's t in powers of 1/freedom (Abramowitz and Stegun, 26.7.5).
    student = (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
    return float(student / z * (blocks / freedom) ** 0.5)
