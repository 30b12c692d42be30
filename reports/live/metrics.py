"""What live metrics tell of a run: which there are, and their values as a recording has them.

Names and units follow OpenTelemetry's conventions; Prometheus's names follow from them by OpenTelemetry's own rules, so
that a metric is called the same in Prometheus whichever way it came. Labels have values from closed sets only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.plan.facts import RunInfo
from gatecrash.reports.recording.latency import LatencyHistogram, Pause, no_pause
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.run.folder import RunState

# Upper bounds of the buckets of latencies, in seconds.
BOUNDS: Final = (
    *(0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.007),
    *(0.01, 0.015, 0.02, 0.03, 0.05, 0.07),
    *(0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 0.7),
    *(1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0),
)
# The rate is taken over so many seconds. The newest ones are left out: other workers' reports of them are to come.
_RATE_SECONDS: Final = 5
_REPORTED_AFTER_SECONDS: Final = 2
_LAG_PERCENT: Final = 99.0
_PER_SECOND: Final = 1000.0
_SECONDS_AT_ONCE: Final = 256
_UNIT_SUFFIXES: Final = {"s": "_seconds", "1": "_ratio", "{arrival}/s": "_per_second"}


class MetricKind(StrEnum):
    """What a metric's value is: a count that only grows, a present value, or latencies by bucket."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class LiveMetric:
    """A metric: ``name`` as OpenTelemetry has it, ``unit`` in UCUM, ``label`` the name of its one label, if any."""

    name: str
    kind: MetricKind
    unit: str
    description: str
    label: str | None = None

    @property
    def prometheus_name(self) -> str:
        """The name in Prometheus, without the ``_total`` of counters."""
        return self.name.replace(".", "_") + _UNIT_SUFFIXES.get(self.unit, "")


@dataclass(frozen=True, slots=True)
class Buckets:
    """Latencies by bucket: a count for each of ``BOUNDS`` and one for what lies above, and their sum in seconds."""

    counts: tuple[int, ...]
    sum: float

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Point:
    """A value, with the label's value where the metric has one."""

    value: float | Buckets
    label: str = ""


Measured = Mapping[LiveMetric, Sequence[Point]]

EXCHANGES: Final = LiveMetric(
    "gatecrash.exchanges",
    MetricKind.COUNTER,
    "{exchange}",
    "Exchanges of the measured part, warm-up left out.",
    "outcome",
)
WARM_UP_EXCHANGES: Final = LiveMetric(
    "gatecrash.warm_up_exchanges", MetricKind.COUNTER, "{exchange}", "Exchanges of the warm-up."
)
PLANNED: Final = LiveMetric(
    "gatecrash.planned_arrivals", MetricKind.COUNTER, "{arrival}", "Arrivals that became due, warm-up included."
)
DROPPED: Final = LiveMetric(
    "gatecrash.dropped_arrivals", MetricKind.COUNTER, "{arrival}", "Arrivals that were never sent, warm-up included."
)
COLD_STARTS: Final = LiveMetric(
    "gatecrash.cold_starts", MetricKind.COUNTER, "{cold_start}", "Cold starts that answers told of, warm-up included."
)
LATENCIES: Final = {
    LatencyKind.SERVICE_TIME: LiveMetric(
        "gatecrash.service_time",
        MetricKind.HISTOGRAM,
        "s",
        "Time from sending a request to its answer, warm-up left out.",
        "outcome",
    ),
    LatencyKind.RESPONSE_TIME: LiveMetric(
        "gatecrash.response_time",
        MetricKind.HISTOGRAM,
        "s",
        "Time from an arrival's intended start to its answer, warm-up left out.",
        "outcome",
    ),
}
OFFERED: Final = LiveMetric(
    "gatecrash.offered_arrivals",
    MetricKind.GAUGE,
    "{arrival}/s",
    "Arrivals that became due, a second, over five seconds.",
)
LAG: Final = LiveMetric(
    "gatecrash.generator_lag",
    MetricKind.GAUGE,
    "s",
    "Lag of the load generator itself: 99th percentile of the run so far.",
)
CPU: Final = LiveMetric(
    "gatecrash.worker.cpu.utilization",
    MetricKind.GAUGE,
    "1",
    "Highest share of one core that a worker used so far, in any five seconds.",
    "worker",
)
WORKERS: Final = LiveMetric("gatecrash.workers", MetricKind.GAUGE, "{worker}", "Processes that fire, or did.")
LOST: Final = LiveMetric("gatecrash.workers_lost", MetricKind.GAUGE, "{worker}", "Those of them that are lost.")
ELAPSED: Final = LiveMetric("gatecrash.elapsed", MetricKind.GAUGE, "s", "Time since the first arrival was due.")

