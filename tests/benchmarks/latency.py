"""How true the latencies of a run are, at several loads, against a server whose delays are known.

The server (``delaying_server.c``, compiled when this starts) has a core of its own, answers after log-normal delays,
and keeps when it got and answered each request, by the clock that gatecrash uses too. So the true service times are
known, and the true response times: with slots enough an arrival waits for nothing but a stall of the server::

    python -m tests.benchmarks.latency --rounds 5

The loads are parts of the most that one core fires at this server, found anew in each round, since machines are faster
at one time than at another. Needs a C compiler and two cores.
Ends with 1 where a median error up to 80 % is above 5 %, or a run with a larger error calls itself valid.
"""

from __future__ import annotations

import argparse
import array
import json
import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.benchmarks.firing import ANSWER, DESCRIPTION, FIRING_CORE, SINK_CORE, gatecrash

MEDIAN_SECONDS, SIGMA = 0.008, 0.5
STALL_SECONDS, STALL_LOAD = 1.0, 0.2
# What waits opens a connection each; the kernel keeps 4,096 for a server that stalls, and lets the others knock again.
WAIT_AT_MOST = 3000
ALLOWED, ALLOWED_TO = 0.05, 0.8
PERCENTS = (50.0, 99.0, 99.9)
MEMBERS = ("p50_ms", "p99_ms", "p99_9_ms")
KINDS = ("service_time", "response_time")
WARM_UP = 2.0
FAR_MORE = 60_000.0
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
SOURCE = Path(__file__).with_name("delaying_server.c")
PROFILE = ("--credentials", "password", "--table", "devices.jsonl", "--cases", "200", "--cache", "cache")

# Milliseconds by kind and percentile.
Percentiles = dict[str, list[float]]


