"""In which direction something went from one run to another, and when counts that differ are more than chance."""

from __future__ import annotations

from enum import StrEnum
from math import comb


class Direction(StrEnum):
    """Where something went; ``unjudged`` says that it can't be told."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"
    MIXED = "mixed"
    UNJUDGED = "not_judged"

    @property
    def turned(self) -> Direction:
        """The direction when the two runs change places."""
        return {Direction.BETTER: Direction.WORSE, Direction.WORSE: Direction.BETTER}.get(self, self)


def judged(effect: float, low: float, high: float, least: float) -> Direction:
    """Return the direction of a change that is worse when positive.

    It counts where it is at least ``least`` and its interval leaves nought out.
    """
    if low > 0 and effect >= least:
        return Direction.WORSE
    if high < 0 and -effect >= least:
        return Direction.BETTER
    return Direction.SAME


def by_sign(worse: int, better: int, confidence: float) -> Direction:
    """Return the direction of cases that changed in either direction, as chance may make them.

    Where all went the same way that is the direction. Else one way must have more than chance gives it (the exact sign
    test of McNemar's discordant pairs, 1947).
    """
    if not worse and not better:
        return Direction.SAME
    if not worse or not better:
        return Direction.WORSE if worse else Direction.BETTER
    total, most = worse + better, max(worse, better)
    tail = sum(comb(total, count) for count in range(most, total + 1))
    if 2 * tail > (1 - confidence) * 2**total:
        return Direction.SAME
    return Direction.WORSE if worse > better else Direction.BETTER
