"""Confidence intervals of shares and of percentiles."""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log, sqrt
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95
# So many values must lie above a percentile for it to be relied on.
VALUES_ABOVE: Final = 10
# Beyond this variance the binomial distribution is as good as normal, and adding it up would take long.
_NORMAL_VARIANCE: Final = 2500.0
_WIDTHS: Final = 12.0


def share_interval(count: float, total: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the Wilson score interval of a share (E. B. Wilson, 1927), each end between 0 and 1.

    It holds for small counts too, where the interval by the normal distribution does not.
    """
    if total <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, spread = count / total, z * z / total
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    # At the ends the formula gives 0 and 1 but for rounding.
    return max(0.0, centre - half) if count else 0.0, min(1.0, centre + half) if count < total else 1.0


def samples_needed(percent: float) -> int:
    """Return how many samples a percentile needs to be relied on: ten that lie above it, on average."""
    return round(VALUES_ABOVE / (1 - percent / 100.0))


@lru_cache(maxsize=1024)
def percentile_ranks(count: int, percent: float, confidence: float = CONFIDENCE) -> tuple[int | None, int | None]:
    """Return between which ranks (counted from 1) of so many samples the percentile of all that could be lies.

    The number of samples below a percentile is binomial, whatever the distribution: the interval from one order
    statistic to another (H. A. David and H. N. Nagaraja, Order Statistics, 2003, section 7.1). None is a side on which
    no sample bounds it.
    """
    lowest = _binomial_quantile(count, percent / 100.0, (1 - confidence) / 2)
    highest = _binomial_quantile(count, percent / 100.0, (1 + confidence) / 2) + 1
    return lowest if lowest >= 1 else None, highest if highest <= count else None


def _binomial_quantile(count: int, share: float, probability: float) -> int:
    """Return the least number that so many trials don't exceed with a probability."""
    mean, variance = count * share, count * share * (1 - share)
    if not variance:
        return round(mean)
    if variance > _NORMAL_VARIANCE:
        return round(mean + NormalDist().inv_cdf(probability) * sqrt(variance))
    number = max(0, int(mean - _WIDTHS * sqrt(variance) - 1))
    reached = 0.0
    while number < count:
        ways = lgamma(count + 1) - lgamma(number + 1) - lgamma(count - number + 1)
        reached += exp(ways + number * log(share) + (count - number) * log(1 - share))
        if reached >= probability:
            break
        number += 1
    return number
