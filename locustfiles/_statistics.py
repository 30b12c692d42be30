"""Locust's own statistics, added to in batches: an event for each exchange would cost more than sending it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from locust.env import Environment
from locust.stats import RequestStats, StatsEntry, StatsError

# Whoever listens besides Locust itself gets an event for each exchange.
_LISTENERS_OF_LOCUST: Final = 1


class Row(NamedTuple):
    """What exchanges have in common that are counted together; an empty ``failure`` is none."""

    method: str
    name: str
    failure: str


@dataclass(slots=True)
class _Batch:
    count: int = 0
    total: float = 0.0
    lowest: float = float("inf")
    highest: float = 0.0
    times: Counter[int] = field(default_factory=Counter)
    seconds: Counter[int] = field(default_factory=Counter)


class BatchedStatistics:
    """Counts exchanges until they are added to Locust's statistics."""

    def __init__(self) -> None:
        self._batches: dict[Row, _Batch] = {}

    def log(self, row: Row, milliseconds: float) -> None:
        """Count one exchange."""
        batch = self._batches.get(row)
        if batch is None:
            batch = self._batches[row] = _Batch()
        batch.count += 1
        batch.total += milliseconds
        if milliseconds < batch.lowest:
            batch.lowest = milliseconds
        if milliseconds > batch.highest:
            batch.highest = milliseconds
        batch.times[rounded(milliseconds)] += 1
        batch.seconds[int(time.time())] += 1

    def flush(self, environment: Environment) -> None:
        """Add what was counted to Locust's statistics."""
        batches, self._batches = self._batches, {}
        statistics: RequestStats = environment.stats
        for row, batch in batches.items():
            for entry in (statistics.total, statistics.entries[row.name, row.method]):
                _extend(entry, batch, failed=bool(row.failure))
            if row.failure:
                key = StatsError.create_key(row.method, row.name, row.failure)
                error = statistics.errors.setdefault(key, StatsError(row.method, row.name, row.failure))
                error.occurred()
                error.occurrences += batch.count - 1


def rounded(milliseconds: float) -> int:
    """Round as Locust does, to two significant digits, so that its table stays small."""
    if milliseconds < 100:
        return round(milliseconds)
    if milliseconds < 1000:
        return int(round(milliseconds, -1))
    return int(round(milliseconds, -2)) if milliseconds < 10000 else int(round(milliseconds, -3))


def _extend(entry: StatsEntry, batch: _Batch, *, failed: bool) -> None:
    more = StatsEntry(entry.stats, entry.name, entry.method)
    more.start_time = entry.start_time
    more.num_requests = batch.count
    more.num_failures = batch.count if failed else 0
    more.total_response_time = batch.total  # type: ignore[assignment]
    more.min_response_time, more.max_response_time = batch.lowest, batch.highest  # type: ignore[assignment]
    more.response_times.update(batch.times)
    more.num_reqs_per_sec.update(batch.seconds)
    if failed:
        more.num_fail_per_sec.update(batch.seconds)
    more.last_request_timestamp = float(max(batch.seconds))
    entry.extend(more)


def is_listened_to(environment: Environment) -> bool:
    """Say whether somebody besides Locust listens to each request."""
    return len(environment.events.request._handlers) > _LISTENERS_OF_LOCUST  # noqa: SLF001 - there is no other way to know
