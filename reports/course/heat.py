"""How response times were spread in each second: what a percentile over time hides, such as two groups of answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from gatecrash.reports.recording.series import Series, milliseconds_of

# More can't be told apart on a screen, and makes the page large.
_COLUMNS_MAXIMUM: Final = 300
_ROWS_MAXIMUM: Final = 64


@dataclass(frozen=True, slots=True)
class LatencyHeat:
    """Exchanges by the second of their intended start and by response time from it, throttled ones among them.

    ``counts`` has a row for each pair of neighbours in ``edges`` (milliseconds, ascending) and in it a column for each
    ``width`` seconds from second ``start`` on.
    """

    start: int
    width: int
    edges: tuple[float, ...]
    counts: tuple[tuple[int, ...], ...]


def heat_of(series: Series) -> LatencyHeat | None:
    """Spread a series; None where nothing came back."""
    seconds = [(number, second.response_times) for number, second in series if second.response_times]
    if not seconds:
        return None
    start, last = seconds[0][0], seconds[-1][0]
    width = 1 + (last - start) // _COLUMNS_MAXIMUM
    lowest = min(min(times) for _, times in seconds)
    highest = max(max(times) for _, times in seconds)
    height = 1 + (highest - lowest) // _ROWS_MAXIMUM
    cells: Counter[tuple[int, int]] = Counter()
    for number, times in seconds:
        column = (number - start) // width
        for bucket, count in times.items():
            cells[(bucket - lowest) // height, column] += count
    rows, columns = 1 + (highest - lowest) // height, 1 + (last - start) // width
    counts = tuple(tuple(cells[row, column] for column in range(columns)) for row in range(rows))
    # A bucket's value is its middle.
    edges = tuple(milliseconds_of(lowest + row * height - 0.5) for row in range(rows + 1))
    return LatencyHeat(start, width, edges, counts)
