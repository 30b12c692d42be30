"""Counting exchanges while they are fired, with as little work for each as can be; a recording is made of it later.

Nothing is lost: what is counted together is what a recording could not tell apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import Final

from gatecrash.authorizers.contract import Answer, Expectation, Outcome
from gatecrash.reports.recording.clocks import ClockJump
from gatecrash.reports.recording.latency import Pause, cut_nanoseconds, no_pause
from gatecrash.reports.recording.plain import CaseTimes
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.records import Exchange
from gatecrash.reports.recording.series import bucket_of

# Of each outcome, the expectations that it decides against.
_AGAINST: Final = {
    outcome: tuple(one for one in Expectation if outcome.is_decision and one.is_met_by(outcome) is False)
    for outcome in Outcome
}
_NANOSECONDS: Final = 1e9
_NO_SECOND: Final = -1
_LATENCIES_AT_ONCE: Final = 256
# Entering many cases at once would hold the firing up.
_REPEATED_MAXIMUM: Final = 512


class _Cell:
    """Exchanges of one second with one outcome: how often each latency, in cut nanoseconds, was seen.

    ``against`` are the expectations for which the outcome is a wrong decision, and ``wrong`` how often it was one.
    """

    __slots__ = ("against", "response_times", "service_times", "wrong")

    def __init__(self, against: tuple[Expectation, ...] = ()) -> None:
        self.service_times: dict[int, int] = {}
        self.response_times: dict[int, int] = {}
        self.against = against
        self.wrong = 0


class _Repeated:
    """A case's latest answer, and when the case got it: always the same object, so that it need not be compared."""

    __slots__ = ("answer", "count", "first", "last")

    def __init__(self, answer: Answer, start: float) -> None:
        self.answer = answer
        self.count = 1
        self.first = self.last = start


