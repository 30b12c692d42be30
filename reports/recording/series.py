"""What happened in each second of the run, by the second in which an arrival was meant to start."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.recording.records import Exchange, LatencyKind

# Eight buckets an octave: a value read back is within 4.5 % of the recorded one, enough for a plot.
_BUCKETS_PER_OCTAVE: Final = 8
_SMALLEST_SECONDS: Final = 1e-6


def bucket_of(seconds: float) -> int:
    """Return the logarithmic bucket of a latency."""
    return round(math.log2(max(seconds, _SMALLEST_SECONDS) / _SMALLEST_SECONDS) * _BUCKETS_PER_OCTAVE)


def milliseconds_of(bucket: float) -> float:
    """Return the middle of a bucket in milliseconds."""
    return float(_SMALLEST_SECONDS * 2 ** (bucket / _BUCKETS_PER_OCTAVE) * 1000)


@dataclass(slots=True)
class Second:
    """Counts of one second. Latencies are coarse histograms: bucket to count.

    ``unanswered_…`` are the part of them that belongs to exchanges that the authorizer did not answer. ``wrong`` counts
    the decisions other than the ones that their cases expect; None where nobody knew what these are.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    service_times: Counter[int] = field(default_factory=Counter)
    response_times: Counter[int] = field(default_factory=Counter)
    planned: int = 0
    dropped: int = 0
    warm_up: bool = False
    unanswered_service_times: Counter[int] = field(default_factory=Counter)
    unanswered_response_times: Counter[int] = field(default_factory=Counter)
    wrong: int | None = None

    def answered(self, kind: LatencyKind) -> Counter[int]:
        """Return the coarse histogram of the exchanges that the authorizer answered."""
        if kind is LatencyKind.SERVICE_TIME:
            return self.service_times - self.unanswered_service_times
        return self.response_times - self.unanswered_response_times

    def percentile(self, latencies: Counter[int], percent: float) -> float | None:
        """Return a percentile in milliseconds of one of the two coarse histograms, None without values."""
        wanted = latencies.total() * percent / 100.0
        seen = 0
        for bucket in sorted(latencies):
            seen += latencies[bucket]
            if seen >= wanted:
                return milliseconds_of(bucket)
        return None

    def add(self, other: Second) -> None:
        """Add the counts of another worker."""
        self.outcomes += other.outcomes
        self.service_times += other.service_times
        self.response_times += other.response_times
        self.unanswered_service_times += other.unanswered_service_times
        self.unanswered_response_times += other.unanswered_response_times
        self.planned += other.planned
        self.dropped += other.dropped
        self.warm_up = self.warm_up or other.warm_up
        if other.wrong is not None:
            self.add_wrong(other.wrong)

    def add_wrong(self, count: int) -> None:
        """Count wrong decisions, or that there were none."""
        self.wrong = (self.wrong or 0) + count


class Series:
    """Seconds of a run, by number."""

    __slots__ = ("_seconds",)

    def __init__(self) -> None:
        self._seconds: dict[int, Second] = {}

    def second(self, number: int) -> Second:
        """Return the second with this number, empty if nothing happened in it yet."""
        if number not in self._seconds:
            self._seconds[number] = Second()
        return self._seconds[number]

    def add_exchange(self, exchange: Exchange) -> None:
        """Count one exchange."""
        second = self._seconds.get(int(exchange.intended_start)) or self.second(int(exchange.intended_start))
        outcome = exchange.answer.outcome
        service, response = bucket_of(exchange.service_time), bucket_of(exchange.response_time)
        second.outcomes[outcome.value] += 1
        second.service_times[service] += 1
        second.response_times[response] += 1
        if not outcome.tells_latency:
            second.unanswered_service_times[service] += 1
            second.unanswered_response_times[response] += 1
        second.warm_up = second.warm_up or exchange.warm_up

    def __iter__(self) -> Iterator[tuple[int, Second]]:
        for number in sorted(self._seconds):
            yield number, self._seconds[number]

    def add(self, other: Series) -> None:
        """Add another worker's series."""
        for number, second in other:
            self.second(number).add(second)

    def count(self, outcome: Outcome) -> int:
        """Count an outcome over all seconds, warm-up included."""
        return sum(second.outcomes[outcome] for second in self._seconds.values())

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a JSON value a second."""
        for number, second in self:
            yield {
                "second": number,
                "warm_up": second.warm_up,
                "planned": second.planned,
                "dropped": second.dropped,
                "outcomes": dict(second.outcomes),
                "service_times": sorted(second.service_times.items()),
                "response_times": sorted(second.response_times.items()),
                **({"unanswered": _pair(second)} if second.unanswered_service_times else {}),
                **({"wrong": second.wrong} if second.wrong is not None else {}),
            }

    @classmethod
    def from_json(cls, rows: list[Mapping[str, Any]]) -> Series:
        """Read what ``rows`` gave."""
        series = cls()
        for row in rows:
            service_times, response_times = row.get("unanswered", ((), ()))
            series._seconds[row["second"]] = Second(
                outcomes=Counter(row["outcomes"]),
                service_times=Counter(dict(row["service_times"])),
                response_times=Counter(dict(row["response_times"])),
                planned=row["planned"],
                dropped=row["dropped"],
                warm_up=row["warm_up"],
                unanswered_service_times=Counter(dict(service_times)),
                unanswered_response_times=Counter(dict(response_times)),
                wrong=row.get("wrong"),
            )
        return series


def _pair(second: Second) -> list[list[tuple[int, int]]]:
    return [sorted(second.unanswered_service_times.items()), sorted(second.unanswered_response_times.items())]
