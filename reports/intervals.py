"""Confidence intervals of shares."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95


def share_interval(count: int, total: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
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
