"""What a worker reads and keeps, measured in a process of its own: see ``tests.benchmarks.corpus``."""

from __future__ import annotations

import gc
import itertools
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from gatecrash.authorizers.contract import Answer, Decision, Expectation, Fault, Invocation, Outcome
from gatecrash.generators.corpus import Corpus
from gatecrash.reports.plan.facts import CorpusFacts, PlanFacts, RunInfo, TargetFacts
from gatecrash.reports.recording import codec
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.tally import Tally
from gatecrash.reports.run.folder import RunFolder, RunState

MEGABYTE = 1_000_000
RATE = 30_000
TICK_SECONDS = 0.5
POLICY = '{"Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:*:*:client/${iot:ClientId}"}]}'
ALLOWED = Answer(Outcome.ALLOW, Decision(True, "device", (POLICY,), 300, 86400))
DENIED = Answer(Outcome.DENY, Decision(False, "device", (), 300, 86400))
THROTTLED = Answer(Outcome.THROTTLED, fault=Fault("ThrottlingException", "Rate exceeded"))
BROKEN = Answer(Outcome.HANDLER_ERROR, fault=Fault("InternalFailureException", "", "KeyError"))


def in_a_process_of_its_own(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of this module where nothing else has been kept; all that goes in and out is JSON."""
    command = [sys.executable, "-m", "tests.benchmarks.keeping", function.__name__, json.dumps(arguments, default=str)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def private_megabytes() -> float:
    """This process's private memory, clean and dirty, as Linux counts it; not a number elsewhere."""
    try:
        text = Path("/proc/self/smaps_rollup").read_text()
    except OSError:
        return math.nan
    rows = [line.split() for line in text.splitlines()[1:]]
    return sum(int(row[1]) for row in rows if row[0] in {"Private_Clean:", "Private_Dirty:"}) * 1024 / MEGABYTE


def microseconds(read: Callable[[int], object], indices: list[int]) -> float:
    started = time.perf_counter()
    for index in indices:
        read(index)
    return (time.perf_counter() - started) / len(indices) * 1e6


def reading(folder: str, accesses: int) -> dict[str, tuple[float, float]]:
    """Microseconds of each way to read a case, one after the other and in any order; opening is in milliseconds."""
    started = time.perf_counter()
    corpus = Corpus(Path(folder))
    opened = (time.perf_counter() - started) * 1e3
    in_order = [index % len(corpus) for index in range(accesses)]
    rng = Random(1)
    in_any_order = [rng.randrange(len(corpus)) for _ in range(accesses)]
    ways = {
        "body": corpus.body,
        "family and expectation": corpus.family_and_expectation,
        "request": corpus.request,
        "everything but the request": corpus.meta,
    }
    for way in (corpus.body, corpus.meta):  # the files come into the system's cache
        microseconds(way, in_order)
    found = {name: (microseconds(way, in_order), microseconds(way, in_any_order)) for name, way in ways.items()}
    return {"opening, in ms": (opened, opened), **found}


def keeping(corpus_folder: str, run_folder: str) -> dict[str, float]:
    """Record every case once, as the only process of a run does, and write the run folder.

    Memory is in megabytes, times are in milliseconds.
    """
    # What every worker has loaded.
    import gatecrash.locustfiles  # noqa: F401
    from gatecrash.authorizers.targets.iot_wire import IotWireTarget  # noqa: F401

    gc.collect()
    base = private_megabytes()
    corpus = Corpus(Path(corpus_folder))
    tally, total = Tally(worker=0, warm_up=5.0, offered_rate=RATE, secrets_of=lambda _: ()), Recording()
    opened = private_megabytes()
    expected = {Expectation.ALLOW: ALLOWED, Expectation.DENY: DENIED}
    gathering = 0.0
    for number in range(len(corpus)):
        now = number / RATE
        corpus.body(number)
        _, expectation = corpus.family_and_expectation(number)
        answer = THROTTLED if number % 97 == 0 else expected[expectation]
        tally.add(number, now, now, now + 0.001 + number % 89 / 1e5, answer, "")
        if number % int(RATE * TICK_SECONDS) == 0:
            started = time.perf_counter()
            corpus.release()
            total.add(tally.take())
            gathering = max(gathering, time.perf_counter() - started)
    total.add(tally.take())
    fired = private_megabytes()
    folder = RunFolder(Path(run_folder))
    folder.write_info(info_of(corpus))
    steps = Steps()
    folder.checkpoint(total, RunState(complete=True), steps)
    steps()
    assert len(total.ledger) == len(corpus)
    return {
        "base": base,
        "opened": opened,
        "fired": fired,
        "written": private_megabytes(),
        "gathering": gathering * 1e3,
        "checkpoint": sum(steps.milliseconds),
        "longest_step": max(steps.milliseconds),
    }


class Steps:
    """Called in the pauses of something, it keeps how long the work between them took."""

    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        self._resumed = time.perf_counter()

    def __call__(self) -> None:
        self.milliseconds.append((time.perf_counter() - self._resumed) * 1e3)
        self._resumed = time.perf_counter()


def info_of(corpus: Corpus) -> RunInfo:
    facts = codec.from_json({**asdict(corpus.manifest), "folder": str(corpus.folder)}, CorpusFacts)
    plan = PlanFacts(rate=float(RATE), duration=len(corpus) / RATE, warm_up=5.0)
    versions = {"python": sys.version.split()[0]}
    started = datetime.now(UTC).isoformat(timespec="seconds")
    return RunInfo("benchmark", started, corpus.manifest.seed, plan, TargetFacts("benchmark"), facts, versions)


def judging(run_folder: str) -> tuple[float, float]:
    """Judge and render a run; returns the seconds, and the most memory in megabytes."""
    from gatecrash.judging.judge import judge_and_render

    started = time.perf_counter()
    summary = judge_and_render(RunFolder(Path(run_folder))).summary
    assert not summary.findings, [finding.rule.code for finding in summary.findings]
    seconds = time.perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGABYTE


def exchanging(exchanges: int, cases: int, seconds: float, marks: int) -> list[tuple[int, float]]:
    """Record exchanges of some cases over a simulated time; returns the private megabytes at equal distances."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = RunFolder(Path(name))
        for number, total in recorded(exchanges, cases, seconds, marks):
            folder.checkpoint(total, RunState())
            found.append((number, private_megabytes()))
    return found


def recorded(exchanges: int, cases: int, seconds: float, marks: int) -> Iterator[tuple[int, Recording]]:
    """Record exchanges of some cases over a simulated time, and yield the recording at equal distances."""
    rng = Random(1)
    environments = [f"environment-{number}" for number in range(4)]
    answers = [ALLOWED] * 80 + [DENIED] * 14 + [THROTTLED] * 3 + [BROKEN] * 1
    answers += [replace(ALLOWED, invocation=Invocation(name, False, 0.001)) for name in environments]
    latencies = [rng.lognormvariate(-6.0, 0.8) for _ in range(50_021)]
    tally = Tally(worker=0, warm_up=5.0, offered_rate=exchanges / seconds, secrets_of=lambda _: ())
    total, gathered = Recording(), 0.0
    drawn = zip(range(1, exchanges + 1), itertools.cycle(answers), itertools.cycle(latencies), strict=False)
    for number, answer, latency in drawn:
        now = number * seconds / exchanges
        case = number % cases
        tally.add_planned(now)
        tally.add(case, now, now, now + latency, DENIED if case % 10 == 0 else answer, "")
        is_mark = number % (exchanges // marks) == 0
        if now - gathered >= TICK_SECONDS or is_mark:
            gathered = now
            total.add(tally.take())
        if is_mark:
            yield number, total
    assert sum(total.outcomes.values()) + total.warm_up_exchanges == exchanges // marks * marks


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*json.loads(sys.argv[2]))))
