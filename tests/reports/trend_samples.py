"""Made-up nights that the tests of history and trend share."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from gatecrash.reports.plan.facts import CorpusFacts
from gatecrash.reports.trend.history import HistoryRun
from gatecrash.reports.trend.metrics import RUN, TrendLimits
from gatecrash.reports.trend.trend import Trend, trend_of
from tests.reports.samples import HOSTILE, INFO

FLIPS = ("f1", "GC401", "same request, different outcome")


def night(number: int, **numbers: float) -> HistoryRun:
    """Return the run of a night, of which nothing is bad."""
    started = f"2026-{9 + number // 30:02}-{1 + number % 30:02}T02:00:00+00:00"
    info = replace(INFO, name="nightly", started_at=started, plan=replace(INFO.plan, model="open"))
    place = f"runs/{started[:10].replace('-', '')}T020000Z-nightly"
    values = {name.replace("__", "."): value for name, value in numbers.items()}
    return HistoryRun(place, info, RUN, f"commit{number}", "valid", "", "PASS", 0, values)


def nights(step: int = 30, count: int = 60, factor: float = 1.2, seed: int = 1) -> list[HistoryRun]:
    """Return nights of which those from ``step`` on are slower, with noise of 2 %."""
    rng = Random(seed)
    return [
        night(
            number,
            response_time__p95=40.0 * rng.lognormvariate(0, 0.02) * (factor if number >= step else 1.0),
            service_time__p50=10.0 * rng.lognormvariate(0, 0.02),
            throttle_rate=0.0,
            achieved_rate=100.0,
        )
        for number in range(count)
    ]


def eventful() -> Trend:
    """A trend with all there is: alarms, other changes, findings, an invalid night, text that wants to be code."""
    made = nights()
    made = [
        replace(
            run,
            info=replace(run.info, versions={**run.info.versions, "python": "3.12.1" if number >= 30 else "3.11.7"}),
            numbers={
                **run.numbers,
                "throttle_rate": 0.03 if 10 <= number < 20 else 0.0,
                "achieved_rate": 100.0 if number < 40 else 80.0,
            },
            findings=(FLIPS, ("f2", "GC101", HOSTILE)) if number in {7, 59} else (),
        )
        for number, run in enumerate(made)
    ]
    made[15] = replace(made[15], validity="invalid", reason="the gateway died", exit_code=4)
    made[50] = replace(made[50], accepted=f"a smaller machine {HOSTILE}")
    # Only what is newer than that run can be an alarm: its last nights are slow once more.
    made[52:] = [
        replace(run, numbers={**run.numbers, "response_time.p95": 1.5 * run.numbers["response_time.p95"]})
        for run in made[52:]
    ]
    other = replace(made[0], info=replace(made[0].info, corpus=CorpusFacts("another", cases=3)))
    return trend_of([replace(other, place="runs/20260831T020000Z-nightly"), *made[1:]], TrendLimits())
