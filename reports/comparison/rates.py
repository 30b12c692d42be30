"""Throttles, errors and the achieved rate of two runs, with intervals that know that such things come in bursts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, log, log1p, sqrt
from random import Random
from typing import Final

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.comparison.comparison import Change, ComparisonLimits, Unit
from gatecrash.reports.recording.series import Second, Series
from gatecrash.reports.statistics.block_bootstrap import BLOCKS_LEAST, DRAWS, block_numbers, grouped, interval_of
from gatecrash.reports.statistics.directions import Direction, judged
from gatecrash.reports.statistics.intervals import share_interval

THROTTLE_RATE: Final = "throttle_rate"
ERROR_RATE: Final = "error_rate"
ACHIEVED_RATE: Final = "achieved_rate"


def compare_rates(earlier: Series, later: Series, limits: ComparisonLimits, *, pace: bool = True) -> list[Change]:
    """Compare the shares of throttled and of faulty exchanges, and where there is a ``pace``, the achieved rate."""
    pair = [[second for _, second in series if not second.warm_up] for series in (earlier, later)]
    changes = [
        _share(THROTTLE_RATE, pair, _throttled, limits.throttle_rate, limits.confidence),
        _share(ERROR_RATE, pair, _faulty, limits.error_rate, limits.confidence),
    ]
    return [*changes, _pace(pair, limits)] if pace else changes


def _throttled(second: Second) -> int:
    return second.outcomes[Outcome.THROTTLED]


def _faulty(second: Second) -> int:
    return sum(second.outcomes[outcome] for outcome in Outcome if outcome.is_error)


def _share(
    name: str, pair: Sequence[list[Second]], count: Callable[[Second], int], least: float, confidence: float
) -> Change:
    hits = [[count(second) for second in seconds] for seconds in pair]
    totals = [[second.outcomes.total() for second in seconds] for seconds in pair]
    (some, all_before), (more, all_after) = zip(map(sum, hits), map(sum, totals), strict=True)
    if not all_before or not all_after:
        return Change(name, Unit.SHARE, 0.0, 0.0, reason="one of the runs has no exchange")
    # What is bursty in one run may be so in the other, also where it was not seen.
    effect = max(design_effect(*rows) for rows in zip(hits, totals, strict=True))
    before, after = some / all_before, more / all_after
    low, high = difference_interval((some, all_before), (more, all_after), effect, confidence)
    direction = judged(after - before, low, high, least)
    return Change(name, Unit.SHARE, before, after, after - before, low, high, direction)


def design_effect(hits: Sequence[int], totals: Sequence[int]) -> float:
    """Return by how much the variance of a share is larger than if each exchange had its own luck, at least 1.

    That is by how much blocks of seconds differ, at the length of block at which they differ most (J. N. K. Rao and
    A. J. Scott, A Simple Method for the Analysis of Clustered Binary Data, 1992).
    """
    total, seen = sum(totals), sum(hits)
    if not seen or seen == total or len(hits) < BLOCKS_LEAST:
        return 1.0
    share, largest = seen / total, 1.0
    for number in block_numbers(len(hits)):
        spread = sum(
            (sum(hits[start:end]) - share * sum(totals[start:end])) ** 2 for start, end in grouped(len(hits), number)
        )
        largest = max(largest, spread * number / (number - 1) / (total * share * (1 - share)))
    return largest


def difference_interval(
    before: tuple[int, int], after: tuple[int, int], effect: float, confidence: float
) -> tuple[float, float]:
    """Return the interval of the difference of two shares, each a count and a total, after minus before.

    It is made of both shares' own score intervals (R. G. Newcombe, Interval Estimation for the Difference Between
    Independent Proportions, 1998, method 10), of so many fewer exchanges as the design ``effect`` tells.
    """
    (one, low_one, high_one), (two, low_two, high_two) = (
        (count / total, *share_interval(count / effect, total / effect, confidence)) for count, total in (before, after)
    )
    difference = two - one
    return (
        difference - sqrt((two - low_two) ** 2 + (high_one - one) ** 2),
        difference + sqrt((high_two - two) ** 2 + (one - low_one) ** 2),
    )


def _pace(pair: Sequence[list[Second]], limits: ComparisonLimits) -> Change:
    """Compare exchanges per second; fewer are worse."""
    counts = [[second.outcomes.total() for second in seconds] for seconds in pair]
    if not all(map(sum, counts)):
        return Change(ACHIEVED_RATE, Unit.PER_SECOND, 0.0, 0.0, reason="one of the runs has no exchange")
    before, after = (sum(one) / len(one) for one in counts)
    if min(map(len, counts)) < BLOCKS_LEAST:
        why = f"one of the runs has fewer than {BLOCKS_LEAST} measured seconds"
        return Change(ACHIEVED_RATE, Unit.PER_SECOND, before, after, after / before - 1, reason=why)
    estimate = log(after / before)
    drawn = [_drawn_means(one) for one in counts]
    ratios = [log(max(two, 1e-9) / max(one, 1e-9)) for one, two in zip(*drawn, strict=True)]
    low, high = interval_of(ratios, estimate, min(map(len, counts)), limits.confidence)
    direction: Direction = judged(-estimate, -high, -low, log1p(limits.achieved_rate))
    return Change(
        ACHIEVED_RATE, Unit.PER_SECOND, before, after, exp(estimate) - 1, exp(low) - 1, exp(high) - 1, direction
    )


def _drawn_means(counts: list[int]) -> list[float]:
    """Return the mean of each draw of as many blocks; the same counts give the same draws."""
    bounds = grouped(len(counts), next(block_numbers(len(counts))))
    blocks = [(sum(counts[start:end]), end - start) for start, end in bounds]
    rng, means = Random(repr(counts)), []
    for _ in range(DRAWS):
        drawn = rng.choices(blocks, k=len(blocks))
        means.append(sum(count for count, _ in drawn) / sum(length for _, length in drawn))
    return means