class Tally:
    """Counts the exchanges of one worker.

    Exchanges whose intended start (seconds) is before ``warm_up`` belong to the warm-up; ``offered_rate`` is in
    arrivals a second. ``secrets_of`` gives the texts of a case's request that must not be kept, ``expectation_of`` what
    must come back, for the count of wrong decisions; without it there is none.
    """

    def __init__(
        self,
        *,
        worker: int,
        warm_up: float,
        offered_rate: float,
        secrets_of: Callable[[int], tuple[str, ...]],
        expectation_of: Callable[[int], Expectation] | None = None,
    ) -> None:
        self._expectation_of = expectation_of
        self._secrets_of = secrets_of
        self._worker = worker
        self._warm_up = warm_up
        self._offered_rate = offered_rate
        self._begin()

    def _begin(self) -> None:
        self._recording = Recording()
        self._cells: dict[tuple[int, Outcome, bool], _Cell] = {}
        self._repeated: dict[int, _Repeated] = {}
        self._planned: dict[int, int] = {}
        self._dropped: dict[int, int] = {}
        self._forget_cell()

    def _forget_cell(self) -> None:
        self._second, self._outcome, self._is_warm_up, self._cell = _NO_SECOND, Outcome.ALLOW, False, _Cell()

    def add(
        self,
        case_index: int,
        intended_start: float,
        sent: float,
        received: float,
        answer: Answer,
        phase: str,
    ) -> int:
        """Count one exchange; times are seconds since the run's start.

        Returns the response time as it is kept: in nanoseconds, cut to three digits.
        """
        second, outcome, is_warm_up = int(intended_start), answer.outcome, intended_start < self._warm_up
        if second != self._second or outcome is not self._outcome or is_warm_up is not self._is_warm_up:
            self._turn_to((second, outcome, is_warm_up))
        cell = self._cell
        latency = cut_nanoseconds(received - sent)
        cell.service_times[latency] = cell.service_times.get(latency, 0) + 1
        latency = cut_nanoseconds(received - intended_start)
        cell.response_times[latency] = cell.response_times.get(latency, 0) + 1
        if cell.against and self._expectation_of is not None and self._expectation_of(case_index) in cell.against:
            cell.wrong += 1

        repeated = self._repeated.get(case_index)
        if repeated is not None and repeated.answer is answer and not phase:
            repeated.count += 1
            if intended_start > repeated.last:
                repeated.last = intended_start
            elif intended_start < repeated.first:
                repeated.first = intended_start
        elif repeated is None and answer.invocation is None and not phase:
            if len(self._repeated) >= _REPEATED_MAXIMUM:
                self._enter_repeated()
            self._repeated[case_index] = _Repeated(answer, intended_start)
        else:
            self._enter(case_index, answer, intended_start, phase)
        return latency

    def _turn_to(self, key: tuple[int, Outcome, bool]) -> None:
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = _Cell(_AGAINST[key[1]])
        self._second, self._outcome, self._is_warm_up = key
        self._cell = cell

    def _enter(self, case_index: int, answer: Answer, start: float, phase: str) -> None:
        if answer.invocation is not None and answer.invocation.cold_start:
            self._recording.cold_starts += 1
        exchange = self._exchange(case_index, answer, start, phase)
        self._recording.ledger.add_exchange(exchange, partial(self._secrets_of, case_index))

    def _exchange(self, case_index: int, answer: Answer, start: float, phase: str = "") -> Exchange:
        return Exchange(
            case_index, start, start, start, answer, start < self._warm_up, self._offered_rate, self._worker, phase
        )

    def offer(self, rate: float) -> None:
        """Note that from now on another rate, in arrivals a second, is offered."""
        self._enter_repeated()
        self._offered_rate = rate

    def _enter_repeated(self) -> None:
        repeated, self._repeated = self._repeated, {}
        by_answer: dict[int, tuple[Answer, list[CaseTimes]]] = {}
        for case_index, one in repeated.items():
            _, seen = by_answer.setdefault(id(one.answer), (one.answer, []))
            seen.append((case_index, one.count, one.first, one.last))
        for answer, seen in by_answer.values():
            case_index, _, first, _ = seen[0]
            like = self._exchange(case_index, answer, first)
            self._recording.ledger.add_answers(like, self._secrets_of, seen)

    def add_arrival(self, intended_start: float, delay: float) -> None:
        """Count an arrival, and how long (seconds) after its intended start a slot fires it."""
        self.add_planned(intended_start)
        if intended_start >= self._warm_up:
            self._recording.delays.record(delay)

    def add_planned(self, intended_start: float) -> None:
        """Count an arrival that became due."""
        second = int(intended_start)
        self._planned[second] = self._planned.get(second, 0) + 1

    def add_lag(self, due: float, lag: float) -> None:
        """Count how late (seconds) a wait ended that was due at a time."""
        if due >= self._warm_up:
            self._recording.lag.record(lag)

    def add_clock_jumps(self, jumps: Iterable[ClockJump]) -> None:
        """Note what the clocks of this process did."""
        self._recording.clock_jumps.extend(jumps)

    def add_timed_here(self) -> None:
        """Count an exchange of whose answer only this process says when it came."""
        self._recording.timed_here += 1

    def add_drop(self, intended_start: float) -> None:
        """Count an arrival that was never sent."""
        second = int(intended_start)
        self._dropped[second] = self._dropped.get(second, 0) + 1

    def take(self, pause: Pause = no_pause) -> Recording:
        """Return what was counted since the last call.

        What is counted in its pauses is left for the next one.
        """
        self._enter_repeated()
        recording, cells = self._recording, self._cells
        planned, dropped = self._planned, self._dropped
        self._begin()
        for number, count in planned.items():
            second = recording.series.second(number)
            second.planned += count
            second.warm_up = second.warm_up or number < self._warm_up
        for number, count in dropped.items():
            recording.series.second(number).dropped += count
        for (number, outcome, is_warm_up), cell in cells.items():
            count = sum(cell.service_times.values())
            second = recording.series.second(number)
            second.warm_up = second.warm_up or is_warm_up
            second.outcomes[outcome.value] += count
            if self._expectation_of is not None:
                second.add_wrong(cell.wrong)
            _fill(second.service_times, cell.service_times, pause)
            _fill(second.response_times, cell.response_times, pause)
            if not outcome.tells_latency:
                _fill(second.unanswered_service_times, cell.service_times, no_pause)
                _fill(second.unanswered_response_times, cell.response_times, no_pause)
            if is_warm_up:
                recording.warm_up_exchanges += count
            else:
                recording.outcomes[outcome.value] += count
                recording.latencies.add_cut(outcome, cell.service_times, cell.response_times)
            pause()
        return recording


@cache
def _bucket_of_cut(nanoseconds: int) -> int:
    """Return the bucket of a latency that was cut: there are few, and taking a logarithm takes a while."""
    return bucket_of(nanoseconds / _NANOSECONDS)


def _fill(buckets: Counter[int], latencies: Mapping[int, int], pause: Pause) -> None:
    for place, (latency, times) in enumerate(latencies.items(), 1):
        buckets[_bucket_of_cut(latency)] += times
        if not place % _LATENCIES_AT_ONCE:
            pause()
