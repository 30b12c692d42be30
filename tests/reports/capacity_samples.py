"""Capacity searches that the tests of the reports share; found in simulated time."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from gatecrash.authorizers.targets.scripted import Script
from gatecrash.reports.capacity.answer import Capacity, ColdStarts
from gatecrash.reports.run.summary import Summary, summarise
from tests.locustfiles.simulated import search
from tests.reports.samples import good_recording, run_of


@cache
def found(kind: str) -> Capacity:
    """Return what a search found of one kind of authorizer."""
    if kind == "queue":
        return replace(search(Script(latency=0.04, concurrency=8))[0], cold_starts=ColdStarts(12, 210.0, 900.0, 950.0))
    if kind == "bucket":
        return search(Script(latency=0.02, bucket_rate=150, bucket_burst=200))[0]
    if kind == "at least":
        return search(Script(latency=0.01), max_rate=100)[0]
    if kind == "nothing":
        return search(Script(latency=1.0))[0]
    if kind == "limited":
        return search(Script(latency=0.01), lag=0.2)[0]
    if kind == "limited above":
        return search(Script(latency=0.01), lag=0.2, late_from=300)[0]
    return search(Script(latency=0.04, concurrency=8), limits={"seconds": 60}, wrong_at_rest=frozenset({1}))[0]


KINDS = ("queue", "bucket", "at least", "nothing", "limited", "limited above", "cut short")


def capacity_summary(kind: str = "queue", **changes: object) -> Summary:
    capacity = replace(found(kind), **changes)  # type: ignore[arg-type]
    return summarise(replace(run_of(good_recording()), capacity=capacity))
