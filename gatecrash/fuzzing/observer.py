"""Keeps what the phases in this process saw: the recording of a run, and which request followed which."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from gatecrash.authorizers.contract import Answer
from gatecrash.authorizers.redact import secrets_of
from gatecrash.generators.corpus import Corpus
from gatecrash.reports.recording.identities import identity_of
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.records import Exchange


class _First(NamedTuple):
    """Where an answer to a case was first seen: in the whole run, and in its environment's own history."""

    place: int
    environment: str
    history: int


class Observer:
    """Records the exchanges of the phases; may be told of them by many threads."""

    def __init__(self, corpus: Corpus, clock: Callable[[], float] = time.perf_counter) -> None:
        self.recording = Recording()
        self.exchanges = 0
        self._corpus = corpus
        self._clock = clock
        self._started = clock()
        self._lock = threading.Lock()
        self._firsts: dict[tuple[int, str], _First] = {}
        self._histories: dict[str, list[int]] = {}

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._started

    def record(self, case_index: int, answer: Answer, phase: str) -> None:
        """Record one exchange that was just answered."""
        now = self.elapsed
        sent = max(0.0, now - answer.handler_seconds)
        environment = answer.invocation.environment if answer.invocation else ""
        exchange = Exchange(case_index, sent, sent, now, answer, phase=phase)
        key = (case_index, identity_of(answer))
        with self._lock:
            self.recording.add_exchange(exchange, lambda: secrets_of(self._corpus.request(case_index)), timed=False)
            history = self._histories.setdefault(environment, [])
            self._firsts.setdefault(key, _First(self.exchanges, environment, len(history)))
            self.exchanges += 1
            if environment:
                history.append(case_index)

    def before(self, case_index: int, answers: Iterable[str]) -> list[int] | None:
        """Return the cases that an environment had answered before it first gave a case one of these answers.

        None when no environment of this process gave it.
        """
        first = self._first(case_index, answers)
        if first is None or not first.environment:
            return None
        return self._histories[first.environment][: first.history]

    def first(self, case_index: int, answers: Iterable[str]) -> int | None:
        """Return how many exchanges it took until a case got one of these answers, itself included."""
        first = self._first(case_index, answers)
        return None if first is None else first.place + 1

    def first_disagreement(self, case_index: int) -> int | None:
        """Return how many exchanges it took until a case got a second answer, itself included."""
        places = sorted(first.place for (index, _), first in self._firsts.items() if index == case_index)
        return places[1] + 1 if len(places) > 1 else None

    def _first(self, case_index: int, answers: Iterable[str]) -> _First | None:
        firsts = [self._firsts[case_index, answer] for answer in answers if (case_index, answer) in self._firsts]
        return min(firsts, default=None)
