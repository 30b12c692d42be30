"""What was counted while one rate was probed: adds up over workers, and travels from them to the master."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.recording import codec
from gatecrash.reports.recording.latency import LatencyHistogram

# So many bins a second: fine enough to see work pile up, and a bucket run dry.
BINS_A_SECOND: Final = 10
_COMPRESSION: Final = 1
CASES_NOTED_MAXIMUM: Final = 10_000


class StepKind(StrEnum):
    """Why a rate is fired: at rest, to find the order of magnitude, to come nearer, to be sure, to see it recover."""

    REST = "rest"
    DOUBLE = "double"
    BISECT = "bisect"
    CONFIRM = "confirm"
    RECOVER = "recover"


@dataclass(frozen=True, slots=True)
class Step:
    """One rate that is fired, ``rate`` in arrivals a second over all workers, times in seconds.

    ``warm_up`` seconds come before the ``seconds`` that are measured. Where throttles are what limits, ``drain``
    seconds at ``drain_rate`` come first, which empty a bucket of calls that were saved up: else a rate that can't be
    held would pass until the bucket is empty. ``first`` is the number of the first arrival in the whole run.
    """

    number: int
    kind: StepKind
    rate: float
    warm_up: float
    seconds: float
    drain_rate: float = 0.0
    drain: float = 0.0
    first: int = 0

    @property
    def measured_from(self) -> float:
        """Seconds from the step's start to the part that is measured."""
        return self.drain + self.warm_up

    @property
    def length(self) -> float:
        """Seconds of the whole step."""
        return self.drain + self.warm_up + self.seconds

    @property
    def arrivals(self) -> int:
        """How many arrivals the step has, one more where a part of one remains."""
        return int(self.drain * self.drain_rate + (self.warm_up + self.seconds) * self.rate) + 1


@dataclass(slots=True)
class Bin:
    """A tenth of a second: the arrivals that were due in it and what became of them, and the answers that came in it.

    ``late`` are those whose answer took longer than the objective allows, those that were dropped included.
    """

    due: int = 0
    dropped: int = 0
    late: int = 0
    throttled: int = 0
    errors: int = 0
    wrong: int = 0
    answered: int = 0
    completed: int = 0

    def add(self, other: Bin) -> None:
        """Add another worker's counts."""
        for name in Bin.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class ProbeCounts:
    """The counts of one step; times in seconds since the step's start.

    The histograms are of the measured part, and leave out exchanges that started an execution environment: those are
    in ``cold``. ``lag`` is how late this process was at what it meant to do in time, ``cpu`` the highest share of a
    core that a worker used, ``waited`` how many arrivals of the measured part found no free slot. At rest
    ``wrong_cases`` were answered wrongly at least once, and ``right_cases`` rightly.
    """

    step: Step
    latency: float
    bins: dict[int, Bin] = field(default_factory=dict)
    service_times: LatencyHistogram = field(default_factory=LatencyHistogram)
    response_times: LatencyHistogram = field(default_factory=LatencyHistogram)
    cold: LatencyHistogram = field(default_factory=LatencyHistogram)
    lag: LatencyHistogram = field(default_factory=LatencyHistogram)
    cpu: float = 0.0
    waited: int = 0
    wrong_cases: set[int] = field(default_factory=set)
    right_cases: set[int] = field(default_factory=set)

    def bin_at(self, seconds: float) -> Bin:
        """Return the bin of a time."""
        number = int(seconds * BINS_A_SECOND)
        known = self.bins.get(number)
        if known is None:
            known = self.bins[number] = Bin()
        return known

    def add_due(self, start: float) -> None:
        """Count an arrival that became due."""
        self.bin_at(start).due += 1

    def add_drop(self, start: float) -> None:
        """Count an arrival for which no slot was free in time."""
        due_bin = self.bin_at(start)
        due_bin.dropped += 1
        due_bin.late += 1

    def add_lag(self, due: float, lag: float) -> None:
        """Count how late a wait ended that was due at a time."""
        if due >= self.step.measured_from:
            self.lag.record(lag)

    def add_waited(self, start: float) -> None:
        """Count an arrival that was due when no slot was free."""
        if start >= self.step.measured_from:
            self.waited += 1

    def add_exchange(
        self, start: float, sent: float, received: float, outcome: Outcome, *, wrong: bool, apart: bool, cold: bool
    ) -> None:
        """Count an exchange; ``apart`` says that its case was answered wrongly at rest, so that it can't get worse."""
        due_bin = self.bin_at(start)
        due_bin.answered += 1
        self.bin_at(received).completed += 1
        if outcome is Outcome.THROTTLED:
            due_bin.throttled += 1
        elif not apart:
            if outcome.is_error:
                due_bin.errors += 1
            elif wrong:
                due_bin.wrong += 1
        if cold:
            self.cold.record(received - start)
            return
        if received - start > self.latency:
            due_bin.late += 1
        if start >= self.step.measured_from:
            self.service_times.record(received - sent)
            self.response_times.record(received - start)

    def note_case(self, case_index: int, *, right: bool) -> None:
        """Note that a case was answered rightly or wrongly."""
        cases = self.right_cases if right else self.wrong_cases
        if len(cases) < CASES_NOTED_MAXIMUM:
            cases.add(case_index)

    @property
    def apart(self) -> frozenset[int]:
        """The cases that were never answered rightly."""
        return frozenset(self.wrong_cases - self.right_cases)

    def measured(self) -> Iterator[Bin]:
        """Yield the bins of the measured part, empty ones too, in their order."""
        first = round(self.step.measured_from * BINS_A_SECOND)
        for number in range(first, first + round(self.step.seconds * BINS_A_SECOND)):
            yield self.bins.get(number, _NOTHING)

    def backlogs(self) -> list[int]:
        """Return how many arrivals were due and unanswered at the end of each bin, from the step's start on."""
        backlogs, waiting = [], 0
        for number in range(round(self.step.length * BINS_A_SECOND)):
            seen = self.bins.get(number, _NOTHING)
            waiting += seen.due - seen.dropped - seen.completed
            backlogs.append(waiting)
        return backlogs

    def add_bins(self, other: ProbeCounts) -> None:
        """Add another worker's bins, which is all that the way of a step so far is judged by."""
        for number, counts in other.bins.items():
            self.bins.setdefault(number, Bin()).add(counts)

    def add(self, other: ProbeCounts) -> None:
        """Add another worker's counts of the same step."""
        self.add_bins(other)
        for name in ("service_times", "response_times", "cold", "lag"):
            getattr(self, name).add(getattr(other, name))
        self.cpu = max(self.cpu, other.cpu)
        self.waited += other.waited
        self.wrong_cases |= other.wrong_cases
        self.right_cases |= other.right_cases

    def encode(self) -> bytes:
        """Return the counts as compact bytes, as workers send them."""
        return zlib.compress(wire.encode(codec.to_json(self, order="deterministic")), _COMPRESSION)

    @classmethod
    def decode(cls, data: bytes) -> ProbeCounts:
        """Read what ``encode`` returned."""
        return codec.from_json(wire.decode(zlib.decompress(data)), cls)


_NOTHING: Final = Bin()
