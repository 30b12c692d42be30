"""Whether a machine's clocks ran on evenly: steps of the wall clock, and times in which the machine slept.

Latencies are taken by the monotonic clock, which no step moves. What holds for minutes by the wall clock does not stand
one: signatures of requests, tokens that expire, what the authorizer compares them with.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

STEP: Final = "step"
SLEEP: Final = "sleep"

Clock = Callable[[], float]
# A clock that is slewed runs wrong by at most 0.5 ms a second; two clocks are read within far less than this.
_JUMP_SECONDS: Final = 0.1
_BOOT_CLOCK: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)


class ClockJump(NamedTuple):
    """A step of the wall clock (``step``, back is negative) or a sleep of the machine (``sleep``).

    ``second`` is since the run's start, when it was seen; ``seconds`` is how far or how long.
    """

    kind: str
    second: float
    seconds: float


def _time_since_boot() -> float:
    return time.monotonic() if _BOOT_CLOCK is None else time.clock_gettime(_BOOT_CLOCK)


class ClockWatch:
    """Compares three clocks: the wall's, the monotonic, and the one that goes on while the machine sleeps."""

    def __init__(
        self, *, wall: Clock = time.time, monotonic: Clock = time.monotonic, boot: Clock | None = None
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._boot = boot or _time_since_boot
        self._wall_ahead, self._boot_ahead = self._read()

    def _read(self) -> tuple[float, float]:
        """Return how far the wall clock is ahead of the time since boot, and that of the monotonic clock."""
        before = self._monotonic()
        boot, wall = self._boot(), self._wall()
        after = self._monotonic()
        while after - before > _JUMP_SECONDS / 2:
            # This thread had to wait in the middle of it.
            before, boot, wall, after = after, self._boot(), self._wall(), self._monotonic()
        return wall - boot, boot - before

    def look(self, second: float) -> list[ClockJump]:
        """Return what the clocks did since the last look; ``second`` is the time since the run's start."""
        wall_ahead, boot_ahead = self._read()
        found = []
        if (slept := boot_ahead - self._boot_ahead) > _JUMP_SECONDS:
            found.append(ClockJump(SLEEP, second, slept))
        if abs(step := wall_ahead - self._wall_ahead) > _JUMP_SECONDS:
            found.append(ClockJump(STEP, second, step))
        self._wall_ahead, self._boot_ahead = wall_ahead, boot_ahead
        return found


def jump_sentences(jumps: Iterable[ClockJump]) -> list[str]:
    """Return a sentence for each jump; what several processes of a machine saw at the same time is told once."""
    told: list[ClockJump] = []
    for jump in sorted(jumps, key=lambda one: (one.second, one.kind)):
        if not any(_same(jump, other) for other in told):
            told.append(jump)
    return [_sentence(jump) for jump in told]


def _same(one: ClockJump, other: ClockJump) -> bool:
    near = abs(one.second - other.second) <= 2.0 and abs(one.seconds - other.seconds) <= _JUMP_SECONDS
    return one.kind == other.kind and near


def _sentence(jump: ClockJump) -> str:
    if jump.kind == SLEEP:
        return (
            f"the machine slept for {jump.seconds:.1f} s at second {jump.second:.0f}: connections, tokens and "
            "signatures may have run out meanwhile; keep it awake"
        )
    direction = "ahead" if jump.seconds > 0 else "back"
    return (
        f"the clock was set {direction} by {abs(jump.seconds):.1f} s at second {jump.second:.0f}: signatures and the "
        "times in tokens don't fit one another before and after; latencies are by another clock and stand"
    )
