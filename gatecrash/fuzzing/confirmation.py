"""From a violation to a confirmed and classified one: alone, repeated, after what came before, and overlapping."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Self

from gatecrash.authorizers.contract import Answer
from gatecrash.bench.bench import OVERLAPPING_ROUNDS, OVERLAPPING_WIDTH, Bench, OutOfBudgetError, Shot
from gatecrash.generators.minimise import shrink_sequence
from gatecrash.reports.oracles.checks import Judge, Violation
from gatecrash.reports.oracles.findings import Classification, Confirmation
from gatecrash.reports.recording.identities import identity_of

Bad = Callable[[Answer], bool]

_ALONE: Final = 5
# A request that takes seconds is not repeated as often as others.
_SLOW_SECONDS: Final = 1.0
_ALONE_IF_SLOW: Final = 2
_WARM: Final = 10
_USUAL: Final = 3
_REPEATED: Final = 2000
# Seconds that a request takes besides the handler's own, about.
_OVERHEAD: Final = 0.0003
_OVERHEAD_REMOTE: Final = 0.01
_REPEATED_MINIMUM: Final = 20
# A setup longer than this says "many invocations" rather than "this other request".
_SETUP_MAXIMUM: Final = 12
_SEQUENCE_TRIALS: Final = 120


@dataclass(frozen=True, slots=True)
class Confirmed:
    """How surely a violation shows, and the cases that must be fired before it."""

    confirmation: Confirmation
    setup: tuple[int, ...] = ()

    @classmethod
    def of(
        cls, classification: Classification, violations: int, times: int, after: int = 0, setup: Sequence[int] = ()
    ) -> Self:
        """Make it of what was seen, as a confirmation is made."""
        return cls(Confirmation.of(classification, violations, times, after), tuple(setup))

    @property
    def classification(self) -> Classification:
        """When it shows."""
        return self.confirmation.classification


def bad_answers(violation: Violation, judge: Judge, secrets: tuple[str, ...]) -> Bad:
    """Return the test whether one answer to the violation's case violates its rule by itself.

    ``secrets`` are those of the request.
    """
    wanted = (violation.rule.code, violation.cause)
    return lambda answer: wanted in judge.violated_by(answer, violation.case, secrets)


class Confirmer:
    """Fires a violation's request again until it is clear when it shows; ``shot`` makes a case's shot."""

    def __init__(self, bench: Bench, shot: Callable[[int], Shot]) -> None:
        self._bench = bench
        self._shot = shot

    def usual_answer(self, index: int) -> str:
        """Return the identity of what a request is answered when nothing went before it; raises OutOfBudgetError."""
        shot = self._shot(index)
        identities = Counter(identity_of(self._bench.fire([shot])[0]) for _ in range(_USUAL))
        return identities.most_common(1)[0][0]

    def confirm(
        self,
        violation: Violation,
        bad: Bad,
        before: Sequence[int] | None,
        likely_setups: Sequence[Sequence[int]],
        *,
        seconds: float,
    ) -> Confirmed:
        """Confirm and classify a violation in about ``seconds``.

        ``before`` are the cases that its environment had answered before, ``likely_setups`` short sequences to try
        first. When nothing shows it again, or the budget of requests is spent, it stands as not seen again.
        """
        deadline = time.monotonic() + seconds
        index = violation.case.index
        try:
            confirmed = (
                self._by_itself(index, bad, deadline)
                or self._after_others(index, bad, before, likely_setups, deadline)
                or self._overlapping(index, bad, deadline)
            )
        except OutOfBudgetError:
            confirmed = None
        return confirmed or Confirmed.of(Classification.NOT_SEEN_AGAIN, 0, _ALONE)

    def _by_itself(self, index: int, bad: Bad, deadline: float) -> Confirmed | None:
        shot = self._shot(index)
        started = time.monotonic()
        firsts = [bad(self._bench.fire([shot])[0])]
        alone = _ALONE if time.monotonic() - started < _SLOW_SECONDS else _ALONE_IF_SLOW
        firsts += [bad(self._bench.fire([shot])[0]) for _ in range(alone - 1)]
        if alone < _ALONE and all(firsts):
            return Confirmed.of(Classification.DETERMINISTIC, alone, alone)
        answered = self._bench.fire([shot] * _WARM)
        warm = [bad(answer) for answer in answered]
        shown = sum(firsts) + sum(warm)
        if all(firsts) and all(warm):
            return Confirmed.of(Classification.DETERMINISTIC, shown, len(firsts) + len(warm))
        if self._bench.isolated and all(firsts) and warm[0] and not any(warm[1:]):
            return Confirmed.of(Classification.COLD_START, sum(firsts) + 1, _ALONE + 1)
        times = self._repetitions(answered, deadline)
        answers = [bad(answer) for answer in self._bench.fire([shot] * times)]
        if not any(answers):
            if not shown:
                return None
            return Confirmed.of(Classification.FLAKY, shown, len(firsts) + len(warm) + times)
        first = answers.index(True)
        if first and all(answers[first:]) and len(answers) - first >= _ALONE and not any(firsts):
            later = len(answers) - first
            kind = Classification.COLD_START if first == 1 else Classification.AFTER_MANY
            return Confirmed.of(kind, later, later, first)
        return Confirmed.of(Classification.FLAKY, sum(answers), times)

    def _repetitions(self, answered: Sequence[Answer], deadline: float) -> int:
        """Return how often a request can be repeated in half of the time that is left."""
        overhead = _OVERHEAD if self._bench.isolated else _OVERHEAD_REMOTE
        each = median(answer.handler_seconds for answer in answered) + overhead
        left = max(0.0, deadline - time.monotonic()) / 2
        return max(_REPEATED_MINIMUM, min(_REPEATED, int(left / each)))

    def _after_others(
        self,
        index: int,
        bad: Bad,
        before: Sequence[int] | None,
        likely_setups: Sequence[Sequence[int]],
        deadline: float,
    ) -> Confirmed | None:
        if not self._bench.isolated:
            return None

        def shows(setup: Sequence[int]) -> bool:
            shots = [self._shot(other) for other in setup]
            return bad(self._bench.fire([*shots, self._shot(index)])[-1])

        for setup in likely_setups:
            if shows(setup):
                return self._with_setup(setup, shows)
        if not before or not shows(before):
            return None

        def shows_in_time(setup: Sequence[int]) -> bool:
            return time.monotonic() < deadline and shows(setup)

        return self._with_setup(shrink_sequence(before, shows_in_time, trials=_SEQUENCE_TRIALS), shows)

    def _with_setup(self, setup: Sequence[int], shows: Callable[[Sequence[int]], bool]) -> Confirmed:
        times = sum(shows(setup) for _ in range(_ALONE))
        if len(setup) > _SETUP_MAXIMUM:
            return Confirmed.of(Classification.AFTER_MANY, times, _ALONE, len(setup), setup)
        return Confirmed.of(Classification.AFTER_ANOTHER, times, _ALONE, setup=setup)

    def _overlapping(self, index: int, bad: Bad, deadline: float) -> Confirmed | None:
        """Fire the request many times at once: what shows only then depends on invocations that overlap."""
        shot, shown = self._shot(index), Counter[bool]()
        for _ in range(OVERLAPPING_ROUNDS):
            if time.monotonic() > deadline:
                break
            shown.update(bad(answer) for answer in self._bench.fire_at_once([shot] * OVERLAPPING_WIDTH))
        if not shown[True]:
            return None
        return Confirmed.of(Classification.UNDER_LOAD, shown[True], shown.total())
