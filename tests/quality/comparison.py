"""How often comparisons are wrong: pairs of runs of the same authorizer, and of one that got worse, with real noise.

``python -m tests.quality.comparison`` prints the tables; each number is how many of the pairs were called worse.
``--real FOLDER`` compares all pairs of run folders in a folder instead, which were all runs of the same authorizer.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from random import Random

from gatecrash.reports.comparison.compare import ComparedRun, Known, compare
from gatecrash.reports.comparison.comparison import Comparison, ComparisonLimits
from gatecrash.reports.run.folder import RunFolder
from gatecrash.reports.run.summary import summarise
from gatecrash.reports.statistics.directions import Direction
from tests.quality.noise import SECONDS, NoiseRun, read
from tests.quality.synthetic_runs import CASES, Script, facts, synthetic_run

PAIRS = 40
_LONG = 60
_KNOWN = Known(facts, facts)
_SAME = Script()


@dataclass(frozen=True)
class Scenario:
    """What is compared: an authorizer before and now, in runs of so many seconds.

    ``least`` and ``most`` bound how many of 40 pairs must be called worse, where that is asked for: of all pairs of all
    seeds together, the same share.
    """

    name: str
    before: Script
    after: Script
    seconds: int = _LONG
    flips: int = 0
    least: int = 0
    most: int = PAIRS


FAST = Script(median=0.012)
THROTTLED = Script(throttle_rate=0.01)
BURSTS = Script(throttle_rate=0.01, burst=5.0)
SCENARIOS = (
    Scenario("the same", _SAME, _SAME, most=1),
    Scenario("the same", _SAME, _SAME, seconds=20, most=1),
    Scenario("the same, of 12 ms", FAST, FAST, most=1),
    Scenario("the same, 1 % throttled", THROTTLED, THROTTLED, most=1),
    Scenario("the same, 1 % throttled in bursts", BURSTS, BURSTS, most=1),
    Scenario("p95 +10 %, the median the same", _SAME, Script(slower=0.1), least=38),
    Scenario("all latencies +10 %", _SAME, Script(all_slower=0.1), least=38),
    Scenario("throttled 0 % -> 1 %", _SAME, THROTTLED, least=38),
    Scenario("throttled 1 % -> 2 %", THROTTLED, Script(throttle_rate=0.02), least=38),
    Scenario("1 flipped decision in 5,000", _SAME, _SAME, flips=1, least=40),
    Scenario("p95 +10 %, the median the same", _SAME, Script(slower=0.1), seconds=20),
    Scenario("throttled 0 % -> 1 %", _SAME, THROTTLED, seconds=20),
    Scenario("1 % -> 2 % throttled in bursts", BURSTS, replace(BURSTS, throttle_rate=0.02)),
)


def pairs(scenario: Scenario, noise: Sequence[NoiseRun], seed: int, count: int = PAIRS) -> Iterator[Comparison]:
    """Yield comparisons of independent pairs; the noise of both runs of a pair is never of the same recorded run."""
    pieces = round(scenario.seconds / SECONDS)
    # The same pairs in every scenario of that length: they differ in what the authorizer does alone.
    rng = Random(f"{seed} {scenario.seconds}")
    places = range(len(noise) - pieces + 1)
    for number in range(count):
        while True:
            first, second = rng.choice(places), rng.choice(places)
            if abs(first - second) >= pieces:
                break
        after = scenario.after
        if scenario.flips:
            seen = min(CASES, round(len(noise[0].latencies) * pieces))
            after = replace(after, flipped=frozenset(rng.sample(range(seen), scenario.flips)))
        runs = [
            synthetic_run(noise[place : place + pieces], script, f"{seed} {number} {word}")
            for place, script, word in ((first, scenario.before, "before"), (second, after, "after"))
        ]
        yield compare(runs[0], runs[1], ComparisonLimits(), _KNOWN)


def called_worse(comparisons: Iterator[Comparison]) -> tuple[int, Counter[str]]:
    """Count the comparisons that were called worse, and by which aspects."""
    worse, aspects = 0, Counter[str]()
    for comparison in comparisons:
        worse += comparison.is_worse
        aspects.update(one.name for one in comparison.aspects if one.direction in {Direction.WORSE, Direction.MIXED})
    return worse, aspects


def _table(noise: Sequence[NoiseRun], seeds: Sequence[int], chosen: str) -> bool:
    kept = True
    title = f"pairs called worse, of {PAIRS}"
    print(f"{title:<38}{'seconds':>8}  {'asked':>8}  by seed {', '.join(map(str, seeds))}")
    for scenario in SCENARIOS:
        if chosen not in scenario.name:
            continue
        found, aspects = [], Counter[str]()
        for seed in seeds:
            worse, by = called_worse(pairs(scenario, noise, seed))
            found.append(worse)
            aspects += by
        asked = f">= {scenario.least}" if scenario.least else f"<= {scenario.most}" if scenario.most < PAIRS else ""
        kept &= scenario.least * len(seeds) <= sum(found) <= scenario.most * len(seeds)
        why = ", ".join(f"{name} {count}" for name, count in aspects.most_common())
        numbers = " ".join(f"{worse:>3}" for worse in found)
        print(f"{scenario.name:<38}{scenario.seconds:>8}  {asked:>8}  {numbers}   {why}", flush=True)
    return kept


def _real(folder: Path) -> None:
    """Compare all pairs of real runs of the same authorizer."""
    runs = []
    for path in sorted(folder.iterdir()):
        stored = RunFolder(path).load()
        runs.append(ComparedRun(summarise(stored), stored.recording, path.name))
    for part in runs:
        row = next(row for row in part.summary.latencies if row.outcome is None and row.kind == "response_time")
        print(f"{part.place}: {row.count:,} exchanges, p50 {row.p50:.2f}, p95 {row.p95:.2f}, p99 {row.p99:.2f} ms")
    for limit in (0.0, 1.0, 1.5, 2.0):
        words: Counter[str] = Counter()
        for earlier, later in combinations(runs, 2):
            words[compare(earlier, later, ComparisonLimits(latency_ms=limit)).direction.value] += 1
        print(f"with at least 5 % and {limit:g} ms: {dict(words)}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--scenario", default="", help="only those with this in their name")
    parser.add_argument("--real", type=Path)
    chosen = parser.parse_args()
    if chosen.real is not None:
        _real(chosen.real)
        return
    started, noise = time.monotonic(), read()
    print(f"noise of {len(noise)} recorded runs of {SECONDS:g} s")
    kept = _table(noise, chosen.seeds, chosen.scenario)
    print(f"{'all as asked' if kept else 'NOT as asked'}, in {time.monotonic() - started:.0f} s")
    if not kept:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