@dataclass
class Load:
    """A load, and what was seen of it in each round: errors are shares, signed."""

    name: str
    part: float
    stall: bool = False
    errors: dict[str, list[list[float]]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    validities: list[str] = field(default_factory=list)
    reasons: set[str] = field(default_factory=set)

    def add(self, truth: Percentiles, measured: Percentiles, validity: dict[str, list[str] | str]) -> None:
        for kind in KINDS:
            pairs = zip(truth[kind], measured[kind], strict=True)
            self.errors[kind].append([seen / true - 1 for true, seen in pairs])
        self.validities.append(str(validity["word"]))
        self.reasons.update(validity["reasons"])

    def median_error(self, kind: str, place: int) -> float:
        return median(errors[place] for errors in self.errors[kind])

    @property
    def worst_by_round(self) -> list[float]:
        return [
            max(abs(error) for kind in KINDS for error in self.errors[kind][number])
            for number in range(len(self.validities))
        ]


@contextmanager
def delaying_server(folder: Path, stall_at: float = -1.0, stall_seconds: float = 0.0) -> Iterator[str]:
    """Run the server and give its URL; ``delays`` in the folder is what it kept, once it has ended."""
    numbers = (str(MEDIAN_SECONDS), str(SIGMA), str(stall_at), str(stall_seconds))
    with subprocess.Popen(
        ["taskset", "-c", SINK_CORE, folder / "server", "answer", "description", "delays", *numbers],
        cwd=folder,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()
            process.wait()


def prepare(folder: Path) -> None:
    """Compile the server; write its answers, and the table of devices."""
    subprocess.run(["cc", "-O2", "-o", folder / "server", SOURCE, "-lm"], check=True)
    for name, value in (("answer", ANSWER), ("description", DESCRIPTION)):
        body = json.dumps(value)
        (folder / name).write_bytes((HEAD.format(len(body)) + body).encode())
    rows = [{"username": f"device{i}", "password": f"a-password-{i:08}", "client_id": f"client{i}"} for i in range(200)]
    (folder / "devices.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")


def run(folder: Path, url: str, rate: float, seconds: float, users: int, *more: str) -> dict[str, object]:
    """Fire, and return stats.json."""
    at_server = ("--target", "iot", "--endpoint-url", url, "--region", "us-east-1", "--authorizer", "benchmark")
    load = ("--rate", f"{rate:g}", "--duration", f"{seconds:g}", "--warm-up", f"{WARM_UP:g}", "--users", str(users))
    command = gatecrash("run", *at_server, "--client", "wire", *PROFILE, *load, *more)
    done = subprocess.run(
        ["taskset", "-c", FIRING_CORE, *command], cwd=folder, capture_output=True, text=True, check=False
    )
    found = sorted((folder / "runs").glob("*/stats.json"), key=lambda path: path.stat().st_mtime)
    if done.returncode not in {0, 3, 4} or not found:
        raise SystemExit(f"gatecrash ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    stats: dict[str, object] = json.loads(found[-1].read_bytes())
    shutil.rmtree(folder / "runs")
    return stats


def true_percentiles(
    log: Path, rate: float, stats: dict[str, object], stall_at: float | None, stall_seconds: float
) -> Percentiles:
    """Return the percentiles of what the server did, of those requests that were measured.

    Requests are sent in the order of their arrivals, so the n-th that came is the n-th arrival, and the schedule
    began when the least late of them says. What was due in the stall waited for its end.
    """
    stamps = array.array("q", log.read_bytes())
    # After a stall they are read in another order than they came.
    pairs = sorted(zip(stamps[0::2], stamps[1::2], strict=True))
    read, answered = [moment for moment, _ in pairs], [end for _, end in pairs]
    if len(read) != int(stats["exchanges"]) + int(stats["warm_up_exchanges"]):  # type: ignore[call-overload]
        raise SystemExit(f"the server read {len(read)} requests, which is not what the run counts")
    due = [number / rate * 1e9 for number in range(len(read))]
    start = min(moment - intended for moment, intended in zip(read, due, strict=True))
    stalled = (read[0] + stall_at * 1e9, read[0] + (stall_at + stall_seconds) * 1e9) if stall_at is not None else (0, 0)
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for intended, moment, end in zip(due, read, answered, strict=True):
        if intended < WARM_UP * 1e9:
            continue
        begin = min(moment, start + intended) if stalled[0] <= start + intended < stalled[1] else moment
        times["service_time"].append(end - moment)
        times["response_time"].append(end - begin)
    if stall_at is not None:
        # With slots enough every request is on its way when it is due: the stall is in both.
        times["service_time"] = times["response_time"]
    for values in times.values():
        values.sort()
    return {
        kind: [values[math.ceil(len(values) * percent / 100) - 1] / 1e6 for percent in PERCENTS]
        for kind, values in times.items()
    }


def measured_percentiles(stats: dict[str, object]) -> Percentiles:
    rows = stats["latencies"]
    assert isinstance(rows, list)
    return {row["kind"]: [row[member] for member in MEMBERS] for row in rows if row["outcome"] is None}


def measure(load: Load, folder: Path, maximum: float, seconds: float, users: int) -> None:
    rate = float(round(load.part * maximum))
    stall_at = WARM_UP + seconds / 3 if load.stall else None
    stall_seconds = min(STALL_SECONDS, WAIT_AT_MOST / rate)
    # In a stall each arrival needs a slot.
    slots = users + (int(rate * (stall_seconds + 0.5)) if load.stall else 0)
    with delaying_server(folder, -1.0 if stall_at is None else stall_at, stall_seconds) as url:
        stats = run(folder, url, rate, seconds, slots, "--set", "load.patience=20")
    truth = true_percentiles(folder / "delays", rate, stats, stall_at, stall_seconds)
    load.add(truth, measured_percentiles(stats), stats["validity"])  # type: ignore[arg-type]


def found_maximum(folder: Path, seconds: float, users: int) -> float:
    """Return how many arrivals a second are fired when more are due.

    Dropping what comes too late takes time too: far more is planned only to learn how much is a little more.
    """
    found, planned = 0.0, FAR_MORE
    for _ in range(3):
        with delaying_server(folder) as url:
            # What comes too late is dropped: it would be fired in somebody else's time.
            stats = run(folder, url, planned, seconds, users, "--set", "load.patience=0.2")
        found = float(stats["achieved_rate"])  # type: ignore[arg-type]
        planned = 1.25 * found
    return found


def show(load: Load, maximum: float) -> None:
    words = ", ".join(f"{load.validities.count(word)} {word}" for word in sorted(set(load.validities)))
    for kind in KINDS:
        errors = "".join(f"{100 * load.median_error(kind, place):+9.1f} %" for place in range(len(PERCENTS)))
        label, rate = (load.name, f"{load.part * maximum:,.0f}") if kind == KINDS[0] else ("", "")
        print(f"{label:20}{rate:>9}  {kind.replace('_', ' '):14}{errors}   {words if kind == KINDS[0] else ''}")


def shortcomings(loads: Sequence[Load]) -> list[str]:
    """Return what the benchmark must not find."""
    found = []
    for load in loads:
        medians = [abs(load.median_error(kind, place)) for kind in KINDS for place in range(len(PERCENTS))]
        if load.part <= ALLOWED_TO and max(medians) > ALLOWED:
            found.append(f"{load.name}: a median error of {max(medians):.1%}")
        pairs = zip(load.worst_by_round, load.validities, strict=True)
        if silent := [worst for worst, word in pairs if worst > ALLOWED and word == "valid"]:
            found.append(f"{load.name}: {len(silent)} runs call themselves valid with errors up to {max(silent):.1%}")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=12.0, help="measured in each run, after its warm-up")
    parser.add_argument("--users", type=int, default=1000, help="slots: as many requests may be in flight")
    parser.add_argument(
        "--maximum", type=float, default=0.0, help="arrivals a second that a core fires (default: find)"
    )
    parser.add_argument("--parts", type=float, nargs="*", default=[0.2, 0.5, 0.8, 0.95], help="of the maximum")
    parser.add_argument("--reasons", action="store_true", help="also print what the runs say of their validity")
    given = parser.parse_args(arguments)
    missing = [program for program in ("cc", "taskset") if shutil.which(program) is None]
    if missing:
        parser.error(f"there is no {' and no '.join(missing)} on the PATH")
    loads = [Load(f"{part:.0%} of the maximum", part) for part in given.parts]
    loads.append(Load(f"{STALL_LOAD:.0%}, server stalls", STALL_LOAD, stall=True))
    with tempfile.TemporaryDirectory() as name:
        folder, maxima = Path(name), list[float]()
        prepare(folder)
        for _ in range(given.rounds):
            maxima.append(given.maximum or found_maximum(folder, given.seconds / 2, given.users))
            for load in loads:
                measure(load, folder, maxima[-1], given.seconds, given.users)
    maximum = median(maxima)
    print(
        f"one core fires, one delays (log-normal, median {1000 * MEDIAN_SECONDS:g} ms, sigma {SIGMA:g}); the most that "
        f"one core fires here: {maximum:,.0f} a second ({min(maxima):,.0f} to {max(maxima):,.0f});\nmedian errors of "
        f"{given.rounds} interleaved rounds of {given.seconds:g} s"
    )
    print(f"{'':20}{'rate':>9}  {'':14}{'p50':>9}  {'p99':>9}  {'p99.9':>9}     validity")
    for load in loads:
        show(load, maximum)
        for reason in sorted(load.reasons) if given.reasons else ():
            print(f"    {reason}")
    found = shortcomings(loads)
    print("\n".join(found) or "no error above 5 % up to 80 % of the maximum, and none above that without being told")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
