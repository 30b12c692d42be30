"""The rate of API calls that an account has, as a token bucket."""

from __future__ import annotations


class TokenBucket:
    """Holds at most ``burst`` calls and gains ``rate`` a second. Pure: the time is passed in, in seconds."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._filled = now

    def take(self, now: float) -> bool:
        """Take one call out of the bucket; False when it is empty."""
        self._level = min(self._burst, self._level + max(0.0, now - self._filled) * self._rate)
        self._filled = now
        if self._level < 1:
            return False
        self._level -= 1
        return True
