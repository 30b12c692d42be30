"""Everything that a run accumulates, in constant memory per case; adds up over workers.

It survives as JSON in the run folder, and travels from workers as compact bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from authorizers import wire
from reports.clocks import ClockJump
from reports.latency import LatencyBook, LatencyHistogram, Pause, no_pause
from reports.ledger import Ledger
from reports.ledger_columns import add_encoded_ledger, encode_ledger
from reports.records import Exchange
from reports.series import Series

# The length of the JSON part, which the columns follow.
_HEAD: Final = struct.Struct("<I")
# The lowest level halves the bytes and takes a few milliseconds; higher ones take far longer for little.
_COMPRESSION: Final = 1


def json_object(members: Mapping[str, Any], pause: Pause = no_pause) -> bytes:
    """Return a JSON object, written member by member."""
    written = []
    for name, value in members.items():
        written.append(wire.encode(name) + b":" + wire.encode(value))
        pause()
    return b"{" + b",".join(written) + b"}"


@dataclass(slots=True)
class Recording:
    """The folds over all exchanges.

    Latencies, the lag and the counts of ``outcomes`` leave the warm-up out; the series and the ledger have it in, since
    a wrong decision is wrong at any time. ``lag`` is how late a greenlet of the load generator saw what was there for
    it; ``delays`` is how long after their intended start arrivals were fired: lag, and waiting for a free slot.
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
        self.ledger.add(other.ledger)
        for mine, theirs in ((self.lag, other.lag), (self.delays, other.delays)):
            theirs.settle(pause)
            mine.add(theirs)
            pause()
        self.clock_jumps += other.clock_jumps
        self.outcomes += other.outcomes
        self.warm_up_exchanges += other.warm_up_exchanges
        self.cold_starts += other.cold_starts

    def encode(self, pause: Pause = no_pause) -> bytes:
        """Return the recording as compact bytes, as workers send it: tables as JSON and columns, both deflated."""
        tables, columns = encode_ledger(self.ledger)
        pause()
        parts = {**self._small_parts(pause), "ledger": tables, "counts": self.counts()}
        head = wire.encode(parts)
        pause()
        return zlib.compress(b"".join((_HEAD.pack(len(head)), head, columns)), _COMPRESSION)

    def add_encoded(self, data: bytes) -> None:
        """Add another recording as ``encode`` wrote it; raises ValueError for what is none."""
        try:
            content = zlib.decompress(data)
            (length,) = _HEAD.unpack_from(content)
        except (zlib.error, struct.error) as error:
            raise ValueError(f"not an encoded recording: {error}") from error
        parts = wire.decode(content[_HEAD.size : _HEAD.size + length])
        histograms, counts = dict(parts["histograms"]), parts["counts"]
        self.lag.add_encoded(histograms.pop("lag").encode("ascii"))
        self.delays.add_encoded(histograms.pop("delays").encode("ascii"))
        self.latencies.add_encoded(histograms)
        self.series.add(Series.decode(parts["series"]))
        add_encoded_ledger(self.ledger, parts["ledger"], content[_HEAD.size + length :])
        self.outcomes.update(counts["outcomes"])
        self.warm_up_exchanges += counts["warm_up_exchanges"]
        self.cold_starts += counts["cold_starts"]
        self.clock_jumps += [ClockJump(*jump) for jump in counts["clock_jumps"]]

    def parts(self, pause: Pause = no_pause) -> dict[str, Any]:
        """Return the three large parts; nobody may add to the recording in the pauses."""
        return {**self._small_parts(pause), "ledger": self.ledger.encode()}

    def _small_parts(self, pause: Pause) -> dict[str, Any]:
        encoded = self.latencies.encode(pause)
        for name, histogram in (("lag", self.lag), ("delays", self.delays)):
            histogram.settle(pause)
            encoded[name] = histogram.encode().decode("ascii")
            pause()
        parts = {"histograms": encoded, "series": self.series.encode()}
        pause()
        return parts

    def counts(self) -> dict[str, Any]:
        """Return the plain counts."""
        return {
            "outcomes": dict(self.outcomes),
            "warm_up_exchanges": self.warm_up_exchanges,
            "cold_starts": self.cold_starts,
            "clock_jumps": [list(jump) for jump in self.clock_jumps],
        }

    @classmethod
    def decode(cls, data: bytes) -> Recording:
        """Read what ``encode`` wrote; raises ValueError for what is none."""
        recording = cls()
        recording.add_encoded(data)
        return recording

    @classmethod
    def from_parts(cls, parts: Mapping[str, Any], counts: Mapping[str, Any]) -> Recording:
        """Put a recording together from its parts and counts."""
        histograms = dict(parts["histograms"])
        lag, delays = histograms.pop("lag"), histograms.pop("delays", None)
        return cls(
            latencies=LatencyBook.decode(histograms),
            series=Series.decode(parts["series"]),
            ledger=Ledger.decode(parts["ledger"]),
            lag=LatencyHistogram(lag.encode("ascii")),
            # Earlier versions wrote neither of these.
            delays=LatencyHistogram(delays.encode("ascii") if delays is not None else None),
            clock_jumps=[ClockJump(*jump) for jump in counts.get("clock_jumps", ())],
            outcomes=Counter(counts["outcomes"]),
            warm_up_exchanges=counts["warm_up_exchanges"],
            cold_starts=counts["cold_starts"],
        )
