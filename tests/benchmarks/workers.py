"""What 1, 2 and 4 workers make of the same exchanges and of the same run, how fast they fire, and what a dead one does.

    python -m tests.benchmarks.workers --rounds 5

First the same exchanges are counted by so many workers, sent as workers send them, and merged. Then so many workers
fire the same plan at a scripted authorizer. Then they fire as fast as they can at a static nginx on the same cores. In
the end one of two workers is killed at half time. Needs nginx. Ends with 1 where anything differs that must not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

import psutil

from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.recording.tally import Tally
from gatecrash.reports.run.folder import RunFolder
from tests.benchmarks.firing import Way, gatecrash, measure, opened_sink, prepare, wait_until
from tests.reports.recording_facts import told
from tests.reports.samples import THROTTLED, allow, deny

WORKERS: Final = (1, 2, 4)
EXCHANGES, CASES, RATE = 200_000, 500, 2_000.0
ANSWERS: Final = [allow(), deny(), THROTTLED]
REPORT_SECONDS: Final = 3.0
PROFILE: Final = ("--credentials", "password", "--table", "devices.jsonl", "--cases", "200", "--cache", "cache")
SLOTS: Final = 20
KILLED_SECONDS: Final = 20


def merged(workers: int, exchanges: int) -> tuple[Recording, int]:
    """Count the same exchanges by so many workers; return the recording that their master has, and the bytes sent."""
    rng = Random(1)
    tallies = [
        Tally(worker=number, warm_up=3.0, offered_rate=RATE, secrets_of=lambda _: ()) for number in range(workers)
    ]
    total, sent, reported = Recording(), 0, 0.0
    for number in range(exchanges):
        start, service = number / RATE, rng.lognormvariate(-3.7, 0.5)
        delay = rng.expovariate(2000.0)
        tally = tallies[number % workers]
        tally.add_arrival(start, delay)
        case = number % CASES
        tally.add(case, start, start + delay, start + delay + service, ANSWERS[case % len(ANSWERS)], "")
        if start - reported >= REPORT_SECONDS:
            reported = start
            sent += _report(tallies, total)
    return total, sent + _report(tallies, total)


def _report(tallies: Sequence[Tally], total: Recording) -> int:
    reports = [tally.take().encode() for tally in tallies]
    for report in reports:
        total.add(Recording.decode(report))
    return sum(map(len, reports))


def same_exchanges(exchanges: int = EXCHANGES) -> bool:
    """Print what so many workers make of the same exchanges; returns whether it is the same."""
    print(f"the same {exchanges:,} exchanges, counted by so many workers and merged by a master")
    print(f"{'workers':>8} {'p50 ms':>9} {'p95 ms':>9} {'p99 ms':>9} {'p99.9 ms':>9} {'bytes sent':>12}  recording")
    facts = []
    for workers in WORKERS:
        recording, sent = merged(workers, exchanges)
        facts.append(told(recording))
        response = recording.latencies.total(LatencyKind.RESPONSE_TIME)
        numbers = " ".join(f"{value:9.4f}" for value in response.percentiles((50.0, 95.0, 99.0, 99.9)))
        print(f"{workers:8} {numbers} {sent:12,}  {'the same' if facts[-1] == facts[0] else 'ANOTHER'}")
    return all(one == facts[0] for one in facts)


def run(folder: Path, name: str, *arguments: str) -> tuple[int, Path]:
    done = subprocess.run(
        gatecrash("run", "--name", name, *PROFILE, *arguments),
        cwd=folder,
        env={**os.environ, "AWS_CONFIG_FILE": os.devnull},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    (found,) = (folder / "runs").glob(f"*-{name}")
    return done.returncode, found


def decided(path: Path) -> dict[int, dict[str, int]]:
    """Return how often each case got each outcome."""
    ledger = RunFolder(path).load().recording.ledger
    found: dict[int, dict[str, int]] = {}
    for index, entry in ledger:
        counts = found[index] = {}
        for sighting in entry.sightings:
            counts[sighting.outcome.value] = counts.get(sighting.outcome.value, 0) + sighting.count
    return found


def same_plan(folder: Path) -> bool:
    """Print what so many workers make of the same plan; returns whether the corpus and every decision are the same."""
    print("\nthe same plan, fired by so many workers at a script that answers after 20 ms: 1,000/s for 20 s")
    print(
        f"{'workers':>8} {'exit':>5} {'exchanges':>10} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8}  corpus    decisions"
    )
    seen: list[tuple[Any, ...]] = []
    load = ("--rate", "1000", "--duration", "20", "--warm-up", "2", "--target", "scripted", "--users", "200")
    slow = ("--set", "target.script={latency=0.02}")
    for workers in WORKERS:
        code, path = run(folder, f"plan{workers}", *load, *slow, "--processes", str(workers))
        found = json.loads((path / "stats.json").read_text())
        corpus = json.loads((path / "run.json").read_text())["corpus"]
        digests = corpus["digest"], corpus["content_digest"]
        seen.append((digests, decided(path)))
        (row,) = [one for one in found["latencies"] if one["kind"] == "response_time" and one["outcome"] is None]
        numbers = " ".join(f"{row[name]:8.2f}" for name in ("p50_ms", "p95_ms", "p99_ms"))
        words = ("the same" if mine == first else "ANOTHER" for mine, first in zip(seen[-1], seen[0], strict=True))
        print(f"{workers:8} {code:5} {found['exchanges']:10,} {numbers}  {'  '.join(words)}", flush=True)
    return all(one == seen[0] for one in seen)


def rates(folder: Path, rounds: int, seconds: float, rate: float) -> None:
    """Print how fast so many workers fire at an nginx, which has no core of its own here."""
    cores = ",".join(map(str, range(os.cpu_count() or 1)))
    with opened_sink(folder) as sink:
        at_sink = ("--target", "iot", "--endpoint-url", sink.url, "--region", "us-east-1", "--authorizer", "benchmark")
        load = ("--rate", f"{rate:g}", "--duration", "60", "--users", str(SLOTS), "--set", "load.patience=0.2")
        run = gatecrash("run", "--name", "rate", *at_sink, *PROFILE, *load, "--client", "wire", "--processes")
        ways = [Way(f"{workers}", [*run, str(workers)]) for workers in WORKERS]
        for _ in range(rounds):
            for way in ways:
                measure(way, sink, folder, seconds, cores)
    print(f"\nas fast as they can at an nginx on one of {os.cpu_count()} cores; medians of {rounds} interleaved rounds")
    print(f"{'workers':>8} {'requests/s':>12} {'lowest':>10} {'highest':>10} {'CPU us each':>12}  ratio")
    for way in ways:
        ratio = median(mine / one for mine, one in zip(way.rates, ways[0].rates, strict=True))
        print(
            f"{way.name:>8} {median(way.rates):12,.0f} {min(way.rates):10,.0f} {max(way.rates):10,.0f} "
            f"{median(way.microseconds):12.1f}  {ratio:.2f}"
        )


def killed(folder: Path) -> bool:
    """Kill one of two workers at half time, and print what the run says of it; returns whether it is never green."""
    load = (
        "--rate",
        "500",
        "--duration",
        f"{KILLED_SECONDS}",
        "--warm-up",
        "0",
        "--target",
        "scripted",
        "--processes",
        "2",
    )
    process = subprocess.Popen(
        gatecrash("run", "--name", "killed", *PROFILE, *load), cwd=folder, stdout=subprocess.PIPE, text=True
    )
    wait_until(lambda: any(state["elapsed"] >= KILLED_SECONDS / 2 for state in _states(folder)))
    victim = _workers(process.pid)[-1]
    os.kill(victim, signal.SIGKILL)
    output, _ = process.communicate()
    (path,) = (folder / "runs").glob("*-killed")
    print(f"\none of two workers, process {victim}, is killed at half time: exit code {process.returncode}")
    named = [line.strip() for line in output.splitlines() if f"process {victim})" in line]
    print("\n".join(f"  {line}" for line in named))
    in_page = f"process {victim})" in (path / "report.html").read_text()
    print(f"  {'named' if in_page else 'NOT named'} in report.html")
    return process.returncode == 4 and bool(named) and in_page


def _states(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text())["state"] for path in (folder / "runs").glob("*-killed/recording.json")]


def _workers(process_id: int) -> list[int]:
    """Return the processes that fire: what Locust's master forked."""
    family = psutil.Process(process_id).children(recursive=True)
    locusts = [one for one in family if "locust" in " ".join(one.cmdline())]
    forked = [one.pid for one in locusts if one.ppid() in {other.pid for other in locusts}]
    return sorted(forked)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="measured in each round, for each number of workers")
    parser.add_argument("--rate", type=float, default=60_000.0, help="planned: more than they can fire")
    given = parser.parse_args(arguments)
    if None in (shutil.which("nginx"), shutil.which("taskset")):
        parser.error("there is no nginx or no taskset on the PATH")
    kept = same_exchanges()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        kept = same_plan(folder) and kept
        rates(folder, given.rounds, given.seconds, given.rate)
        kept = killed(folder) and kept
    print(f"\n{'all as it must be' if kept else 'NOT as it must be'}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
