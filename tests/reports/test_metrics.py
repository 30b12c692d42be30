"""What live metrics tell: their names, and values that are those of the recording."""

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.live.metrics import (
    BOUNDS,
    COLD_STARTS,
    CPU,
    DROPPED,
    ELAPSED,
    EXCHANGES,
    LAG,
    LATENCIES,
    LOST,
    METRICS,
    OFFERED,
    PLANNED,
    WARM_UP_EXCHANGES,
    WORKERS,
    MetricKind,
    RunFacts,
    measure,
)
from gatecrash.reports.plan.facts import CorpusFacts, PlanFacts, RunInfo, TargetFacts
from gatecrash.reports.recording.latency import LatencyHistogram
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.run.folder import RunState
from tests.reports.samples import THROTTLED, allow, busy_run, deny, exchange
from tests.reports.samples import WORKERS as FACTS


def value(measured, metric):
    (point,) = measured[metric]
    return point.value


def by_label(measured, metric):
    return {point.label: point.value for point in measured[metric]}


def recording():
    """Return two seconds of warm-up and ten measured ones, at 2 a second, with throttles, drops and cold starts."""
    made = Recording()
    for number in range(24):
        start = number / 2
        made.add_arrival(start, 0.0, warm_up=start < 2)
        if number in (3, 20):
            made.add_drop(start)
            continue
        answer = THROTTLED if number % 5 == 0 else allow(cold=number < 6)
        made.add_exchange(exchange(answer, start=start, service=0.01, wait=0.1, warm_up=start < 2), tuple)
    made.lag.record(0.002)
    return made


def test_every_metric_has_a_value_and_no_other_is_there():
    assert set(measure(Recording(), RunState())) == set(METRICS) == set(measure(recording(), RunState(elapsed=12.0)))


def test_names_and_units_follow_the_conventions():
    for metric in METRICS:
        assert re.fullmatch(r"gatecrash(\.[a-z_]+)+", metric.name)
        assert re.fullmatch(r"gatecrash(_[a-z]+)+", metric.prometheus_name)
        assert metric.unit in {"s", "1", "{arrival}/s"} or re.fullmatch(r"\{[a-z_]+\}", metric.unit)
        assert not metric.prometheus_name.endswith("_total"), "the client library adds it"
        assert (metric.kind is MetricKind.HISTOGRAM) == (metric in LATENCIES.values())
    assert LATENCIES[LatencyKind.RESPONSE_TIME].prometheus_name == "gatecrash_response_time_seconds"
    assert CPU.prometheus_name == "gatecrash_worker_cpu_utilization_ratio"
    assert OFFERED.prometheus_name == "gatecrash_offered_arrivals_per_second"
    assert len({metric.prometheus_name for metric in METRICS}) == len(METRICS)


def test_the_documentation_has_every_metric_and_no_other():
    page = (Path(__file__).resolve().parents[2] / "docs" / "metrics.md").read_text()
    rows = re.findall(r"^\| `(gatecrash_\w+)` \| `(gatecrash[.\w]+)` \| (\w+), `(\S+)` \| (?:`(\w+)` )?\|", page, re.M)
    ours = [
        (
            metric.prometheus_name + ("_total" if metric.kind is MetricKind.COUNTER else ""),
            metric.name,
            metric.kind.value,
            metric.unit,
            metric.label or "",
        )
        for metric in METRICS
    ]
    assert rows == ours


def test_counts_are_those_of_the_recording():
    made = recording()
    measured = measure(made, RunState(elapsed=12.0))
    exchanges = by_label(measured, EXCHANGES)
    # Whoever computes a rate needs every outcome from the start.
    assert set(exchanges) == {outcome.value for outcome in Outcome}
    assert {name: count for name, count in exchanges.items() if count} == dict(made.outcomes)
    assert (exchanges["allow"], exchanges["throttled"]) == (16, 3)
    assert value(measured, WARM_UP_EXCHANGES) == made.warm_up_exchanges == 3
    assert value(measured, PLANNED) == 24
    assert value(measured, DROPPED) == 2
    assert value(measured, COLD_STARTS) == made.cold_starts == 3
    assert value(measured, ELAPSED) == 12.0


def test_latencies_are_of_the_measured_part_in_seconds_and_by_outcome():
    measured = measure(recording(), RunState(elapsed=12.0))
    for kind, seconds in ((LatencyKind.SERVICE_TIME, 0.01), (LatencyKind.RESPONSE_TIME, 0.11)):
        found = by_label(measured, LATENCIES[kind])
        assert {label: buckets.count for label, buckets in found.items()} == {"allow": 16, "throttled": 3}
        bucket = next(place for place, bound in enumerate(BOUNDS) if seconds <= bound)
        assert found["allow"].counts[bucket] == 16
        assert found["allow"].sum == pytest.approx(16 * seconds, rel=0.001)


