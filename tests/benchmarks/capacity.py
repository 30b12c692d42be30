"""How near a capacity search comes: real searches by the real command at scripted authorizers of known capacity.

    python -m tests.benchmarks.capacity --searches 10 --jobs 4

Each search is a process of its own with Locust and clocks; only the authorizer is scripted.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from gatecrash.authorizers.targets.scripted import Limits, Script

WIDTH_MAXIMUM: Final = 0.15
LATENCY: Final = 0.25


@dataclass(frozen=True)
class Authorizer:
    """A scripted authorizer and the rate that it holds."""

    kind: str
    script: Script
    truth: float


@dataclass(frozen=True)
class Found:
    """What a search found."""

    authorizer: Authorizer
    low: float | None
    high: float | None
    seconds: float
    requests: int
    word: str

    @property
    def width(self) -> float | None:
        if not self.low or not self.high:
            return None
        return (self.high - self.low) / (self.high + self.low) * 2

    @property
    def right(self) -> bool:
        return self.low is not None and self.high is not None and self.low <= self.authorizer.truth <= self.high


def queue(rng: Random) -> Authorizer:
    """So many at a time, each of which takes so long."""
    rate, latency = rng.uniform(50, 300), rng.uniform(0.02, 0.1)
    concurrency = max(2, round(rate * latency))
    script = Script(latency=latency, concurrency=concurrency)
    return Authorizer("concurrency", script, concurrency / latency)


def bucket(rng: Random) -> Authorizer:
    """A token bucket."""
    rate = rng.uniform(50, 300)
    return Authorizer("token bucket", Script(latency=0.02, bucket_rate=rate, bucket_burst=rng.uniform(5, 300)), rate)


def wrong(rng: Random) -> Authorizer:
    """Goes wrong above a rate."""
    rate = rng.uniform(50, 300)
    script = Script(latency=0.02, wrong_above=rate, wrong_share=rng.uniform(0.02, 0.3))
    # The script counts whole requests within two seconds, of which there may be one more than twice the rate.
    return Authorizer("goes wrong", script, int(2 * rate) / 2)


def slow(rng: Random) -> Authorizer:
    """Slows with the number of requests in flight."""
    rate, latency = rng.uniform(50, 300), rng.uniform(0.01, 0.04)
    # From rate = (1 - latency / objective) / (latency x slowdown), which leaves out that requests are whole numbers.
    script = Script(latency=latency, slowdown=(1 - latency / LATENCY) / (latency * rate))
    return Authorizer("slows down", script, highest_in_the_long_run(script))


def highest_in_the_long_run(script: Script, seconds: float = 60.0) -> float:
    """Return the highest rate at which 95 % of a minute's calls, after a minute, take no longer than the objective."""
    low, high = 1.0, 3000.0
    while high / low > 1.0005:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if _holds(script, middle, seconds) else (low, middle)
    return low


def _holds(script: Script, rate: float, seconds: float) -> bool:
    limits, taken = Limits(script), []
    for number in range(int(2 * seconds * rate)):
        now = number / rate
        admission = limits.admit(now)
        assert admission is not None
        if admission.seconds > 20 * LATENCY:
            return False
        if now > seconds:
            taken.append(admission.seconds)
    return sorted(taken)[int(0.95 * len(taken))] <= LATENCY


KINDS: Final[Mapping[str, Callable[[Random], Authorizer]]] = {
    kind.__name__: kind for kind in (queue, bucket, wrong, slow)
}


def search(authorizer: Authorizer, more: list[str]) -> Found:
    """Search by the real command and read what it found."""
    script = ", ".join(f"{name} = {value!r}" for name, value in asdict(authorizer.script).items() if value is not None)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "devices.csv"
        table.write_text("username,password\n" + "".join(f"dev{n},secret-{n:04}\n" for n in range(10)))
        command = [
            *(sys.executable, "-m", "gatecrash", "capacity", "--target", "scripted"),
            *("--set", f"target.script={{{script}}}", "--credentials", "password", "--table", str(table)),
            *("--set", "corpus.valid_share=1", "--cases", "50", "--latency", str(LATENCY), "--cache", folder),
            *("--runs", folder, "--name", "search", *more),
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        found = list(Path(folder).glob("*-search/stats.json"))
        if not found:
            raise RuntimeError(done.stdout + done.stderr)
        value: dict[str, Any] = json.loads(found[0].read_text())
    capacity = value["capacity"]
    return Found(
        authorizer,
        capacity["low"],
        capacity["high"],
        value["state"]["elapsed"],
        value["exchanges"],
        value["validity"]["word"],
    )


def show(kind: str, found: list[Found]) -> None:
    """Print a kind's searches, and a line about all of them."""
    for one in found:
        ends = f"{one.low or 0:8.1f} .. {one.high or 0:8.1f}"
        width = f"{100 * one.width:5.1f} %" if one.width is not None else "      -"
        mark = "in" if one.right else "OUT"
        print(
            f"{kind:<13} {one.authorizer.truth:8.1f}   {ends}  {width}  {mark:<4} {one.seconds:6.0f} {one.requests:9,}"
            f"  {one.word}",
            flush=True,
        )
    widths = [one.width for one in found if one.width is not None]
    print(
        f"{kind:<13} true value inside {sum(one.right for one in found)} of {len(found)}; width at most "
        f"{100 * max(widths, default=0):.1f} %; median {statistics.median(one.seconds for one in found):.0f} s and "
        f"{statistics.median(one.requests for one in found):,.0f} requests",
        flush=True,
    )


def main() -> int:
    """Run the searches; the exit code is 1 where too few are right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--searches", type=int, default=10, help="searches of each kind")
    parser.add_argument("--jobs", type=int, default=4, help="searches at a time; each takes a tenth of a core")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS), help="kinds of authorizers")
    options, more = parser.parse_known_args()
    print("kind          true rate               found    width        seconds  requests  measurement")
    good = True
    with ThreadPoolExecutor(options.jobs) as pool:
        for name in options.kinds:
            rng = Random(f"{options.seed}:{name}")
            authorizers = [KINDS[name](rng) for _ in range(options.searches)]
            found = list(pool.map(lambda one: search(one, more), authorizers))
            show(found[0].authorizer.kind, found)
            good &= sum(one.right for one in found) >= 0.9 * len(found)
            good &= all(one.width is not None and one.width <= WIDTH_MAXIMUM for one in found)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
