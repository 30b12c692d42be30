"""Two versions of an authorizer under the same requests, by turns, so that what disturbs one disturbs the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Final

from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.redact import secrets_of
from gatecrash.authorizers.targets.protocol import Target
from gatecrash.generators.corpus import Corpus
from gatecrash.judging.baselines import with_baseline
from gatecrash.judging.comparisons import limits_of
from gatecrash.planning.corpora import facts_of, facts_to_judge_by
from gatecrash.planning.plans import run_info
from gatecrash.reports.comparison.compare import ComparedRun, Known, compare
from gatecrash.reports.comparison.comparison import Comparison
from gatecrash.reports.oracles.checks import judge
from gatecrash.reports.plan.facts import PlanFacts
from gatecrash.reports.plan.plan import CLOSED
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.records import Exchange
from gatecrash.reports.run.folder import RunState, StoredRun
from gatecrash.reports.run.summary import summarise
from gatecrash.settings.settings import Settings
from gatecrash.settings.targets import open_target_of

# Where both versions are disturbed alike, smaller changes of latency can be told than between two runs.
LATENCY_MS: Final = 0.2
_WARM_UP_PAIRS: Final = 20
# Every measured second follows the one of the warm-up.
_FIRST_SECOND: Final = 1

_Place = tuple[Target, Recording]


def check_live(settings: Settings) -> None:
    """Raise UsageError for settings under which two handlers can't be compared."""
    if settings.target.kind != "local":
        raise UsageError(
            f"--with compares two handlers behind the embedded gateway, but target.kind is {settings.target.kind}: "
            "leave --target out, or compare two run folders"
        )
    if settings.authorizer.command is not None:
        raise UsageError("--with compares two handlers, but authorizer.command names a command: use --handler")


def compare_live(
    settings: Settings,
    other: str,
    corpus: Corpus,
    seconds: float,
    progress: Callable[[float], None] = lambda _: None,
) -> Comparison:
    """Fire a corpus at the handler of the settings and at an ``other`` one, and compare them.

    Each case goes to both before the next one, in alternating order, for so many seconds and at least once.
    ``progress`` is told the seconds that have passed. Raises UsageError when one of the handlers can't be started.
    """
    later = settings.model_copy(update={"authorizer": settings.authorizer.model_copy(update={"handler": other})})
    with ExitStack() as stack:
        targets = [stack.enter_context(open_target_of(version, connections=1)) for version in (settings, later)]
        places: list[_Place] = [(target, Recording()) for target in targets]
        elapsed = _fire(places, corpus, seconds, progress)
    parts = [
        _part(version, corpus, recording, elapsed)
        for version, (_, recording) in zip((settings, later), places, strict=True)
    ]
    known = Known(partial(facts_to_judge_by, corpus), partial(facts_of, corpus))
    limits = limits_of(settings)
    if "latency_ms" not in settings.compare.model_fields_set:
        limits = replace(limits, latency_ms=LATENCY_MS)
    return compare(parts[0], parts[1], limits, known, policies=settings.compare.policies == "judged", paired=True)


def _fire(places: list[_Place], corpus: Corpus, seconds: float, progress: Callable[[float], None]) -> float:
    """Fire pairs until the time is over and every case was fired; returns how many seconds that took."""
    for number in range(_WARM_UP_PAIRS):
        for target, recording in places:
            _fire_case(target, recording, corpus, number % len(corpus), 0.0, warm_up=True)
    began = time.perf_counter()
    for number in count():
        elapsed = time.perf_counter() - began
        if elapsed >= seconds and number >= len(corpus):
            break
        progress(elapsed)
        case, turn = number % len(corpus), number // len(corpus)
        # Whoever goes first may find caches cold: both do so equally often, also for each case.
        order = places if (case + turn) % 2 == 0 else places[::-1]
        for target, recording in order:
            _fire_case(target, recording, corpus, case, _FIRST_SECOND + elapsed, warm_up=False)
    return elapsed


def _fire_case(target: Target, recording: Recording, corpus: Corpus, case: int, start: float, *, warm_up: bool) -> None:
    request = corpus.request(case)
    sent = time.perf_counter()
    answer = target.invoke(request)
    took = time.perf_counter() - sent
    # Both of a pair belong to the same second, so that what disturbed it counts for both.
    exchange = Exchange(case, start, start, start + took, answer, warm_up)
    recording.add_exchange(exchange, partial(secrets_of, request))


def _part(settings: Settings, corpus: Corpus, recording: Recording, elapsed: float) -> ComparedRun:
    plan = PlanFacts(settings.load.processes, "by turns", model=CLOSED, users=1, duration=elapsed)
    info = run_info(settings, corpus, plan).starting_now()
    found = judge(recording.ledger, partial(facts_to_judge_by, corpus), partial(facts_of, corpus))
    run = StoredRun(info, RunState(elapsed=elapsed, complete=True), recording, with_baseline(found, [], info))
    return ComparedRun(summarise(run), recording, str(settings.authorizer.handler))
