"""Everything that a run accumulates, in constant memory per case; adds up over workers and survives as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from authorizers import wire
from reports.latency import LatencyBook, LatencyHistogram
from reports.ledger import Ledger
from reports.records import Exchange
from reports.series import Series


@dataclass(slots=True)
class Recording:
    """The folds over all exchanges.

    Latencies, the lag and the counts of ``outcomes`` leave the warm-up out; the series and the ledger have it in, since
    a wrong decision is wrong at any time. ``lag`` is how late arrivals reached a slot's queue, which tells whether
    the load generator kept its own schedule.
    """

    latencies: LatencyBook = field(default_factory=LatencyBook)
    series: Series = field(default_factory=Series)
    ledger: Ledger = field(default_factory=Ledger)
    lag: LatencyHistogram = field(default_factory=LatencyHistogram)
    outcomes: Counter[str] = field(default_factory=Counter)
    warm_up_exchanges: int = 0
    cold_starts: int = 0

    def add_exchange(self, exchange: Exchange, secrets: Callable[[], tuple[str, ...]], *, timed: bool = True) -> None:
        """Fold one exchange in; ``secrets`` gives the texts of its request that must not be kept.

        One that isn't ``timed`` has no latency that means anything beside the others'.
        """
        outcome = exchange.answer.outcome
        if exchange.warm_up:
            self.warm_up_exchanges += 1
        else:
            self.outcomes[outcome.value] += 1
            if timed:
                self.latencies.record(outcome, exchange.service_time, exchange.response_time)
        if exchange.answer.invocation is not None and exchange.answer.invocation.cold_start:
            self.cold_starts += 1
        self.series.add_exchange(exchange)
        self.ledger.add_exchange(exchange, secrets)

    def add_arrival(self, intended_start: float, lag: float, *, warm_up: bool) -> None:
        """Count an arrival that became due, and how late (seconds) it was handed to the slots."""
        second = self.series.second(int(intended_start))
        second.planned += 1
        second.warm_up = second.warm_up or warm_up
        if not warm_up:
            self.lag.record(lag)

    def add_drop(self, intended_start: float) -> None:
        """Count an arrival that was never sent, because no slot was free in time or the run ended."""
        self.series.second(int(intended_start)).dropped += 1

    def add(self, other: Recording) -> None:
        """Add another worker's recording."""
        self.latencies.add(other.latencies)
        self.series.add(other.series)
        self.ledger.add(other.ledger)
        self.lag.add(other.lag)
        self.outcomes += other.outcomes
        self.warm_up_exchanges += other.warm_up_exchanges
        self.cold_starts += other.cold_starts

    def encode(self) -> bytes:
        """Return the recording as JSON bytes, as workers send it."""
        return b"".join(self.pieces())

    def pieces(self, **more: Any) -> Iterator[bytes]:
        """Yield the recording, and more members, as a JSON object in pieces that each take little time to make."""
        histograms = {**self.latencies.encode(), "lag": self.lag.encode().decode("ascii")}
        yield wire.encode({**more, "counts": self.counts(), "histograms": histograms})[:-1]
        yield b',"series":['
        for place, row in enumerate(self.series.rows()):
            yield (b"," if place else b"") + wire.encode(row)
        yield b'],"ledger":'
        yield from self.ledger.pieces()
        yield b"}"

    def counts(self) -> dict[str, Any]:
        """Return the plain counts."""
        return {
            "outcomes": dict(self.outcomes),
            "warm_up_exchanges": self.warm_up_exchanges,
            "cold_starts": self.cold_starts,
        }

    @classmethod
    def decode(cls, data: bytes) -> Recording:
        """Read what ``encode`` wrote."""
        value = wire.decode(data)
        return cls.from_parts(value, value["counts"])

    @classmethod
    def from_parts(cls, parts: Mapping[str, Any], counts: Mapping[str, Any]) -> Recording:
        """Put a recording together from its parts and counts."""
        histograms = dict(parts["histograms"])
        lag = histograms.pop("lag")
        return cls(
            latencies=LatencyBook.decode(histograms),
            series=Series.decode(parts["series"]),
            ledger=Ledger.decode(parts["ledger"]),
            lag=LatencyHistogram(lag.encode("ascii")),
            outcomes=Counter(counts["outcomes"]),
            warm_up_exchanges=counts["warm_up_exchanges"],
            cold_starts=counts["cold_starts"],
        )
