"""The two drawings of the live page, as numbers for its template: no script draws them, and they need no library."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gatecrash.reports.html.layout import log_axis
from gatecrash.reports.live.live import LiveStep

# Where the drawing ends, in its own units: it is stretched to the width and height that there are.
_WIDTH: Final = 1000.0
_HEIGHT: Final = 100.0
_TICKS: Final = 4
_LEVELS_LEAST: Final = 2
_LEVELS_MOST: Final = 5
_DISTANCE_LEAST: Final = 12.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line, or an area down to zero, as a path of SVG; ``look`` is the name of its class, ``label`` its name."""

    look: str
    label: str
    path: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, 0 to 100 of its length, and what stands there."""

    place: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of 1000 by 100 units with its axes. ``warm_up`` is the share of the width, 0 to 100, that it took."""

    lines: tuple[Line, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    warm_up: float


def rates_chart(steps: Sequence[LiveStep], *, has_schedule: bool) -> Chart | None:
    """Draw what was offered as a line, and what was throttled and dropped of it as areas; None for less than a step."""
    if not steps:
        return None
    highest = max(max(step.offered, step.throttled, step.dropped) for step in steps)
    top = _round_up(highest)
    offered = "offered" if has_schedule else "fired"
    lines = [
        Line("offered", f"{offered}, a second", _stairs(steps, lambda step: step.offered / top)),
        Line("throttled", "throttled, a second", _area(steps, lambda step: step.throttled / top)),
    ]
    if any(step.dropped for step in steps):
        lines.append(Line("dropped", "dropped, a second", _area(steps, lambda step: step.dropped / top)))
    up = tuple(Tick(100 * part / _TICKS, f"{top * part / _TICKS:,.6g}") for part in range(_TICKS + 1))
    return Chart(tuple(lines), _time_axis(steps), up, _warm_up(steps))


def latency_chart(steps: Sequence[LiveStep]) -> Chart | None:
    """Draw the 95th percentile of both latencies over time, logarithmic; None while nothing was answered."""
    values = [value for step in steps for value in (step.service_p95, step.response_p95) if value]
    if not values:
        return None
    axis = log_axis(values)
    low, high = axis["range"]

    def height(value: float | None) -> float | None:
        return (math.log10(value) - low) / (high - low) if value else None

    lines = (
        Line("response", "response time, p95", _curve(steps, lambda step: height(step.response_p95))),
        Line("service", "service time, p95", _curve(steps, lambda step: height(step.service_p95))),
    )
    up = _levels(low, high, axis["tickvals"])
    return Chart(lines, _time_axis(steps), up, _warm_up(steps))


def _levels(low: float, high: float, values: Sequence[float]) -> tuple[Tick, ...]:
    """Return ticks at round values between two logarithms, as many as a low drawing has room for."""
    powers = range(math.floor(low), math.ceil(high))
    for digits in ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        round_ones = [digit * 10.0**power for power in powers for digit in digits]
        inside = [value for value in round_ones if low <= math.log10(value) <= high]
        if _LEVELS_LEAST <= len(inside) <= _LEVELS_MOST:
            values = inside
            break
    ticks: list[Tick] = []
    for value in values:
        place = round(100 * (math.log10(value) - low) / (high - low), 2)
        if 0 <= place <= 100 and (not ticks or place - ticks[-1].place >= _DISTANCE_LEAST):
            ticks.append(Tick(place, f"{value:,.6g}"))
    return tuple(ticks)


def _round_up(value: float) -> float:
    """Return the next number that can be halved twice and still be read."""
    if value <= 0:
        return float(_TICKS)
    power = 10.0 ** math.floor(math.log10(value))
    factor = next(factor for factor in (1, 2, 4, 8, 10) if value <= factor * power * (1 + 1e-9))
    return max(factor * power, float(_TICKS))


def _start(steps: Sequence[LiveStep]) -> int:
    return steps[0].start


def _seconds(steps: Sequence[LiveStep]) -> int:
    return steps[-1].start + steps[-1].seconds - _start(steps)


def _across(steps: Sequence[LiveStep], second: float) -> float:
    return _WIDTH * (second - _start(steps)) / _seconds(steps)


def _stairs(steps: Sequence[LiveStep], share: Callable[[LiveStep], float]) -> str:
    parts = []
    for place, step in enumerate(steps):
        left, right = _across(steps, step.start), _across(steps, step.start + step.seconds)
        parts.append(f"{'L' if place else 'M'}{left:.1f} {_HEIGHT * (1 - share(step)):.1f}H{right:.1f}")
    return "".join(parts)


def _area(steps: Sequence[LiveStep], share: Callable[[LiveStep], float]) -> str:
    return f"M0 {_HEIGHT:g}{_stairs(steps, share).replace('M', 'L', 1)}V{_HEIGHT:g}Z"


def _curve(steps: Sequence[LiveStep], share: Callable[[LiveStep], float | None]) -> str:
    """Return a line through the middles of the steps, with gaps where nothing was measured."""
    parts, is_drawing = [], False
    for step in steps:
        height = share(step)
        if height is not None:
            middle = _across(steps, step.start + step.seconds / 2)
            place = f"{middle:.1f} {_HEIGHT * (1 - height):.1f}"
            # A point by itself is a line to where it is: round ends make it a dot.
            parts.append(f"L{place}" if is_drawing else f"M{place}L{place}")
        is_drawing = height is not None
    return "".join(parts)


def _time_axis(steps: Sequence[LiveStep]) -> tuple[Tick, ...]:
    seconds = _seconds(steps)
    wide = next(
        (width for width in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400) if seconds / width <= 6),
        86400,
    )
    first = -(-_start(steps) // wide) * wide
    marks = range(first, _start(steps) + seconds + 1, wide)
    return tuple(Tick(round(100 * (mark - _start(steps)) / seconds, 2), _clock(mark)) for mark in marks)


def _clock(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d} h" if hours else f"{minutes}:{rest:02d} min"


def _warm_up(steps: Sequence[LiveStep]) -> float:
    taken = sum(step.seconds for step in steps if step.warm_up)
    return round(100 * taken / _seconds(steps), 2)