def test_the_offered_rate_is_of_the_last_seconds_that_all_have_reported():
    assert value(measure(recording(), RunState(elapsed=12.0)), OFFERED) == 2.0
    assert value(measure(recording(), RunState(elapsed=4.0)), OFFERED) == 2.0
    assert value(measure(recording(), RunState(elapsed=60.0)), OFFERED) == 0.0
    assert value(measure(recording(), RunState(elapsed=0.5)), OFFERED) == 0.0


def test_the_generator_tells_its_lag_and_its_share_of_the_cpu():
    measured = measure(recording(), RunState(elapsed=12.0, cpu=0.3))
    assert value(measured, LAG) == pytest.approx(0.002, rel=0.001)
    assert by_label(measured, CPU) == {"1": 0.3}
    assert (value(measured, WORKERS), value(measured, LOST)) == (1, 0)


def test_each_worker_has_its_number_as_label_and_not_its_name():
    state = RunState(workers=2, workers_lost=1, worker_facts=FACTS)
    measured = measure(busy_run().recording, state)
    assert by_label(measured, CPU) == {"1": 0.42, "2": 0.3}
    assert (value(measured, WORKERS), value(measured, LOST)) == (2, 1)


def test_labels_come_from_closed_sets():
    state = RunState(workers=2, worker_facts=FACTS)
    for metric, points in measure(busy_run().recording, state).items():
        allowed = {"outcome": set(Outcome), "worker": {"1", "2"}, None: {""}}[metric.label]
        assert {point.label for point in points} <= allowed


def test_counts_only_grow():
    made, earlier = Recording(), {}
    for number in range(40):
        start = number / 4
        made.add_arrival(start, 0.0, warm_up=number < 6)
        made.add_exchange(exchange(deny(), start=start, service=0.001 * number, warm_up=number < 6), tuple)
        measured = measure(made, RunState(elapsed=start))
        counters = {
            (metric, point.label): point.value
            for metric, points in measured.items()
            if metric.kind is MetricKind.COUNTER
            for point in points
        }
        assert all(counters[key] >= count for key, count in earlier.items())
        earlier = counters


def test_reading_changes_nothing():
    made = recording()
    first = measure(made, RunState(elapsed=12.0))
    assert measure(made, RunState(elapsed=12.0)) == first
    assert Recording.decode(made.encode()).latencies.to_json() == recording().latencies.to_json()


def test_a_bucket_has_each_value_up_to_its_bound_and_none_that_is_a_thousandth_above():
    for bound in BOUNDS:
        histogram = LatencyHistogram()
        histogram.record(bound)
        histogram.record(bound * 1.0011)
        counts, total = histogram.bucket_counts(BOUNDS)
        place = BOUNDS.index(bound)
        assert (counts[place], counts[place + 1]) == (1, 1)
        assert total == pytest.approx(bound * 2.0011, rel=0.001)


def test_buckets_agree_with_counting_one_by_one():
    rng = random.Random(1)
    values = [rng.lognormvariate(-4, 2) for _ in range(20_000)]
    histogram, pauses = LatencyHistogram(), []
    for seconds in values:
        histogram.record(seconds)
    counts, total = histogram.bucket_counts(BOUNDS, lambda: pauses.append(None))
    assert sum(counts) == len(values) == histogram.count
    assert total == pytest.approx(sum(values), rel=0.001)
    reached = 0
    for bound, count in zip(BOUNDS, counts, strict=False):
        reached += count
        at_most = sum(value <= bound for value in values)
        assert at_most <= reached <= sum(value <= bound * 1.001 for value in values)
    assert len(pauses) > len(BOUNDS)


def test_an_empty_histogram_has_empty_buckets():
    assert LatencyHistogram().bucket_counts(BOUNDS) == ([0] * (len(BOUNDS) + 1), 0.0)


def test_a_run_is_told_by_its_name_scenario_target_and_version():
    plan, target = PlanFacts(scenario="spike", rate=5.0), TargetFacts("local", handler="secret-path")
    info = RunInfo("nightly", "", 1, plan, target, CorpusFacts(), {"gatecrash": "1.2.3", "python": "3"})
    facts = RunFacts.of(info, "20250101T000000Z-nightly")
    assert facts.labels() == {"name": "nightly", "scenario": "spike", "target": "local", "version": "1.2.3"}
    assert facts.attributes()["service.instance.id"] == "20250101T000000Z-nightly"
    assert RunFacts.of(replace(info, plan=PlanFacts()), "x").scenario == "steady"
