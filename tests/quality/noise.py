"""Real noise: what an open schedule at the embedded gateway measured of the sample authorizer, run after run.

``python -m tests.quality.noise --runs 40`` records it anew into ``tests/quality/data/noise.bin``; runs are appended, so
that it can be done in pieces. Each run has a gateway and execution environments of its own, as `gatecrash run` has.
The file holds one response time from the intended start for each arrival in order, in steps of 2 % above 10 us.
"""

from __future__ import annotations

import argparse
import math
import struct
import threading
import time
import zlib
from array import array
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from gatecrash.authorizers.targets.local import LocalGateway
from gatecrash.authorizers.targets.opening import open_target
from gatecrash.planning.plans import prepare_corpus
from gatecrash.settings.settings import read_settings
from gatecrash.settings.targets import target_settings

FILE = Path(__file__).parent / "data" / "noise.bin"
RATE = 100.0
SECONDS = 20.0
WARM_UP = 3.0
_SLOTS = 16
_STEP = math.log(1.02)
_LOWEST = 1e-5
# The length of a run's deflated part, which follows it.
_HEAD = struct.Struct("<I")


@dataclass(frozen=True)
class NoiseRun:
    """Response times of one run in seconds, in the order of their intended starts, ``RATE`` of them a second."""

    latencies: list[float]


def record(seconds: float = SECONDS) -> NoiseRun:
    """Fire one run and return what it measured."""
    settings = read_settings(None, {"corpus.cases": 200})
    corpus = prepare_corpus(settings, WARM_UP + seconds)
    plain = target_settings(settings)
    gateway = LocalGateway(plain["gateway"])
    target = open_target(
        {name: value for name, value in plain.items() if name != "gateway"} | {"endpoint_url": gateway.url},
        connections=_SLOTS,
    )
    total = round((WARM_UP + seconds) * RATE)
    latencies = [0.0] * total
    requests = [corpus.request(number) for number in range(len(corpus))]
    numbers = count()
    started = time.perf_counter() + 0.2

    def fire() -> None:
        while (number := next(numbers)) < total:
            due = started + number / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            target.invoke(requests[number % len(requests)])
            latencies[number] = time.perf_counter() - due

    slots = [threading.Thread(target=fire) for _ in range(_SLOTS)]
    try:
        for slot in slots:
            slot.start()
        for slot in slots:
            slot.join()
    finally:
        target.close()
        gateway.close()
        corpus.close()
    return NoiseRun(latencies[round(WARM_UP * RATE) :])


def encoded(run: NoiseRun) -> bytes:
    """Return a run as the file holds it."""
    steps = array("H", (max(0, round(math.log(max(value, _LOWEST) / _LOWEST) / _STEP)) for value in run.latencies))
    data = zlib.compress(steps.tobytes(), 9)
    return _HEAD.pack(len(data)) + data


def read(path: Path = FILE) -> list[NoiseRun]:
    """Read all runs of a file."""
    content, place, runs = path.read_bytes(), 0, []
    while place < len(content):
        (length,) = _HEAD.unpack_from(content, place)
        place += _HEAD.size
        steps = array("H", zlib.decompress(content[place : place + length]))
        runs.append(NoiseRun([_LOWEST * math.exp(step * _STEP) for step in steps]))
        place += length
    return runs


def main() -> None:
    """Append runs to the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--file", type=Path, default=FILE)
    chosen = parser.parse_args()
    chosen.file.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(chosen.runs):
        run = record()
        with chosen.file.open("ab") as file:
            file.write(encoded(run))
        ordered = sorted(run.latencies)
        shown = ", ".join(f"p{p} {ordered[int(len(ordered) * p / 100)] * 1000:.2f} ms" for p in (50, 95, 99))
        print(f"{len(run.latencies)} exchanges: {shown}, max {ordered[-1] * 1000:.1f} ms", flush=True)


if __name__ == "__main__":
    main()
