"""How much will be fired, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gatecrash.reports.plan.plan import CLOSED
from gatecrash.settings.settings import Settings

# Lambda's request price and the price of 128 MB for 100 ms in most regions, in dollars; see docs/aws.md.
_DOLLARS_PER_CALL: Final = 0.20 / 1_000_000 + 0.0000166667 * 0.125 * 0.1


@dataclass(frozen=True, slots=True)
class Load:
    """What will be fired: how many calls (None: as many as users make), how many a second (None: no bound).

    ``at_once`` is how many calls there may be at the same time.
    """

    calls: int | None
    rate: float | None
    in_words: str
    at_once: int

    @property
    def cost_in_words(self) -> str:
        """An estimate of what it costs, for a function of 128 MB that takes 100 ms."""
        if self.calls is None:
            return f"about {_DOLLARS_PER_CALL * 1e6:.2f} US dollars a million calls"
        return f"about {self.calls * _DOLLARS_PER_CALL:.4f} US dollars"


def planned_load(settings: Settings, seconds: float | None = None) -> Load:
    """Return the load that a run's settings plan, for so many seconds; the closed model plans users, not calls."""
    load = settings.load
    seconds = load.warm_up + load.duration if seconds is None else seconds
    if load.model == CLOSED:
        return Load(None, None, f"as many as {load.users} users make in {seconds:g} s", load.users)
    calls = round(load.rate * seconds)
    return Load(calls, load.rate, str(calls), load.users)


def calls_for(dollars: float) -> int:
    """Return how many calls a sum pays for, of a function of 128 MB that takes 100 ms."""
    return int(dollars / _DOLLARS_PER_CALL)
