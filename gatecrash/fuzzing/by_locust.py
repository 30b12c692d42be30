"""The phases that Locust fires, at the embedded gateway or at AWS."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Final

from gatecrash.bench.opening import BENCH_SHARE, is_python_handler, request_budget, request_rate
from gatecrash.fuzzing.fuzz_run import FuzzRun
from gatecrash.fuzzing.schedules import CaseBook, interleaved_order, sequential_order
from gatecrash.reports.plan.facts import AWS_KINDS
from gatecrash.reports.plan.plan import Phase, Plan
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.run.campaign import PhaseRow
from gatecrash.reports.run.folder import RUN, RunFolder
from gatecrash.running.locust_process import LOG
from gatecrash.running.run import fire, start_gateway
from gatecrash.settings.settings import Settings
from gatecrash.settings.targets import target_settings

_SLOTS: Final = 16
_FOLDER: Final = "phases"
_SUSTAINED_RATE: Final = 60.0
_CONCURRENT_CASES: Final = 600
_REPEATED_TIMES: Final = 600


def locust_phases(settings: Settings, book: CaseBook) -> tuple[Phase, ...]:
    """Return the phases for Locust: only those that need a gateway, where a handler was called without one before."""
    rng = Random(f"phases:{settings.corpus.seed}")
    mixed = [*book.valid, *rng.sample(book.denied, min(len(book.denied), len(book.valid)))] or [*book.attacks]
    concurrent = [rng.choice(mixed) for _ in range(_CONCURRENT_CASES)]
    seconds, rate = settings.fuzz.gateway_seconds, request_rate(settings)
    sustained = [rng.choice(mixed) for _ in range(int((rate or _SUSTAINED_RATE) * seconds / 2))]
    if not seconds:
        return ()
    if is_python_handler(settings):
        half = seconds / 2
        return (
            Phase("concurrent", tuple(concurrent), _SLOTS, half, rate),
            Phase("sustained", tuple(sustained), _SLOTS, half, rate or _SUSTAINED_RATE),
        )
    repeated = [
        index for index in (*book.representatives, *book.denied_representatives[:1]) for _ in range(_REPEATED_TIMES)
    ]
    orders = (
        ("sequential", sequential_order(book, book.attacks), 1, 0.5),
        ("repeated", _taking_turns(repeated, settings.corpus.seed), 1, 0.2),
        ("interleaved", interleaved_order(book, 20, settings.corpus.seed), 1, 0.1),
        ("concurrent", concurrent, _SLOTS, 0.1),
        ("sustained", sustained, _SLOTS, 0.1),
    )
    budget = int((1 - BENCH_SHARE) * request_budget(settings))
    total = budget / rate if rate else settings.fuzz.seconds + seconds
    return tuple(
        Phase(
            name,
            tuple(order[: int(budget * share)]),
            concurrency,
            # The rate is a bound, not a promise: slow answers must not cut the cases of a phase short.
            2 * total * share if rate else total * share,
            rate or (_SUSTAINED_RATE if name == "sustained" else None),
        )
        for name, order, concurrency, share in orders
    )


def _taking_turns(repeated: Sequence[int], seed: int) -> list[int]:
    """Mix repetitions, so that whatever part of them is fired has some of each."""
    order = list(repeated)
    Random(f"repeated:{seed}").shuffle(order)
    return order


def fire_with_locust(run: FuzzRun) -> None:
    """Fire phases by Locust, where the target is one that Locust fires at.

    Raises UsageError when the gateway or Locust can't start.
    """
    settings = run.settings
    phases = () if settings.target.kind == "handler" else locust_phases(settings, run.quick_book)
    if not phases:
        return
    run.say(f"  {', '.join(phase.name for phase in phases)} (Locust)")
    folder = RunFolder(run.folder.path / _FOLDER)
    folder.path.mkdir()
    plan = Plan(
        run_folder=str(folder.path.resolve()),
        corpus=str(run.shots.corpus.folder.resolve()),
        target=target_settings(settings),
        seed=settings.corpus.seed,
        users=_SLOTS,
        phases=phases,
        info=run.folder.read_info(),
    )
    gateway, plan = start_gateway(plan)
    try:
        ended = fire(plan, settings.load.processes, gateway, run.console, folder, "fuzz")
    finally:
        if gateway is not None:
            gateway.close()
    if not (folder.path / RUN).exists():
        # A signal came before Locust began.
        folder.write_info(run.folder.read_info())
    stored = folder.load()
    _keep_log(folder.path, run.folder.path)
    run.observer.recording.add(stored.recording)
    run.state = replace(stored.state, **ended)
    run.phases += _rows(settings, phases, stored.recording)


def _keep_log(inner: Path, outer: Path) -> None:
    """Keep what Locust complained of, and nothing else of its folder."""
    if (inner / LOG).exists():
        (inner / LOG).rename(outer / LOG)
    shutil.rmtree(inner)


def _rows(settings: Settings, phases: tuple[Phase, ...], recording: Recording) -> list[PhaseRow]:
    where = "aws" if settings.target.kind in AWS_KINDS and settings.target.endpoint_url is None else "gateway"
    counts = Counter[str]()
    for _, entry in recording.ledger:
        for sighting in entry.sightings:
            counts.update(sighting.phases)
    return [PhaseRow(phase.name, where, counts[phase.name], len(phase.cases), phase.seconds) for phase in phases]
