"""Locust's own statistics, added to in batches: an event for each exchange would cost more than sending it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Final

from locust.env import Environment
from locust.stats import RequestStats, StatsEntry, StatsError

from gatecrash.authorizers.contract import Expectation, Outcome

# Whoever listens besides Locust itself gets an event for each exchange.
_LISTENERS_OF_LOCUST: Final = 1
_NANOSECONDS_A_MILLISECOND: Final = 1e6


class WrongDecisionError(Exception):
    """Shown in Locust's own table of failures: a decision that isn't the one the case was built for."""


class AuthorizerFaultError(Exception):
    """Shown in Locust's own table of failures: no decision came back."""


def failure_of(outcome: Outcome, expectation: Expectation) -> Exception | None:
    """Return what Locust shows as a failure; a throttle is none."""
    if outcome.is_error:
        return AuthorizerFaultError(outcome.value)
    if expectation.is_met_by(outcome) is False:
        return WrongDecisionError(f"{outcome.value} where {expectation.value} was expected")
    return None


class BatchedStatistics:
    """Counts exchanges, by outcome, family and expectation, until they are added to Locust's statistics."""

    def __init__(self) -> None:
        self._batches: dict[tuple[Outcome, str, Expectation], dict[int, int]] = {}

    def log(self, outcome: Outcome, family: str, expectation: Expectation, nanoseconds: int) -> None:
        """Count one exchange by its response time."""
        key = (outcome, family, expectation)
        batch = self._batches.get(key)
        if batch is None:
            batch = self._batches[key] = {}
        batch[nanoseconds] = batch.get(nanoseconds, 0) + 1

    def flush(self, environment: Environment) -> None:
        """Add what was counted to Locust's statistics, as seen in this second."""
        batches, self._batches = self._batches, {}
        statistics: RequestStats = environment.stats
        for (outcome, family, expectation), batch in batches.items():
            failure = failure_of(outcome, expectation)
            for entry in (statistics.total, statistics.entries[family, outcome.value]):
                _extend(entry, batch, failed=failure is not None)
            if failure is not None:
                key = StatsError.create_key(outcome.value, family, failure)
                error = statistics.errors.setdefault(key, StatsError(outcome.value, family, failure))
                error.occurred()
                error.occurrences += sum(batch.values()) - 1


def rounded(milliseconds: float) -> int:
    """Round as Locust does, to two significant digits, so that its table stays small."""
    if milliseconds < 100:
        return round(milliseconds)
    if milliseconds < 1000:
        return int(round(milliseconds, -1))
    return int(round(milliseconds, -2)) if milliseconds < 10000 else int(round(milliseconds, -3))


def _extend(entry: StatsEntry, batch: Mapping[int, int], *, failed: bool) -> None:
    count, now = sum(batch.values()), time.time()
    times = Counter[int]()
    for nanoseconds, seen in batch.items():
        times[rounded(nanoseconds / _NANOSECONDS_A_MILLISECOND)] += seen
    more = StatsEntry(entry.stats, entry.name, entry.method)
    more.start_time = entry.start_time
    more.num_requests = count
    total = sum(value * seen for value, seen in batch.items())
    more.total_response_time = total / _NANOSECONDS_A_MILLISECOND  # type: ignore[assignment]
    more.min_response_time = min(batch) / _NANOSECONDS_A_MILLISECOND  # type: ignore[assignment]
    more.max_response_time = max(batch) / _NANOSECONDS_A_MILLISECOND  # type: ignore[assignment]
    more.response_times.update(times)
    more.num_reqs_per_sec[int(now)] = count
    if failed:
        more.num_failures = count
        more.num_fail_per_sec[int(now)] = count
    more.last_request_timestamp = now
    entry.extend(more)


def is_listened_to(environment: Environment) -> bool:
    """Say whether somebody besides Locust listens to each request."""
    return len(environment.events.request._handlers) > _LISTENERS_OF_LOCUST  # noqa: SLF001 - there is no other way
