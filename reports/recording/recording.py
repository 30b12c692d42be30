"""Everything that a run accumulates, in constant memory per case; adds up over workers.

It survives as JSON in the run folder, and travels from workers as the same, deflated.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import WireError
from gatecrash.reports.recording import codec
from gatecrash.reports.recording.clocks import ClockJump
from gatecrash.reports.recording.latency import LatencyBook, LatencyHistogram, Pause, no_pause
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.recording.records import Exchange
from gatecrash.reports.recording.series import Series

# The lowest level halves the bytes and takes a few milliseconds; higher ones take far longer for little.
_COMPRESSION: Final = 1
# Time-outs and broken connections are always timed by whoever waits for them.
_TIMED_HERE_SHARE: Final = 0.001


@dataclass(slots=True)
class Recording:
    """The folds over all exchanges.

    Latencies, the lag and the counts of ``outcomes`` leave the warm-up out; the series and the ledger have it in, since
    a wrong decision is wrong at any time. ``lag`` is how late a greenlet of the load generator saw what was there for
    it; ``delays`` is how long after their intended start arrivals were fired: lag, and waiting for a free slot.
    ``timed_here`` exchanges, of all, ended when this process saw the answer; of the others the kernel said when.
    """

    latencies: LatencyBook = field(default_factory=LatencyBook)
    series: Series = field(default_factory=Series)
    ledger: Ledger = field(default_factory=Ledger)
    lag: LatencyHistogram = field(default_factory=LatencyHistogram)
    delays: LatencyHistogram = field(default_factory=LatencyHistogram)
    clock_jumps: list[ClockJump] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    warm_up_exchanges: int = 0
    cold_starts: int = 0
    timed_here: int = 0

    def add_exchange(self, exchange: Exchange, secrets: Callable[[], tuple[str, ...]], *, timed: bool = True) -> None:
        """Fold one exchange in; ``secrets`` gives the texts of its request that must not be kept.

        One that isn't ``timed`` has no latency that means anything beside the others'.
        """
        outcome = exchange.answer.outcome
        self.timed_here += 1
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

    def add_arrival(self, intended_start: float, delay: float, *, warm_up: bool) -> None:
        """Count an arrival, and how long (seconds) after its intended start it was fired."""
        second = self.series.second(int(intended_start))
        second.planned += 1
        second.warm_up = second.warm_up or warm_up
        if not warm_up:
            self.delays.record(delay)

    def add_drop(self, intended_start: float) -> None:
        """Count an arrival that was never sent, because no slot was free in time or the run ended."""
        self.series.second(int(intended_start)).dropped += 1

    def add(self, other: Recording, pause: Pause = no_pause) -> None:
        """Add another worker's recording; nobody may read either of them in the pauses."""
        self.latencies.add(other.latencies, pause)
        self.series.add(other.series)
        pause()
        self.ledger.add(other.ledger, pause)
        for histogram, of_other in ((self.lag, other.lag), (self.delays, other.delays)):
            histogram.absorb(of_other, pause)
            pause()
        self.clock_jumps += other.clock_jumps
        self.outcomes += other.outcomes
        self.warm_up_exchanges += other.warm_up_exchanges
        self.cold_starts += other.cold_starts
        self.timed_here += other.timed_here

    def encode(self, pause: Pause = no_pause) -> bytes:
        """Return the recording as compact bytes, as workers send it."""
        deflate = zlib.compressobj(_COMPRESSION)
        parts = []
        for piece in self.pieces(pause):
            parts.append(deflate.compress(piece))
            pause()
        return b"".join((*parts, deflate.flush()))

    @classmethod
    def decode(cls, data: bytes) -> Recording:
        """Read what ``encode`` returned; raises ValueError for anything else."""
        try:
            return cls.from_json(wire.decode(zlib.decompress(data)))
        except (zlib.error, WireError, KeyError, TypeError) as error:
            raise ValueError(f"not an encoded recording: {error}") from error

    def pieces(self, pause: Pause = no_pause, **more: Any) -> Iterator[bytes]:
        """Yield the recording, and more members, as a JSON object in pieces that each take little time to make.

        Nobody may add to the recording until all are made.
        """
        yield wire.encode({**more, "counts": self.counts(), "histograms": self._histograms(pause)})[:-1]
        yield b',"series":['
        for place, row in enumerate(self.series.rows()):
            yield (b"," if place else b"") + wire.encode(row)
        yield b'],"ledger":'
        yield from self.ledger.pieces()
        yield b"}"

    def _histograms(self, pause: Pause) -> dict[str, str]:
        encoded = self.latencies.to_json(pause)
        for name, histogram in (("lag", self.lag), ("delays", self.delays)):
            histogram.settle(pause)
            encoded[name] = histogram.encode().decode("ascii")
            pause()
        return encoded

    @property
    def is_timed_by_kernel(self) -> bool:
        """Whether it was the kernel, but for few exchanges, that said when answers came."""
        return self.timed_here <= _TIMED_HERE_SHARE * (self.outcomes.total() + self.warm_up_exchanges)

    def counts(self) -> dict[str, Any]:
        """Return the plain counts, as a JSON value."""
        names = ("outcomes", "warm_up_exchanges", "cold_starts", "timed_here", "clock_jumps")
        return {name: codec.to_json(getattr(self, name)) for name in names}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Recording:
        """Read the JSON object that ``pieces`` wrote; raises KeyError, TypeError or ValueError for anything else."""
        counts, histograms = value["counts"], dict(value["histograms"])
        return cls(
            lag=codec.from_json(histograms.pop("lag"), LatencyHistogram),
            delays=codec.from_json(histograms.pop("delays"), LatencyHistogram),
            latencies=LatencyBook.from_json(histograms),
            series=Series.from_json(value["series"]),
            ledger=Ledger.from_json(value["ledger"]),
            clock_jumps=codec.from_json(counts["clock_jumps"], list[ClockJump]),
            outcomes=Counter(counts["outcomes"]),
            warm_up_exchanges=counts["warm_up_exchanges"],
            cold_starts=counts["cold_starts"],
            timed_here=counts["timed_here"],
        )
