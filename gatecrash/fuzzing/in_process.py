"""The phases that are fired in this process: at a Python handler in fresh, isolated environments, without a network."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from statistics import median
from typing import Final

from gatecrash.authorizers.contract import Answer, Outcome
from gatecrash.authorizers.laboratory.laboratory import IsolatedEnvironment
from gatecrash.authorizers.limits import LAMBDA_SECONDS_MAXIMUM
from gatecrash.bench.bench import (
    OVERLAPPING_ROUNDS,
    OVERLAPPING_WIDTH,
    PARALLEL_MAXIMUM,
    SLOW_SECONDS,
    LaboratoryBench,
    fire_in,
)
from gatecrash.bench.expiry import ExpiryWatch
from gatecrash.bench.timing import SlowCase, ageing_findings, slow_findings
from gatecrash.fuzzing.fuzz_run import FuzzRun
from gatecrash.fuzzing.schedules import interleaved_order, overlapping_groups, sequential_order
from gatecrash.generators.attacks import UNSIGNED_VIEW
from gatecrash.reports.oracles.policy_checks import ALONE
from gatecrash.reports.run.campaign import PhaseRow

IN_PROCESS: Final = "in process"
# A usually fast handler that takes longer than this for one request is stopped here and looked at apart.
SOFT_SECONDS: Final = 1.0
_SLOW_SECONDS: Final = 0.05
_SLOW_TIMES: Final = 10
_BATCH: Final = 32
_BATCH_IF_SLOW: Final = 2
_PATTERNS: Final = "pattern"
_SLOW_OF_AN_ATTACK: Final = 2
_SLOW_ENOUGH: Final = 5
_REPETITIONS: Final = 3000
_DENIED_REPETITIONS: Final = 1200
_INTERLEAVED_ROUNDS: Final = 12


def fire_in_process(run: FuzzRun) -> None:
    """Fire at a Python handler, watch credentials expire meanwhile, and look again at what was slow."""
    bench, shots, book = run.bench, run.shots, run.book
    if not isinstance(bench, LaboratoryBench):
        return
    sweep = Sweep(run, bench)
    with closing(ExpiryWatch(bench, shots.maker.profile)) as watch:
        watch.begin([shots.recipe(index) for index in book.representatives])
        sweep.fire()
        run.say("  expiry")
        run.timed += watch.end()
    run.say("  timing")
    started = time.monotonic()
    deadline = started + run.settings.fuzz.confirm_seconds / 2
    run.timed += slow_findings(bench, shots, sweep.slow, book.valid, deadline=deadline)
    mixed = [*book.representatives[:1], *book.denied_representatives, *book.valid[1:]]
    run.timed += ageing_findings(bench, shots, mixed, sweep.usual_seconds)
    run.timing_seconds = time.monotonic() - started
    run.quick_book = book.without(sweep.is_slow)


class Sweep:
    """Fires the phases and keeps what is needed to judge time: ``slow`` has the requests that were far slower."""

    def __init__(self, run: FuzzRun, bench: LaboratoryBench) -> None:
        self.slow: list[SlowCase] = []
        self.usual_seconds = 0.0
        self._limit = LAMBDA_SECONDS_MAXIMUM
        self._run = run
        self._bench = bench
        self._shots, self._book, self._observer = run.shots, run.book, run.observer
        self._seed = run.settings.corpus.seed
        self._slow_attacks: Counter[str] = Counter()

    def fire(self) -> None:
        """Fire all phases."""
        share = self._run.settings.fuzz.seconds / 10
        for name, phase, seconds in (
            (ALONE, self._alone, 1.5 * share),
            ("sequential", self._sequential, 4 * share),
            ("interleaved", self._interleaved, 1 * share),
            ("repeated", self._repeated, 2.5 * share),
            ("overlapping", self._overlapping, 1 * share),
        ):
            self._run.say(f"  {name}")
            started = time.monotonic()
            before = self._observer.exchanges
            planned = phase(name, started + seconds)
            count = self._observer.exchanges - before
            self._run.phases.append(PhaseRow(name, IN_PROCESS, count, planned, round(time.monotonic() - started, 3)))

    @property
    def workers(self) -> int:
        """How many environments work at the same time: many only where the handler is slow without using a core."""
        return PARALLEL_MAXIMUM if self.usual_seconds > SLOW_SECONDS else 1

    def _alone(self, name: str, deadline: float) -> int:
        """Fire each valid case, and one case of each attack, as the first of a fresh environment."""
        times: list[float] = []
        firsts = list(self._book.valid)
        seen: set[str] = set()
        for index in self._book.attacks:
            mutations = self._shots.meta(index).recipe["mutations"]
            if len(mutations) == 1 and mutations[0][0] not in seen:
                seen.add(mutations[0][0])
                firsts.append(index)
        for place, index in enumerate(firsts):
            if place and time.monotonic() > deadline:
                break
            if self.is_slow(index):
                continue
            shot = self._shots.of(index)
            with self._bench.environment(shot.view) as environment:
                answers = fire_in(environment, [shot, shot] if place < len(self._book.valid) else [shot], self._limit)
            for turn, answer in enumerate(answers):
                self._note(index, answer, name if turn == 0 else "second")
            if place == 0:
                self._limit = min(self._limit, max(SOFT_SECONDS, 3 * sum(answer.handler_seconds for answer in answers)))
            times += [answer.handler_seconds for answer in answers[1:]]
            self.usual_seconds = median(times) if times else 0.0
        return len(firsts) + min(len(firsts), len(self._book.valid))

    def _sequential(self, name: str, deadline: float) -> int:
        """Fire every case in order, valid ones in between, in as few environments as there is time for."""
        # Texts that are there to take long come last: what they cost must not be at the others' expense.
        attacks = sorted(self._book.attacks, key=lambda index: self._shots.meta(index).family == _PATTERNS)
        order = sequential_order(self._book, attacks)
        shares = [order[start :: self.workers] for start in range(self.workers)]
        self._spread(name, shares, deadline)
        return len(order)

    def _interleaved(self, name: str, deadline: float) -> int:
        order = interleaved_order(self._book.without(self.is_slow), _INTERLEAVED_ROUNDS, self._seed)
        self._spread(name, [order], deadline)
        return len(order)

    def _repeated(self, name: str, deadline: float) -> int:
        """Fire a valid and a denied case thousands of times, each in an environment of its own."""
        wanted = [(index, _REPETITIONS) for index in self._book.representatives[:1]]
        wanted += [(index, _DENIED_REPETITIONS) for index in self._book.denied_representatives[:1]]
        wanted += [(index, _DENIED_REPETITIONS // 2) for index in self._book.representatives[1:]]
        planned = sum(times for _, times in wanted)
        for place, (index, times) in enumerate(wanted):
            share = (deadline - time.monotonic()) / (len(wanted) - place)
            each = times // self.workers
            self._spread(name, [[index] * each for _ in range(self.workers)], time.monotonic() + share)
        return planned

    def _overlapping(self, name: str, deadline: float) -> int:
        groups = overlapping_groups(self._book.without(self.is_slow), OVERLAPPING_WIDTH, OVERLAPPING_ROUNDS, self._seed)
        for group in groups:
            if time.monotonic() > deadline:
                break
            answers = self._bench.fire_at_once([self._shots.of(index) for index in group])
            for index, answer in zip(group, answers, strict=True):
                self._note(index, answer, name)
        return sum(map(len, groups))

    def _spread(self, name: str, shares: Sequence[Sequence[int]], deadline: float) -> None:
        """Fire each share in order in an environment of its own, all shares at the same time."""
        if len(shares) == 1:
            self._fire_in_order(name, shares[0], deadline)
            return
        with ThreadPoolExecutor(len(shares)) as pool:
            for done in [pool.submit(self._fire_in_order, name, share, deadline) for share in shares]:
                done.result()

    def _fire_in_order(self, name: str, order: Sequence[int], deadline: float) -> None:
        """Fire cases in one environment, and those without signing in another one beside it."""
        environments: dict[str, IsolatedEnvironment] = {}
        with ExitStack() as stack:
            start = 0
            while start < len(order) and time.monotonic() < deadline:
                batch = _BATCH if self.usual_seconds < SLOW_SECONDS and not self.slow else _BATCH_IF_SLOW
                parts: dict[str, list[int]] = defaultdict(list)
                for index in order[start : start + batch]:
                    if not self.is_slow(index):
                        parts[UNSIGNED_VIEW if self._shots.meta(index).view == UNSIGNED_VIEW else ""].append(index)
                for view, indices in parts.items():
                    if view not in environments:
                        environments[view] = stack.enter_context(self._bench.environment(view))
                    answers = fire_in(environments[view], [self._shots.of(index) for index in indices], self._limit)
                    for index, answer in zip(indices, answers, strict=True):
                        self._note(index, answer, name)
                start += batch

    def _note(self, index: int, answer: Answer, phase: str) -> None:
        seconds = answer.handler_seconds
        stopped = answer.outcome is Outcome.TIMED_OUT
        if stopped or (phase != ALONE and seconds > max(_SLOW_SECONDS, _SLOW_TIMES * self.usual_seconds)):
            self.slow.append(SlowCase(index, self._observer.exchanges + 1))
            keys = [str(key) for key, _ in self._shots.meta(index).recipe["mutations"]]
            if not any(key in self._slow_attacks for key in keys):
                self._slow_attacks.update(keys)
            else:
                # Of several changes together the one that is known to be slow is enough.
                self._slow_attacks.update(key for key in keys if key in self._slow_attacks)
        if not stopped:
            self._observer.record(index, answer, phase)

    def is_slow(self, index: int) -> bool:
        """Say whether a case is known to be slow by now: each further one would cost a second and tell nothing new."""
        keys = [key for key, _ in self._shots.meta(index).recipe["mutations"]]
        if len(self.slow) >= _SLOW_ENOUGH:
            families = {key.partition("/")[0] for key in self._slow_attacks}
            return any(key.partition("/")[0] in families for key in keys)
        return any(self._slow_attacks[key] >= _SLOW_OF_AN_ATTACK for key in keys)
