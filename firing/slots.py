"""Slots: greenlets that wait for arrivals to become due. Who became free last is given the next one.

What a greenlet touches when it fires is in the processor's cache for a while. A thousand slots that took their turns
would each be cold when theirs comes, and half of the rate would be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from math import inf
from typing import Final

import gevent
from gevent.event import Event
from gevent.hub import Waiter

from gatecrash.firing.alarms import Alarms
from gatecrash.firing.arrivals import Arrival

# The arrival, how late it is, and how much of that is the loop's own doing, None where there was no free slot, both in
# seconds. Returns whether to fire it.
Accept = Callable[[Arrival, float, float | None], bool]
_POLL_SECONDS: Final = 0.25
# Between two alarms at least: each wakes the loop, and slots that become free meanwhile take what is due without one.
_ALARM_SECONDS: Final = 0.0001
_NO_ARRIVALS: Final[tuple[Arrival, ...]] = ()


class Slots:
    """Gives arrivals out in their order; ``elapsed`` gives the seconds that their intended starts count in.

    ``accept`` is told of each arrival when its turn comes, before it is given out.
    """

    def __init__(self, alarms: Alarms, elapsed: Callable[[], float], accept: Accept) -> None:
        self._alarms = alarms
        self._elapsed = elapsed
        self._accept = accept
        self._arrivals: Iterator[Arrival] = iter(_NO_ARRIVALS)
        self._next: Arrival | None = None
        # In the order in which they became free.
        self._free: dict[Waiter[Arrival | None], None] = {}
        self._armed_for = inf
        self._last_alarm = -inf
        self._begins = Event()

    def begin(self, arrivals: Iterable[Arrival]) -> None:
        """Give out these arrivals, in the order of their intended starts, and none of those before."""
        self._arrivals = iter(arrivals)
        self._advance()
        begins, self._begins = self._begins, Event()
        begins.set()
        if self._free and self._next is not None:
            self._arm(self._next.intended_start)

    @property
    def exhausted(self) -> bool:
        """Whether there is nothing more to give out."""
        return self._next is None

    def take(self) -> Arrival | None:
        """Wait for an arrival; None when there is none for the moment."""
        while (arrival := self._next) is not None:
            late = self._elapsed() - arrival.intended_start
            if late < 0.0:
                return self._wait(arrival.intended_start)
            self._advance()
            if self._accept(arrival, late, late if self._free else None):
                return arrival
        self._begins.wait(_POLL_SECONDS)
        return None

    def _wait(self, start: float) -> Arrival | None:
        waiter: Waiter[Arrival | None] = Waiter()
        self._free[waiter] = None
        self._arm(start)
        try:
            arrival: Arrival | None = waiter.get()
        finally:
            # Still there when its greenlet was killed.
            self._free.pop(waiter, None)
        return arrival

    def _arm(self, start: float) -> None:
        if start < self._armed_for:
            self._armed_for = start
            moment = max(start, self._last_alarm + _ALARM_SECONDS)
            self._alarms.call(moment - self._elapsed(), partial(self._on_alarm, start))

    def _on_alarm(self, start: float) -> None:
        # An alarm for another moment than that which is waited for is of arrivals that were called off.
        if start == self._armed_for:
            self._armed_for = inf
            self._last_alarm = self._elapsed()
            self._give_out()

    def give_due(self) -> None:
        """Give what is due to free slots; only gevent's loop may call it."""
        if self._free and (arrival := self._next) is not None and self._elapsed() >= arrival.intended_start:
            self._give_out()

    def _give_out(self) -> None:
        """Give what is due to free slots; each fires at once, until it waits for its answer."""
        while self._free and (arrival := self._next) is not None:
            late = self._elapsed() - arrival.intended_start
            if late < 0.0:
                self._arm(arrival.intended_start)
                return
            self._advance()
            if self._accept(arrival, late, late):
                waiter, _ = self._free.popitem()
                waiter.switch(arrival)

    def _advance(self) -> None:
        self._next = next(self._arrivals, None)

    def end(self) -> list[Arrival]:
        """Give out nothing more, and return the arrivals that were due and had no slot."""
        now, overdue = self._elapsed(), []
        while (arrival := self._next) is not None and arrival.intended_start <= now:
            overdue.append(arrival)
            self._advance()
        self._arrivals, self._next = iter(_NO_ARRIVALS), None
        return overdue

    def release(self) -> None:
        """Send all that wait away with nothing."""
        free, self._free = self._free, {}
        for waiter in free:
            # Only the loop may switch to a waiter.
            gevent.get_hub().loop.run_callback(waiter.switch, None)
