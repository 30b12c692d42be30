"""How often trends are wrong: nights of the same authorizer, and of one that gets worse, with real noise.

``python -m tests.quality.trend`` prints the table. A night is 20 s of a scripted authorizer with noise that was
recorded (``tests.quality.noise``); a series is drawn from all such nights, none of them twice.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from gatecrash.reports.plan.facts import CorpusFacts, PlanFacts, RunInfo, TargetFacts
from gatecrash.reports.trend.history import HistoryRun
from gatecrash.reports.trend.metrics import RUN, TrendLimits
from gatecrash.reports.trend.trend import Trend, trend_of
from tests.quality.noise import NoiseRun, read
from tests.quality.synthetic_runs import Script, latencies_of

NIGHTS = 60
SERIES = 40
# How many nights of each recorded piece of noise; their authorizers' own times are drawn anew.
_EACH = 4
_PERCENTILES = {"response_time.p50": 0.5, "response_time.p95": 0.95, "response_time.p99": 0.99}
_INFO = RunInfo("nightly", "", 1, PlanFacts(), TargetFacts("scripted"), CorpusFacts("synthetic"), {})


@dataclass(frozen=True)
class Scenario:
    """What happens over the nights; ``factor`` is by how much all latencies of a night are longer.

    ``found`` says whether a trend is right; ``asked`` is how many of 40 must be.
    """

    name: str
    factor: Callable[[int, int, Random], float]
    found: Callable[[Trend, int], bool]
    asked: int = SERIES
    every_night: bool = False


def quiet(trend: Trend, _step: int) -> bool:
    """Say that there is no alarm."""
    return not trend.alarms


def found_within_two(trend: Trend, step: int) -> bool:
    """Say that there is an alarm, and that the night that is named is at most two nights from the step."""
    return trend.since is not None and abs(trend.runs.index(trend.since) - step) <= 2


def noticed(trend: Trend, _step: int) -> bool:
    """Say that there is an alarm."""
    return bool(trend.alarms)


SCENARIOS = (
    Scenario("no step", lambda night, step, rng: 1.0, quiet),
    Scenario("no step, looked at every night", lambda night, step, rng: 1.0, quiet, asked=39, every_night=True),
    Scenario("one step of 8 %", lambda night, step, rng: 1.08 if night >= step else 1.0, found_within_two),
    Scenario("one noisy night, +60 %", lambda night, step, rng: 1.6 if night == step else 1.0, quiet),
    Scenario("the last two nights +60 %", lambda night, step, rng: 1.6 if night >= NIGHTS - 2 else 1.0, quiet),
    Scenario("0.3 % slower each night", lambda night, step, rng: 1.003**night, noticed),
    Scenario("every night of another machine, sigma 5 %", lambda night, step, rng: rng.lognormvariate(0, 0.05), quiet),
    Scenario(
        "the same, one step of 8 %",
        lambda night, step, rng: rng.lognormvariate(0, 0.05) * (1.08 if night >= step else 1.0),
        noticed,
        asked=0,
    ),
)


def pool_of(noise: Sequence[NoiseRun], script: Script, each: int = _EACH) -> list[HistoryRun]:
    """Return nights of a scripted authorizer, some for each recorded piece of noise."""
    pool = []
    for number, piece in enumerate(noise):
        for turn in range(each):
            made = sorted(latencies_of([piece], Random(f"{number} {turn}"), script))
            percentiles = {name: 1000 * made[round(len(made) * share)] for name, share in _PERCENTILES.items()}
            rates = {"throttle_rate": 0.0, "error_rate": 0.0, "achieved_rate": 100.0}
            info = replace(_INFO, plan=PlanFacts(model="open", rate=100.0))
            pool.append(HistoryRun("", info, RUN, "", "valid", "", "PASS", 0, percentiles | rates))
    return pool


def series(pool: Sequence[HistoryRun], scenario: Scenario, step: int, rng: Random) -> list[HistoryRun]:
    """Return nights in order, each so much slower as the scenario says."""
    return [_night(run, night, scenario.factor(night, step, rng)) for night, run in enumerate(rng.sample(pool, NIGHTS))]


def _night(run: HistoryRun, night: int, factor: float) -> HistoryRun:
    started = f"2026-{9 + night // 30:02}-{1 + night % 30:02}T02:00:00+00:00"
    numbers = {
        name: value * (factor if name.split(".")[0].endswith("_time") else 1) for name, value in run.numbers.items()
    }
    return replace(run, info=replace(run.info, started_at=started), place=f"night-{night:02}", numbers=numbers)


def right(scenario: Scenario, pool: Sequence[HistoryRun], seed: int, count: int = SERIES) -> int:
    """Return for how many series the trend is right."""
    limits, hits = TrendLimits(), 0
    for number in range(count):
        rng = Random(f"{seed} {number}")
        step = rng.randrange(12, NIGHTS - 12)
        nights = series(pool, scenario, step, rng)
        looks = range(10, NIGHTS + 1) if scenario.every_night else [NIGHTS]
        hits += all(scenario.found(trend_of(nights[:look], limits), step) for look in looks)
    return hits


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    chosen = parser.parse_args()
    started, noise = time.monotonic(), read()
    pool = pool_of(noise, Script())
    middle = sorted(run.numbers["response_time.p95"] for run in pool)
    low, high = middle[len(middle) // 20], middle[-len(middle) // 20]
    print(f"{len(pool)} nights of {len(noise)} recorded runs; p95 of nine nights of ten: {low:.1f} to {high:.1f} ms")
    print(f"{'series that are judged rightly, of ' + str(SERIES):<44}{'asked':>8}  by seed {chosen.seeds}")
    kept = True
    for scenario in SCENARIOS:
        hits = [right(scenario, pool, seed) for seed in chosen.seeds]
        kept &= all(hit >= scenario.asked for hit in hits)
        asked = f">= {scenario.asked}" if scenario.asked else ""
        print(f"{scenario.name:<44}{asked:>8}  {' '.join(f'{hit:>3}' for hit in hits)}", flush=True)
    print(f"{'all as asked' if kept else 'NOT as asked'}, in {time.monotonic() - started:.0f} s")
    if not kept:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