METRICS: Final = (
    *(EXCHANGES, WARM_UP_EXCHANGES, PLANNED, DROPPED, COLD_STARTS, *LATENCIES.values()),
    *(OFFERED, LAG, CPU, WORKERS, LOST, ELAPSED),
)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What tells a run from others: ``instance`` is the name of its folder."""

    name: str
    scenario: str
    target: str
    version: str
    instance: str

    @classmethod
    def of(cls, info: RunInfo, instance: str) -> RunFacts:
        """Take them from what run.json tells of a run."""
        return cls(info.name, info.plan.scenario, info.target.kind, info.versions["gatecrash"], instance)

    def labels(self) -> dict[str, str]:
        """Return the labels of Prometheus's ``gatecrash_run_info``."""
        return {"name": self.name, "scenario": self.scenario, "target": self.target, "version": self.version}

    def attributes(self) -> dict[str, str]:
        """Return the attributes of OpenTelemetry's resource."""
        return {
            "service.name": "gatecrash",
            "service.version": self.version,
            "service.instance.id": self.instance,
            "gatecrash.run.name": self.name,
            "gatecrash.run.scenario": self.scenario,
            "gatecrash.target.kind": self.target,
        }


def measure(recording: Recording, state: RunState, pause: Pause = no_pause) -> Measured:
    """Return the value of every metric. Nobody may add to the recording in the pauses."""
    planned, dropped, offered = _arrivals(recording, state.elapsed, pause)
    lag = recording.lag
    lag.settle(pause)
    measured: dict[LiveMetric, Sequence[Point]] = {
        EXCHANGES: [Point(recording.outcomes[outcome], outcome.value) for outcome in Outcome],
        WARM_UP_EXCHANGES: [Point(recording.warm_up_exchanges)],
        PLANNED: [Point(planned)],
        DROPPED: [Point(dropped)],
        COLD_STARTS: [Point(recording.cold_starts)],
    }
    for kind, metric in LATENCIES.items():
        measured[metric] = [
            Point(_buckets(histogram, pause), outcome.value)
            for outcome, its_kind, histogram in recording.latencies
            if its_kind is kind
        ]
    pause()
    return {
        **measured,
        OFFERED: [Point(offered)],
        LAG: [Point(lag.percentile(_LAG_PERCENT) / _PER_SECOND)],
        CPU: [Point(share, str(number)) for number, share in enumerate(_shares(state), 1)],
        WORKERS: [Point(state.workers)],
        LOST: [Point(state.workers_lost)],
        ELAPSED: [Point(state.elapsed)],
    }


def _buckets(histogram: LatencyHistogram, pause: Pause) -> Buckets:
    counts, total = histogram.bucket_counts(BOUNDS, pause)
    return Buckets(tuple(counts), total)


def _shares(state: RunState) -> list[float]:
    return [worker.cpu for worker in state.worker_facts] if state.worker_facts else [state.cpu]


def _arrivals(recording: Recording, elapsed: float, pause: Pause) -> tuple[int, int, float]:
    """Return how many arrivals were planned and dropped, and how many were planned a second, lately."""
    ends = max(0, int(elapsed) + 1 - _REPORTED_AFTER_SECONDS)
    starts = max(0, ends - _RATE_SECONDS)
    planned = dropped = lately = 0
    for place, (number, second) in enumerate(recording.series, 1):
        planned += second.planned
        dropped += second.dropped
        if starts <= number < ends:
            lately += second.planned
        if not place % _SECONDS_AT_ONCE:
            pause()
    return planned, dropped, lately / (ends - starts) if ends > starts else 0.0
